"""What to write for a value that stands under a key of ours and is written as elsewhere."""

import re
from collections.abc import Callable
from functools import partial

from supervisor.config.dialects.probes import probe_of
from supervisor.config.dialects.programs import command_of, in_braces, pool_of, ports_of
from supervisor.config.dialects.sections import environment_text, joined, policy_of, restart_of
from supervisor.config.dialects.writing import at, text_of
from supervisor.config.rewriting import flow_list
from supervisor.config.secret_names import HIDDEN, is_secret_name
from supervisor.config.secrets import masked_words
from supervisor.config.tree import Mapping as MappingNode
from supervisor.config.tree import Node, Scalar, Sequence

MOST = 10  # ports that a range written `8000:8005` may have; `8000:8080` is a pair of compose


def value_hint(where: str, node: Node) -> str:
    """What to write for the value at a path of keys; empty where there is nothing to say."""
    key, number = re.sub(r"\[\d+\]$", "", where).rpartition(".")[2], where.endswith("]")
    if isinstance(node, Scalar) and (node.secret or node.is_null):
        return ""
    if where.count(".") == 1 and where.startswith("services.") and not number:
        return _service(key, node)
    reader = _VALUES.get(f"{key}[]" if number else key)
    return reader(node) if reader else ""


def _service(name: str, node: Node) -> str:
    """A service that is only its command, as in a Procfile."""
    if isinstance(node, Scalar):
        if glued := re.fullmatch(r"([a-z_]+):(?=\S)(?!//)(.+)", node.written, re.DOTALL):
            return f"put a space behind the colon: `{glued[1]}: {command_of(glued[2])}`"
        return f"write `{name}: {{command: {in_braces(command_of(node.written))}}}`"
    if isinstance(node, Sequence) and not any(isinstance(item, MappingNode) for item in node.items):
        return f"write `{name}: {{command: {flow_list(masked_words([text_of(item) for item in node.items]))}}}`"
    return ""


def _restart(node: Node) -> str:
    lines = restart_of(text_of(node)) or policy_of(node)
    return joined(lines) if lines else ""


def _account(node: Node) -> str:
    user, colon, group = text_of(node).partition(":")
    if text_of(node).startswith("$"):
        return "leave it out: a service runs as the one who runs portsup"
    names = [f"{key}: {name}" for key, name in (("user", user), ("group", group)) if re.fullmatch(r"[\w.-]+", name)]
    return joined(names) if colon and names else ""


def _pool(node: Node) -> str:
    if len(several := re.findall(r"[^\s,;]+", text_of(node))) > 1 and all(map(_PORTS.fullmatch, several)):
        return f"write `[{', '.join(several)}]`"
    if isinstance(node, Scalar) and not re.search(r"[:/$A-Za-z]", node.written):
        return ""
    if (pair := re.fullmatch(r"(\d{1,5}):(\d{1,5})", text_of(node))) and 0 < int(pair[2]) - int(pair[1]) <= MOST:
        return ""  # a range
    if re.match(r"[$A-Za-z]", text_of(node)):
        return "write the ports that it may have, such as `8000-8002`"
    found = ports_of(text_of(node) or text_of(at(node, "published")))
    return f"write `{pool_of(found)}`: there is no container, the program itself listens on `{{port}}`" if found else ""


_PORTS = re.compile(r"\d{1,5}(?:[-:]\d{1,5})?", re.ASCII)


def _names(node: Node) -> str:
    if isinstance(node, Scalar) and (
        pair := re.fullmatch(r"([\w.-]+):\s*(started|listening|ready|healthy)", node.written)
    ):
        return f"write `{{{pair[1]}: {pair[2].replace('healthy', 'ready')}}}`"
    if isinstance(node, Scalar):
        found = [name for name in re.split(r"[\s,]+", node.written) if re.fullmatch(r"[\w.-]+", name)]
        return f"write `[{', '.join(found)}]`" if len(found) > 1 else ""
    return ""


def _depends_item(node: Node) -> str:
    if isinstance(node, MappingNode) and len(node.entries) == 1:
        name, inner = node.entries[0].key.text, node.entries[0].value
        word = text_of(inner) or text_of(at(inner, "condition"))
        known = {"started": "started", "healthy": "ready", "ready": "ready", "successfully": "completed_ok"}
        meant = known.get(word.rpartition("_")[2], "completed" if word.endswith("completed") else "ready")
        return f"write `depends_on: {{{name}: {meant}}}`"
    return ""


