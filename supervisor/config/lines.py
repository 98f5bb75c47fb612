"""A command that is one text, perhaps of several lines: as a shell would read it, up to what needs one."""

import re
from collections.abc import Iterator

from supervisor.config.values import LONGEST_COMMAND, Bad
from supervisor.dataclass import dataclass

_CONTINUED = re.compile(r"\\\r?\n")
_BLANKS = re.compile(r"\\[ \t]+\r?\n")
_FOLLOWS = re.compile(r"[ \t]|-")  # a line of a shell's: more arguments, as nobody writes a command of its own


def words(text: str) -> tuple[str, ...]:
    """A command line split like a shell would, without a shell; raises Bad, where it can with the offset."""
    from shlex import split  # most commands are lists

    if len(text) > LONGEST_COMMAND:
        raise Bad(f"is longer than {LONGEST_COMMAND} characters")
    try:
        return tuple(split(joined(text)))
    except ValueError as error:
        if isinstance(error, Bad):
            raise
        raise Bad(
            f"cannot be split into words: {str(error).lower()}", "close the quotes, or write the command as a list"
        ) from error


def joined(text: str) -> str:
    """`text` without the line ends that a `\\` stands before, which mean nothing but in single quotes.

    Raises Bad where that is not what was meant, or a quotation does not end.
    """
    if "\n" not in text:
        return text
    found: list[str] = []
    for token in _tokens(text):
        if token.kind == "continued":
            continue
        if token.kind == "escaped" and _BLANKS.match(text, token.at):
            raise Bad("has a `\\` that blanks follow, so the line ends there", "remove the blanks behind it", token.at)
        if token.kind == "open":
            hint = f"close the quotation that {text[token.at]} begins, or write the command as a list"
            raise Bad("cannot be split into words: no closing quotation", hint, token.at)
        found.append(text[token.at : token.end])
    return "".join(found)


def without_continuations(text: str) -> str:
    """The same characters at the same offsets, with blanks for `\\` and the line end that it stands before."""
    return _CONTINUED.sub(lambda found: " " * len(found[0]), text)


def stray_line(text: str) -> tuple[int, str, str] | None:
    """The first line that is no part of the command that the first one begins: its offset, a reason, and a hint."""
    if "\n" not in text:
        return None
    starts = [0, *(token.end for token in _tokens(text) if token.kind == "end")]
    for start in starts:
        line = text[start:].split("\n", 1)[0]
        bare = line.strip()
        offset = start + len(line) - len(line.lstrip())
        if re.match(r"#(?![^\s#!])", bare):
            return offset, "has a comment in it", "put the comment above the key"
        if bare and text[:start].strip() and not _FOLLOWS.match(line):
            first = bare.split(None, 1)[0][:40]
            hint = "end the line before it with `\\`, or run both in a shell: `[sh, -c, …]`"
            return offset, f"has a second command, which `{first}` begins", hint
    return None


def indent_of(text: str, lines: list[str]) -> int | None:
    """By how many columns the lines of a block, which are the first of `lines`, stand further right than it says."""
    for said, stands in zip(text.split("\n"), lines, strict=False):
        if said.strip():
            return len(stands.rstrip("\r")) - len(said)
    return None


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # continued, escaped, quoted, end (of a line), open (a quotation without an end), text
    at: int
    end: int


def _tokens(text: str) -> Iterator[_Token]:
    """The text in pieces, with what a shell makes of quotes, `\\` and line ends."""
    at, quote, opened = 0, "", 0
    while at < len(text):
        if quote != "'" and (found := _CONTINUED.match(text, at)):
            yield _Token("continued", at, found.end())
            at = found.end()
            continue
        char, end = text[at], at + 1
        kind = "quoted" if quote else "end" if char == "\n" else "text"
        if char == "\\" and quote != "'":
            kind, end = ("quoted" if quote else "escaped"), min(at + 2, len(text))
        elif char in "'\"" and quote in ("", char):
            quote, opened = ("" if quote else char), at
        yield _Token(kind, at, end)
        at = end
    if quote:
        yield _Token("open", opened, opened)
