"""Writes a services.yaml with comments, so that reading it back gives exactly what was meant."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from supervisor.config import interpolate, placeholders
from supervisor.config.foreign import to_yaml
from supervisor.config.report import printable
from supervisor.config.rewriting import literal
from supervisor.config.shell import syntax_among
from supervisor.config.tree import OLD_BOOLEANS, UNKNOWN, Scalar
from supervisor.convert.draft import Draft, Filled, Left
from supervisor.errors import PortsupError

WIDTH = 100
LONGEST_BLOCK = 40  # lines that show what stood in the source
ORDER = (
    "description", "command", "pool", "port_env", "environment", "env_file", "working_dir", "stdin", "depends_on",
    "ready", "healthcheck", "restart", "success_exit_codes", "on_end", "restart_policy", "hooks", "stop_command",
    "stop_signal", "stop_grace_period",
)  # fmt: skip
WITH_PLACEHOLDERS = ("command", "environment", "hooks", "stop_command", "ready", "healthcheck")
# Characters that mean nothing to YAML wherever they stand, with a start that does not either.
_BYTES = re.compile(r"[\udc80-\udcff]")  # what os.fsdecode makes of bytes that are no UTF-8
_PLAIN = re.compile(r"(?:[A-Za-z0-9_./]|-(?=[A-Za-z0-9-]))(?:[A-Za-z0-9_./@%+=~-]|:(?=[A-Za-z0-9/_.-]))*", re.ASCII)
_LIKE_OTHERS = re.compile(rf"[-+.]*\d[\d.,:_eE+-]*$|---|\.\.\.|=|(?i:{'|'.join(OLD_BOOLEANS)}|y|n)$", re.ASCII)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def document(
    head: Iterable[str],
    name: str,
    services: Iterable[Draft],
    foot: Iterable[str | Left] = (),
    absent: Iterable[Draft] = (),
) -> str:
    """The text of a services.yaml; `head` and `foot` are comments, and so are the services that are `absent`."""
    lines = [line for text in head for line in comment(text, "")]
    if name:
        lines += ["", f"name: {scalar(name)}"]
    lines += ["", "services:"]
    for number, service in enumerate(services):
        lines += ([""] if number else []) + list(_service(service))
    if foot := list(foot):
        lines += ["", *(line for text in foot for line in _left(text, "", "Not carried over: "))]
    for service in absent:
        lines += ["", *(f"# {line.removeprefix('  ')}".rstrip() for line in _service(service))]
    return "\n".join(lines) + "\n"


def comment(text: str, indent: str) -> Iterator[str]:
    """`text` as comment lines; what moves a terminal or ends a line in it is spelled out."""
    shown = printable(text)
    wrapped = textwrap.wrap(shown, WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False)
    yield from (f"{indent}# {line}" for line in wrapped or [""])


def _left(left: str | Left, indent: str, before: str) -> Iterator[str]:
    """What is left out and why, and below it how it stood there."""
    yield from comment(f"{before}{left}", indent)
    if isinstance(left, Left) and left.source is not None:
        lines = to_yaml(left.source, WIDTH).splitlines()
        kept = lines if len(lines) <= LONGEST_BLOCK else [*lines[:LONGEST_BLOCK], "…"]
        yield from (f"{indent}#   {printable(line)}" for line in kept)


def _service(service: Draft) -> Iterator[str]:
    yield f"  {scalar(service.name)}:"
    for note in service.notes:
        yield from comment(note, "    ")
    for left in service.left:
        yield from _left(left, "    ", "not carried over: ")
    known = [key for key in ORDER if key in service.fields]
    for key in [*known, *(key for key in service.fields if key not in ORDER)]:
        value = service.fields[key]
        if value not in ({}, [], None):
            yield from _entry(key, value)


def _entry(key: str, value: Any) -> Iterator[str]:
    fills = key in WITH_PLACEHOLDERS
    if key == "hooks" and any(_is_script(each) for each in value.values()):
        yield f"    {key}:"
        for name, hook in value.items():
            yield from _script(name, hook) if _is_script(hook) else [f"      {name}: {flow(hook, fills)}"]
        return
    shown = flow(value, fills)
    line = f"    {key}: {shown}"
    if len(line) <= WIDTH or shown[:1] not in ("[", "{"):
        yield line
        return
    yield f"    {key}:"
    if isinstance(value, dict):
        yield from (f"      {scalar(name)}: {flow(item, fills)}" for name, item in value.items())
    else:
        yield from (f"      - {flow(item, fills)}" for item in value)


def _is_script(hook: Any) -> bool:
    """Whether a hook is a mapping whose command is a script of several lines."""
    text = hook["command"][-1] if isinstance(hook, dict) and isinstance(hook.get("command"), list) else ""
    lines = text.split("\n")
    return (
        len(lines) > 2 and lines[-1] == "" and lines[0][:1].isalpha() and text.isascii() and text.strip() == text[:-1]
    )


def _script(name: str, hook: Mapping[str, Any]) -> Iterator[str]:
    """A hook with its script as it stands, not between quotes."""
    *words, text = hook["command"]
    yield f"      {name}:"
    yield from (f"        {key}: {flow(item)}" for key, item in hook.items() if key != "command")
    yield "        command:"
    yield from (f"          - {flow(word, fills=True)}" for word in words)
    yield "          - |"
    literally = placeholders.literally(re.sub(r"\$(?=[{$])", "$$", text))
    yield from (f"            {line}".rstrip() for line in literally[:-1].split("\n"))


def flow(value: Any, fills: bool = False) -> str:
    """A value on one line; with `fills`, placeholders are filled in at this place and have to be escaped."""
    match value:
        case dict():
            inner = (f"{scalar(name)}: {flow(item, fills)}".rstrip() for name, item in value.items())
            return f"{{{', '.join(inner)}}}"
        case list():
            if fills and all(isinstance(item, str) for item in value) and syntax_among(value, value) is not None:
                return scalar(literal([_written(item) for item in value]))  # quotes say that it is meant like that
            return f"[{', '.join(flow(item, fills) for item in value)}]"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case None:
            return "null"
        case Filled():
            return scalar(value)
        case _:
            text = interpolate.literally(str(value))
            return scalar(placeholders.literally(text) if fills else text)


def _written(word: str) -> str:
    return word if isinstance(word, Filled) else placeholders.literally(interpolate.literally(word))


def scalar(text: str) -> str:
    """A text that every reader of YAML takes for this text: plain where that is safe, else in double quotes.

    Raises PortsupError for the name of a file that is no text: YAML has none of its bytes.
    """
    if _BYTES.search(text):
        why = f"it would have to name `{printable(text)}`, which is not UTF-8"
        raise PortsupError("cannot write a services.yaml", why, "rename that file or directory")
    text = text.encode("utf-8", "replace").decode().replace("\0", "")
    if _PLAIN.fullmatch(text) and Scalar(UNKNOWN, text).is_text and not _LIKE_OTHERS.match(text):
        return text
    return f'"{"".join(_character(char) for char in text)}"'


def _character(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
