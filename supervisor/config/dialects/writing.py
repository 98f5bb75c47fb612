"""How a hint writes a key of ours for a value of another supervisor."""

import re
from collections.abc import Callable, Mapping

from supervisor.config import values
from supervisor.config.rewriting import block, flow
from supervisor.config.secrets import masked_words
from supervisor.config.tree import FALSE, Node, Scalar, Sequence
from supervisor.config.tree import Mapping as MappingNode
from supervisor.dataclass import dataclass

LONGEST = 120  # characters of a value that is repeated
_SAFE = re.compile(r"[A-Za-z0-9_./+=-][A-Za-z0-9_./+=@%:-]*(?<!:)")


@dataclass(frozen=True, slots=True)
class Beside:
    """The key that is asked about, and all of the mapping that it stands in, by folded name."""

    key: str
    values: Mapping[str, Node]


Say = Callable[[Node, Beside], str]


def text_of(node: Node | None) -> str:
    """What a single value says; empty for anything else."""
    return node.written if isinstance(node, Scalar) and not node.is_null else ""


def at(node: Node | None, *path: str) -> Node | None:
    """What a mapping has below these keys."""
    for name in path:
        entries = node.entries if isinstance(node, MappingNode) else ()
        node = next((each.value for each in entries if each.key.text.lower().replace("_", "") == name), None)
    return node


def yaml(node: Node) -> str:
    """A value on one line of YAML."""
    match node:
        case Scalar():
            is_plain = not node.quoted and _SAFE.fullmatch(node.written)
            return node.written if is_plain or node.is_null else flow(node.written)
        case Sequence():
            return f"[{', '.join(yaml(item) for item in node.items)}]"
        case MappingNode():
            return f"{{{', '.join(f'{each.key.text}: {yaml(each.value)}' for each in node)}}}"


def pair(key: str, node: Node) -> str:
    """`key: value` as it can be written; with `…` for a value that is long, or may have secrets."""
    if isinstance(node, Scalar):
        text = node.written
        value = yaml(node) if node.quoted or len(text.split()) < 2 else block(text)
        value = "…" if node.secret or len(value) > LONGEST or "\n" in text else masked_words((value,))[0]
    elif isinstance(node, Sequence) and not any(isinstance(item, MappingNode) for item in node.items):
        words = [text_of(item) for item in node.items]
        value = "…" if masked_words(words) != words or any("=" in word for word in words) else yaml(node)
    else:
        value = "…"
    return f"{key}: {value if len(value) <= LONGEST else '…'}"


def renamed(key: str) -> Say:
    """The value is right under this key."""

    def say(node: Node, beside: Beside) -> str:
        text = pair(key, node)
        return in_place_of(key, beside.key) if text.endswith("…") else f"write `{text}`"

    return say


def in_place_of(key: str, theirs: str) -> str:
    """Another name for the same value."""
    return f"write `{key}:` instead of `{theirs}:`"


def inside(outer: str, key: str) -> Say:
    """The value is right under a key of a mapping, which may be there already."""

    def say(node: Node, beside: Beside) -> str:
        return within(outer, pair(key, node), beside)

    return say


def within(outer: str, text: str, beside: Beside) -> str:
    """`text` as a line of the mapping `outer`, which may be there already."""
    if not outer:
        return f"write `{text}`"
    if outer == "healthcheck" and outer not in beside.values and text.partition(":")[0] not in ("http", "tcp", "exec"):
        has_port = any(key in beside.values for key in ("pool", "ports", "port"))
        return f"write `healthcheck: {{tcp: true, {text}}}`" if has_port else "leave it out: there is no `healthcheck`"
    has_it = isinstance(beside.values.get(outer.replace("_", "")), MappingNode)
    return f"write `{text}` in `{outer}`" if has_it else f"write `{outer}: {{{text}}}`"


def span(outer: str, key: str) -> Say:
    """A number of seconds, or a time with a unit."""

    def say(node: Node, beside: Beside) -> str:
        text = text_of(node)
        seconds = f"{text}s" if re.fullmatch(r"\d+(\.\d+)?", text) else values.tidy_duration(text) or text
        return within(outer, f"{key}: {seconds or '10s'}", beside)

    return say


def milliseconds(outer: str, key: str) -> Say:
    """A number of milliseconds, or a time with a unit."""

    def say(node: Node, beside: Beside) -> str:
        text = text_of(node)
        shown = f"{float(text) / 1000:g}s" if re.fullmatch(r"\d+(\.\d+)?", text) else values.tidy_duration(text) or text
        return within(outer, f"{key}: {shown or '10s'}", beside)

    return say


def when_true(text: str) -> Say:
    """A switch: written like this where it is on, and left out where it is off."""
    return lambda node, _: "leave it out" if text_of(node) in FALSE else f"write `{text}`"


def unless_true(text: str) -> Say:
    """A switch that is on here: written like this where it is off."""
    return lambda node, _: f"write `{text}`" if text_of(node) in FALSE else "leave it out: that is what portsup does"


def opposite(key: str) -> Say:
    """A switch that says the opposite of ours."""
    return lambda node, _: f"write `{key}: {'true' if text_of(node) in FALSE else 'false'}`"


def listed(key: str) -> Say:
    """One name where ours is a list of them."""
    return lambda node, _: f"write `{key}: [{text_of(node) or 'NAME'}]`"
