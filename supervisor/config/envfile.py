"""Reads the text of a `.env` file: KEY=VALUE lines, as compose and most tools write them."""

import re

from supervisor.dataclass import dataclass

_SKIPPED = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|$)")
_KEY = re.compile(r"[ \t]*(?:export[ \t]+)?([^\s=#'\"]+)[ \t]*=[ \t]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
_DOUBLE = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_SINGLE = re.compile(r"'([^']*)'")
_PLAIN = re.compile(r"[^\n]*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$"}


@dataclass(frozen=True, slots=True)
class Variable:
    """One line that sets something; `line` counts from 1."""

    name: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One line that cannot be read; `reason` never has its content, which may be a secret."""

    line: int
    reason: str


def parse(text: str) -> tuple[tuple[Variable, ...], tuple[Fault, ...]]:
    """The variables of a file in order, and the lines that make no sense.

    Values may be in single quotes (taken literally) or double quotes (with backslash escapes), over several lines;
    an unquoted value ends before ` #`.
    """
    text = text.replace("\r\n", "\n")
    variables: list[Variable] = []
    faults: list[Fault] = []
    at, line = 0, 1
    while at < len(text):
        end = at
        if skipped := _SKIPPED.match(text, at):
            end = skipped.end()
        elif not (key := _KEY.match(text, at)):
            faults.append(Fault(line, "expected KEY=VALUE"))
        elif not _NAME.fullmatch(key[1]):
            faults.append(Fault(line, "the name before `=` is not that of a variable"))
        else:
            value, end, reason = _value(text, key.end())
            if reason:
                faults.append(Fault(line, reason))
            else:
                variables.append(Variable(key[1], value, line))
        if end == at or text[end - 1] != "\n":
            end = text.find("\n", end) + 1 or len(text)
        line += text.count("\n", at, end)
        at = end
    return tuple(variables), tuple(faults)


def _value(text: str, at: int) -> tuple[str, int, str]:
    """The value that begins at `at`, the offset behind it, and what is wrong with it."""
    quote = text[at : at + 1]
    if quote not in ("'", '"') or not quote:
        found = _PLAIN.match(text, at)
        assert found
        return re.split(r"(?:^|\s)#", found[0], maxsplit=1)[0].strip(), found.end(), ""
    found = (_SINGLE if quote == "'" else _DOUBLE).match(text, at)
    if not found:
        return "", at, "the quotes are not closed"
    if not _SKIPPED.match(text, found.end()):
        return "", found.end(), "there is text after the closing quotes"
    if quote == "'":
        return found[1], found.end(), ""
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), found[1], flags=re.DOTALL), found.end(), ""