def _variable(node: Node) -> str:
    name = text_of(at(node, "name")) or text_of(at(node, "key"))
    if name and at(node, "value") is not None:  # as Kubernetes has it, or Render
        return f"write `- {name}={HIDDEN if is_secret_name(name) else text_of(at(node, 'value'))}`"
    if re.fullmatch(r"[A-Za-z_]\w*", name):  # from elsewhere, as with `valueFrom`
        return f"write `- {name}=${{{name}}}`, and set it in `.env`"
    if isinstance(node, MappingNode) and len(node.entries) == 1:
        name, value = node.entries[0].key.text, text_of(node.entries[0].value)
        return f"write `- {name}={HIDDEN if is_secret_name(name) else value}`"
    if isinstance(node, Scalar) and (
        found := re.fullmatch(r"(?:export\s+)?([A-Za-z_]\w*)\s*[=:]\s*(.*)", node.written)
    ):
        return f"write `- {found[1]}={HIDDEN if is_secret_name(found[1]) else found[2]}`"
    return ""


def _exposed(node: Node) -> str:
    """`expose` of compose, which names ports."""
    first = node.items[0] if isinstance(node, Sequence) and node.items else node
    found = ports_of(text_of(first))
    return f"write `pool: {pool_of(found)}` instead of `expose:`" if found else ""


def _moments(key: str, node: Node) -> str:
    """A schedule in words, or as a distance."""
    text = text_of(node).strip().lower().removeprefix("every ").strip()
    if found := _MOMENTS.get(text):
        return f'write `{key}: "{found}"`'
    span = re.fullmatch(r"([1-9]\d?)\s*(m|min|minutes?|h|hours?)", text)
    if not span:
        return ""
    fields, whole = ("*/{} * * * *", 60) if span[2][0] == "m" else ("0 */{} * * *", 24)
    return "" if whole % int(span[1]) else f'write `{key}: "{fields.format(span[1])}"`'


def _limit(node: Node) -> str:
    found = text_of(at(node, "soft")) or text_of(at(node, "hard"))
    return f"write `{found}`" if found else ""


def _bytes(node: Node) -> str:
    return f"write `{text_of(node)}MB`" if re.fullmatch(r"[1-9]\d{0,5}", text_of(node)) else ""


def _signal(node: Node) -> str:
    is_key = re.fullmatch(r"<?\^?(?:ctrl|control|c)?[+_ -]?c(?:_event)?>?|interrupt|sigint\w+", text_of(node).lower())
    return "write `SIGINT`" if is_key else ""


def _tcp(node: Node) -> str:
    return "write `tcp: true`: the port that the service got is asked" if re.search(r"\d", text_of(node)) else ""


def _services(node: Node) -> str:
    text = text_of(node)
    return f"write `services: {{NAME: {{command: {in_braces(command_of(text))}}}}}`" if text else ""


def _umask(node: Node) -> str:
    text = text_of(node)
    return f'write `"{text.zfill(3)}"`' if re.fullmatch(r"[0-7]{1,2}", text) else ""


def _bind(node: Node) -> str:
    is_address = re.search(r"[\d:]|localhost", text_of(node))
    return "leave it out: the program chooses its address, by `{host}` or options of its own" if is_address else ""


def _environment(node: Node) -> str:
    shown = environment_text(text_of(node)) if isinstance(node, Scalar) else ""
    return f"write `{shown}`" if shown else ""


def _start(node: Node) -> str:
    """A command under the name of a key that says when a service starts."""
    text = text_of(node)
    return f"write `command: {command_of(text)}`" if re.search(r"[\s/.]", text) else ""


def _codes(node: Node) -> str:
    found = re.findall(r"\d+", text_of(node))
    return f"write `[{', '.join(found)}]`" if found else ""


_MOMENTS = {
    **dict.fromkeys(("minutely", "minute"), "* * * * *"),
    **dict.fromkeys(("hourly", "hour"), "0 * * * *"),
    **dict.fromkeys(("daily", "day", "midnight", "nightly"), "0 0 * * *"),
    **dict.fromkeys(("weekly", "week"), "0 0 * * 0"),
    **dict.fromkeys(("monthly", "month"), "0 0 1 * *"),
    **dict.fromkeys(("yearly", "annually", "year"), "0 0 1 1 *"),
}
_VALUES: dict[str, Callable[[Node], str]] = {
    "restart": _restart,
    "restart_policy": _restart,
    "user": _account,
    "group": _account,
    "pool": _pool,
    "pool[]": _pool,
    "ready": partial(probe_of, "ready"),
    "healthcheck": partial(probe_of, "healthcheck"),
    "depends_on": _names,
    "depends_on[]": _depends_item,
    "profiles": _names,
    "environment": _environment,
    "environment[]": _variable,
    "success_exit_codes": _codes,
    **dict.fromkeys(("nofile", "nproc", "core", "stack", "memlock", "file_size"), _limit),
    "umask": _umask,
    "memory_limit": _bytes,
    "stop_signal": _signal,
    "signal": _signal,
    "tcp": _tcp,
    "services": _services,
    "replicas": lambda node: "write a number, such as 2" if re.match("[a-z]", text_of(node)) else "",
    "bind": _bind,
    "start": _start,
    "expose": _exposed,
    "schedule": partial(_moments, "schedule"),
    "cron": partial(_moments, "cron"),
}
