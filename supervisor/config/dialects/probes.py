"""Probes of compose, process-compose and Kubernetes as `ready` and `healthcheck`."""

import re

from supervisor.config.dialects.programs import command_of, in_braces, pool_of, ports_of, test_words
from supervisor.config.dialects.sections import joined, seconds
from supervisor.config.dialects.writing import Beside, at, pair, text_of, within, yaml
from supervisor.config.rewriting import block
from supervisor.config.tree import FALSE, TRUE, Node, Sequence
from supervisor.config.tree import Mapping as MappingNode

_OF_PORTS = frozenset(("pool", "ports", "port", "expose", "containerport"))


def _asked(node: Node) -> str:
    """How a probe asks: `http: …`, `tcp: true` or `exec: …`."""
    if (asked := at(node, "httpget")) is not None or (asked := at(node, "http")) is not None:
        path = text_of(at(asked, "path")) or text_of(asked) or "/"
        return f"http: {path_of(path)}"
    if at(node, "tcpsocket") is not None or at(node, "tcp") is not None:
        return "tcp: true"
    run = at(node, "exec", "command")
    run = run if run is not None else at(node, "exec")
    if run is not None and (text_of(run) or isinstance(run, Sequence)):
        return f"exec: {test_words(run)}"
    return "http: /"


def _pool(node: Node, beside: Beside) -> list[str]:
    """The pool that a probe of a port needs, where the service has none yet."""
    asked = at(node, "httpget") or at(node, "tcpsocket")
    if asked is None or beside.values.keys() & _OF_PORTS:
        return []
    return [f"pool: {pool_of(ports_of(text_of(at(asked, 'port'))) or [8000])}"]


def port(node: Node, beside: Beside) -> str:
    """The port of a probe: that of the service is asked, whatever else the probe says."""
    about = {"http", "tcp", "exec", "log", "notify", "url", "path", "cmd", "command", "test", "httpget"}
    if beside.values.keys() & about:
        return "leave it out: the port that the service got is asked"
    return "write `tcp: true`: the port that the service got is asked"


def path_of(text: str) -> str:
    """The path of an address."""
    found = re.fullmatch(r"(?:https?://[^/\s]*|(?:[\w.-]+|\[::1\])?:\d{1,5})(/\S*)?", text, re.ASCII)
    path = (found[1] or "/") if found else text
    return block(path if path.startswith("/") else f"/{path}")


def probe_of(key: str, node: Node) -> str:
    """A probe that is one value: an address, a path, a command, a port."""
    text = text_of(node).strip()
    if isinstance(node, Sequence):
        return f"write `{key}: {{exec: {test_words(node)}}}`"
    if not text:
        return ""
    if text in FALSE or text.lower() in ("none", "no", "off", "disabled"):
        return f"leave `{key}` out"
    if key == "ready" and re.fullmatch(r"\d+(?:\.\d+)?(?:ms|s|m|h)", text):
        return f"write `ready: {{timeout: {text}}}`"
    if re.fullmatch(r"https?://\S+|/\S*|[\w.-]*:\d+/\S*", text):
        return f"write `{key}: {{http: {in_braces(path_of(text))}}}`"
    if re.fullmatch(r"[\w.-]*:?\d+", text) or text in TRUE or text.lower() in ("tcp", "port", "yes", "on"):
        return f"write `{key}: {{tcp: true}}`" if key == "healthcheck" else "write `ready: listening`"
    if " " in text or key == "healthcheck":
        return f"write `{key}: {{exec: {in_braces(command_of(text))}}}`"
    return ""


def readiness(node: Node, beside: Beside) -> str:
    """`readiness_probe` of process-compose and Kubernetes."""
    if not isinstance(node, MappingNode):
        return probe_of("ready", node) or f"write `{pair('ready', node)}`"
    tries, period = text_of(at(node, "failurethreshold")), text_of(at(node, "periodseconds"))
    if "readylogline" in beside.values:
        return "leave it out"
    first = text_of(at(node, "initialdelayseconds"))
    most = sum(int(each) for each in (first,) if each.isdigit())
    if tries.isdigit() and (period or "10").isdigit():
        most += int(tries) * int(period or "10")
    limit = f", timeout: {max(most, 30)}s" if most else ""
    return joined([*_pool(node, beside), f"ready: {{{_asked(node)}{limit}}}"])


def liveness(node: Node, beside: Beside) -> str:
    """`liveness_probe`."""
    if not isinstance(node, MappingNode):
        return probe_of("healthcheck", node) or "leave it out"
    parts = [_asked(node)]
    for theirs, ours in (("periodseconds", "interval"), ("timeoutseconds", "timeout")):
        if found := text_of(at(node, theirs)):
            parts.append(f"{ours}: {seconds(found)}")
    if found := text_of(at(node, "failurethreshold")):
        parts.append(f"retries: {found}")
    pool = [] if "readinessprobe" in beside.values else _pool(node, beside)
    return joined([*pool, f"healthcheck: {{{', '.join(parts)}}}"])


def ready_http(node: Node, beside: Beside) -> str:
    """A path or an address of the service itself."""
    return within("ready", f"http: {path_of(text_of(at(node, 'path')) or text_of(node) or '/')}", beside)


def health_path(node: Node, beside: Beside) -> str:
    """A path that is asked on the port in `PORT`: with a pool, where the service has none."""
    if beside.values.keys() & _OF_PORTS:
        return ready_http(node, beside)
    told = (re.search(r"\bPORT\b\D{1,12}(\d{2,5})\b", yaml(each)) for each in beside.values.values())
    number = next((int(found[1]) for found in told if found), 8000)
    return joined([f"pool: {pool_of([number])}", f"ready: {{http: {path_of(text_of(node) or '/')}}}"])


def status(node: Node, beside: Beside) -> str:
    """The status of a good answer."""
    given = next((found for key in ("http", "url", "path", "uri") if (found := text_of(beside.values.get(key)))), "/")
    return f"put both into one: `http: {{path: {path_of(given)}, status: {in_braces(text_of(node) or '200')}}}`"


def http_get(node: Node, beside: Beside) -> str:
    """`http_get` inside a probe of ours."""
    return f"write `http: {path_of(text_of(at(node, 'path')) or text_of(node) or '/')}`"


def start_period(node: Node, beside: Beside) -> str:
    """`start_period` of compose."""
    return f"leave it out, and write `ready: {{timeout: {seconds(text_of(node)) or '30s'}}}` in the service"
