"""Puts our server into the configuration of a client, and leaves every other byte of the file as it is.  Pure.

These files belong to people: they have comments and commas of their own, an order, and numbers that would not come out
of a parser as they went in.  So our entry is written into the text at its place.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

NAME = "portsup"
_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n\ufeff"


class Client(NamedTuple):
    """A client, where below the project it looks, and under which key it has its servers."""

    title: str
    file: str
    key: str


CLIENTS = {
    "claude-code": Client("Claude Code", ".mcp.json", "mcpServers"),
    "cursor": Client("Cursor", ".cursor/mcp.json", "mcpServers"),
    "vscode": Client("VS Code", ".vscode/mcp.json", "servers"),
    "mcp.json": Client("a client that reads .mcp.json", ".mcp.json", "mcpServers"),
}


class Unreadable(ValueError):
    """The text is no JSON object, with or without comments, that an entry could be put into."""


class Different(ValueError):
    """There is another entry of our name."""


def entered(text: str, key: str, entry: dict[str, Any], *, replace: bool = False) -> str:
    """The text with our entry among the servers below `key`; the same text where it is there already.

    Raises Unreadable, and Different for another entry of our name unless it may be replaced.
    """
    if not text.strip(_BLANK):
        return json.dumps({key: {NAME: entry}}, indent=2) + "\n"
    top = _skip(text, 0)
    members = {each.key: each for each in _members(text, top)}
    _check_end(text, top)
    if key not in members:
        return _inserted(text, top, key, {NAME: entry}, depth=1)
    servers = members[key].start
    if text[servers] != "{":
        raise Unreadable(f"`{key}` is no object")
    ours = next((each for each in _members(text, servers) if each.key == NAME), None)
    if ours is None:
        return _inserted(text, servers, NAME, entry, depth=2)
    try:
        if json.loads(text[ours.start : ours.end]) == entry:
            return text
    except (ValueError, RecursionError):  # with comments, for example
        pass
    if not replace:
        raise Different
    indent = _indent_of(text)
    return text[: ours.start] + _dumped(entry, indent, depth=2) + text[ours.end :]


class _Member(NamedTuple):
    key: str
    start: int  # of its value
    end: int


def _inserted(text: str, at: int, key: str, value: dict[str, Any], *, depth: int) -> str:
    """The text with a member more in the object that begins at `at`, before all others."""
    indent = _indent_of(text)
    is_empty = next(_members(text, at), None) is None
    margin = "\n" + indent * depth
    member = f"{margin}{json.dumps(key)}: {_dumped(value, indent, depth=depth)}"
    rest = text[at + 1 :]
    if is_empty:
        rest = ("\n" + indent * (depth - 1) + rest.lstrip(_BLANK)) if rest.lstrip(_BLANK).startswith("}") else rest
    return text[: at + 1] + member + ("" if is_empty else ",") + rest


def _dumped(value: dict[str, Any], indent: str, *, depth: int) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False).replace("\n", "\n" + indent * depth)


def _indent_of(text: str) -> str:
    """How the text indents; two blanks where it does not."""
    for line in text.splitlines()[1:]:
        if (rest := line.lstrip(" \t")) and rest[0] == '"' and rest != line:
            return line[: len(line) - len(rest)]
    return "  "


def _skip(text: str, at: int) -> int:
    """Where something stands that is no blank and no comment."""
    while at < len(text):
        if text[at] in _BLANK:
            at += 1
        elif text.startswith("//", at):
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif text.startswith("/*", at):
            end = text.find("*/", at + 2)
            if end < 0:
                raise Unreadable("a comment does not end")
            at = end + 2
        else:
            return at
    raise Unreadable("it ends too early")


def _members(text: str, at: int) -> Iterator[_Member]:
    """The members of the object that begins at `at`."""
    if text[at] != "{":
        raise Unreadable("it is no object")
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = _string(text, at)
        at = _skip(text, at)
        if text[at] != ":":
            raise Unreadable(f"`{key}` has no value")
        start = _skip(text, at + 1)
        end = _end_of(text, start)
        yield _Member(key, start, end)
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)  # also where nothing comes behind it, as some clients allow
        elif text[at] != "}":
            raise Unreadable(f"no comma behind `{key}`")


def _string(text: str, at: int) -> tuple[str, int]:
    if text[at] != '"':
        raise Unreadable("a key is no string")
    try:
        value, end = _DECODER.raw_decode(text, at)
    except ValueError as error:
        raise Unreadable(str(error)) from None
    return str(value), end


def _end_of(text: str, at: int) -> int:
    """Where the value ends that begins at `at`."""
    depth = 0
    while True:
        at = _skip(text, at)
        sign = text[at]
        if sign == '"':
            _, at = _string(text, at)
        elif sign in "{[":
            depth += 1
            at += 1
        elif sign in "}]":
            depth -= 1
            at += 1
        elif sign in ",:" and depth:
            at += 1
            continue
        else:
            begin = at
            while at < len(text) and text[at] not in ',:}]{["/' + _BLANK:
                at += 1
            if at == begin:
                raise Unreadable(f"`{sign}` stands where a value should")
        if depth < 0:
            raise Unreadable("a bracket is missing")
        if depth == 0:
            return at


def _check_end(text: str, top: int) -> None:
    """Raises Unreadable where something follows the object that begins at `top`."""
    try:
        _skip(text, _end_of(text, top))
    except Unreadable as error:
        if str(error) == "it ends too early":
            return
        raise
    raise Unreadable("something stands behind the object")
