"""Ports, programs and checks of other supervisors as a pool and a command of ours."""

import re
import shlex

from supervisor.config.dialects.writing import Beside, Say, at, text_of, within, yaml
from supervisor.config.rewriting import block, flow, flow_list, in_shell
from supervisor.config.secrets import masked_words
from supervisor.config.shell import syntax_in
from supervisor.config.tree import FALSE, TRUE, Node, Sequence

_IMAGES = {
    "redis": '[redis-server, --port, "{port}"]', "valkey": '[valkey-server, --port, "{port}"]',
    "postgres": '[postgres, -D, ./data, -p, "{port}"]', "memcached": '[memcached, -p, "{port}"]',
    "mysql": '[mysqld, "--port={port}"]', "mariadb": '[mariadbd, "--port={port}"]',
    "mongo": '[mongod, --port, "{port}"]', "nginx": "[nginx, -g, \"daemon off;\"]",
    "rabbitmq": "[rabbitmq-server]", "caddy": "[caddy, run]",
}  # fmt: skip


_FIRST = ("start", "from", "first", "min", "begin", "low", "base")
_LAST = ("end", "to", "last", "max", "stop", "high")


def hook(name: str) -> Say:
    """A command at one point of the service's life."""
    return lambda node, beside: within("hooks", f"{name}: {command_of(text_of(node))}", beside)


def command_of(text: str) -> str:
    """A command line of a program that gives it to a shell, or to none, as ours."""
    text = text.strip().lstrip("@+!:-")  # the marks of systemd
    if syntax_in(text) is not None:
        return masked_words((in_shell(text, "x").partition(": ")[2],))[0]
    return masked_words((block(text),))[0]


def image(node: Node, beside: Beside) -> str:
    """A program in the place of an image."""
    name = text_of(node).rpartition("/")[2].partition(":")[0].partition("@")[0]
    if any(key in beside.values for key in ("command", "cmd", "entrypoint", "script")):
        return "leave it out: portsup runs no images; `command` names a program that is installed here"
    known = _IMAGES.get(name, "[PROGRAM, ARGUMENT]")
    return f"portsup runs programs, not images: install it, and write `command: {known}`"


def build(node: Node, beside: Beside) -> str:
    """The program in the folder that the image would be built of."""
    folder = text_of(node) or text_of(at(node, "context"))
    place = f" and `working_dir: {block(folder)}`" if folder not in ("", ".", "./") else ""
    if "command" in beside.values or "entrypoint" in beside.values:
        return f"leave it out: portsup builds no images{'; write' + place[4:] if place else ''}"
    return f"portsup builds no images: write the program as `command: [PROGRAM, ARGUMENT]`{place}"


def program(node: Node, beside: Beside) -> str:
    """The words of `script`, `args`, `interpreter`, `entrypoint` and the like as one command."""
    if beside.key.lower() == "shell" and text_of(node).lower() in (*TRUE, *FALSE):
        return 'leave it out: a command that needs a shell names it: `command: [sh, -c, "…"]`'
    beside = Beside(beside.key, {key: each for key, each in beside.values.items() if not _is_switch(key, each)})
    order = (
        "interpreter", "entrypoint", "program", "script", "exec", "execstart", "cmd", "cmds", "shell", "run", "command",
        "programarguments", "startcommand", "startcmd", "servecmd", "servecommand", "runcommand",
    )  # fmt: skip
    parts = [beside.values[key] for key in (*order, "args", "arguments") if key in beside.values]
    if len(parts) == 1 and isinstance(node, Sequence):
        words = [text_of(item) for item in node.items]
        if beside.key.lower() == "cmds":  # each is a line for a shell
            return f"write `command: {command_of(' && '.join(words))}`"
        return f"write `command: {flow_list(masked_words(words))}`"
    if len(parts) == 1:
        text = text_of(node)
        runner = {
            "js": "node",
            "mjs": "node",
            "cjs": "node",
            "py": "python3",
            "rb": "ruby",
            "sh": "sh",
            "ts": "npx tsx",
        }
        is_script = beside.key == "script" and re.fullmatch(r"[\w./-]+\.(\w+)", text)
        if is_script and text.rpartition(".")[2] in runner:
            text = f"{runner[text.rpartition('.')[2]]} {text}"
        return f"write `command: {command_of(text)}`"
    words = []
    for part in parts:
        if isinstance(part, Sequence):
            words += [text_of(item) for item in part.items]
        else:
            words += _split(text_of(part))
    script = text_of(beside.values.get("script"))
    if script.endswith(".js") and "interpreter" not in beside.values:
        words.insert(0, "node")
    first = next((key for key in beside.values if beside.values[key] is node), "")
    if first in ("args", "arguments", "interpreter") or "command" in beside.values:
        return f"leave it out, and write `command: {flow_list(masked_words(words))}`"
    return f"write `command: {flow_list(masked_words(words))}`"


def nice(node: Node, beside: Beside) -> str:
    """A priority of the processor, by the program that gives it."""
    return f"leave it out, and begin `command` with `nice -n {text_of(node) or '5'}`"


def config(node: Node, beside: Beside) -> str:
    """`config` of Nomad: the program, and its words."""
    words = _split(text_of(at(node, "command")))
    if not words:
        return "leave it out: a program reads its own configuration"
    args = at(node, "args")
    words += [text_of(item) for item in args.items] if isinstance(args, Sequence) else []
    return f"write `command: {flow_list(masked_words(words))}`"


def network(node: Node, beside: Beside) -> str:
    """`network` of Nomad: its ports."""
    found = [int(number) for number in re.findall(r"\b[1-9]\d{1,4}\b", yaml(node)) if int(number) < 65536]
    if found:
        return f"write `pool: {pool_of(found[:1])}`; the program gets its port in `PORT`, or as `{{port}}` in `command`"
    return "leave it out: programs use the network of this machine"


def _is_switch(key: str, node: Node) -> bool:
    return key == "shell" and text_of(node).lower() in (*TRUE, *FALSE)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def test_words(node: Node) -> str:
    """A check of compose as the command of `exec`."""
    if isinstance(node, Sequence):
        words = [text_of(item) for item in node.items]
        if words[:1] == ["CMD-SHELL"]:
            return in_shell(" ".join(words[1:]), "x").partition(": ")[2]
        return flow_list(masked_words(words[1:] if words[:1] == ["CMD"] else words))
    return command_of(text_of(node))


def test(node: Node, beside: Beside) -> str:
    """`test` of compose, in a healthcheck or, by a slip, in the service."""
    is_none = text_of(node) == "NONE" or (isinstance(node, Sequence) and text_of(at_first(node)) == "NONE")
    if is_none:
        return "leave it out, and `healthcheck` with it"
    is_inside = "command" not in beside.values and "image" not in beside.values
    shown = f"exec: {test_words(node)}"
    return f"write `{shown}`" if is_inside else within("healthcheck", shown, beside)


def at_first(node: Sequence) -> Node | None:
    """The first item of a list."""
    return node.items[0] if node.items else None


def ports_of(text: str) -> list[int]:
    """The ports of this machine in an entry such as `127.0.0.1:8000:80/tcp`."""
    plain = text.strip().partition("/")[0]
    found = re.fullmatch(r"(?:\[?[\d.a-fA-F:]*\]?:)?(\d{1,5})(?:-(\d{1,5}))?:\d{1,5}(?:-\d{1,5})?", plain)
    found = found or re.fullmatch(r"(?:[\w.*]+:)?(\d{1,5})(?:-(\d{1,5}))?", plain)
    if not found:
        return []
    first, last = int(found[1]), int(found[2] or found[1])
    return list(range(first, last + 1)) if 0 < first <= last <= min(65535, first + 20) else []


def pool_of(ports: list[int]) -> str:
    """A pool that begins with these ports."""
    if len(ports) == 1:
        return f"{ports[0]}-{ports[0] + 2}" if ports[0] < 65533 else str(ports[0])
    if ports == list(range(ports[0], ports[0] + len(ports))):
        return f"{ports[0]}-{ports[-1]}"
    return f"[{', '.join(map(str, ports))}]"


def _number(item: Node) -> str:
    """The port in an entry of compose or Kubernetes, or the entry itself."""
    keys = ("published", "hostport", "containerport", "target", "port")
    return text_of(item) or next((text for key in keys if (text := text_of(at(item, key)))), "")


def _range(node: Node) -> str:
    """`{start: 8000, end: 8005}` as a range; empty for what is none."""
    ends = [next(filter(None, (text_of(at(node, key)) for key in keys)), "") for keys in (_FIRST, _LAST)]
    return "-".join(ends) if all(ends) else ""


def range_of(node: Node, beside: Beside) -> str:
    """A key of a mapping in the place of a pool, such as `{from: 8000, to: 8005}`, or `{ports: [8000, 8001]}`."""
    ends = [next((text for key in keys if (text := text_of(beside.values.get(key)))), "") for keys in (_FIRST, _LAST)]
    found = ports_of("-".join(ends)) if all(ends) else []
    if not found:
        items = node.items if isinstance(node, Sequence) else (node,)
        found = [port for item in items for port in ports_of(text_of(item))]
    return f"write `pool: {pool_of(found or [8000, 8001, 8002])}`; a mapping has `base:` and `size:`"


def ports(node: Node, beside: Beside) -> str:
    """The ports of a container's mapping, an address or a number as a pool."""
    items = node.items if isinstance(node, Sequence) else (node,)
    found = [port for item in items for port in ports_of(_number(item) or _range(item))]
    if "pool" in beside.values:
        return "leave it out: `pool` has the ports"
    pool = pool_of(list(dict.fromkeys(found))) if found else "8000-8002"
    return f"write `pool: {pool}`; the program gets its port in `PORT`, or as `{{port}}` in `command`"


def in_braces(value: str) -> str:
    """A value as it can stand within braces."""
    return value if value[:1] in "[\"'" else flow(value) if re.search(r"[,{}\[\]]", value) else value
