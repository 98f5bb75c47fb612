"""The text of a systemd unit: sections of keys that may be there several times, and how its commands are split."""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping

from supervisor.convert.draft import Filled
from supervisor.dataclass import dataclass, field

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "s": " ", "\\": "\\", '"': '"', "'": "'", "a": "\a", "b": "\b", "f": "\f"}
_PREFIXES = "-@:+!|"
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)\}|\$(\w+)", re.ASCII)


def sections(text: str) -> dict[str, dict[str, list[str]]]:
    """The sections of a unit; each key has the list of its values, which an empty one begins anew."""
    found: dict[str, dict[str, list[str]]] = {}
    current: dict[str, list[str]] = {}
    for line in _lines(text):
        if heading := re.fullmatch(r"\[([^\]]+)\]", line):
            current = found.setdefault(heading[1], {})
            continue
        key, equals, value = line.partition("=")
        if not equals:
            continue
        value = value.strip()
        if value:
            current.setdefault(key.strip(), []).append(value)
        else:
            current[key.strip()] = []
    return found


def _lines(text: str) -> list[str]:
    lines: list[str] = []
    pending = ""
    for line in text.splitlines():
        if line.strip().startswith(("#", ";")):
            continue
        line = pending + line
        if line.endswith("\\"):
            pending = line[:-1] + " "
            continue
        pending = ""
        if line.strip():
            lines.append(line.strip())
    return lines + ([pending.strip()] if pending.strip() else [])


@dataclass(slots=True)
class Command:
    """One command of a unit: its words, and what stands before them."""

    words: list[str]
    prefixes: str = ""
    unknown: list[str] = field(default_factory=list)  # variables whose value is not in the unit

    @property
    def may_fail(self) -> bool:
        """Whether it does not matter how it ends."""
        return "-" in self.prefixes


def separated(values: Iterable[str]) -> list[str]:
    """The command lines of a key: each value is one, or several with a `;` between them."""
    return [part.strip() for value in values for part in re.split(r"\s;(?=\s|$)", value) if part.strip()]


def split(text: str) -> list[str]:
    """The words of a value, as systemd.syntax(7) has it: quotes at the beginning of a word, and C escapes."""
    words: list[str] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        word, at = _word(text, at)
        words.append(word)
    return words


def _word(text: str, at: int) -> tuple[str, int]:
    quote, parts = "", []
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            at += 2
            if text[at - 1] == "x" and re.match(r"[0-9a-fA-F]{2}", text[at : at + 2]):
                parts.append(chr(int(text[at : at + 2], 16)))
                at += 2
            else:
                parts.append(_ESCAPES.get(text[at - 1], "\\" + text[at - 1]))
            continue
        if quote:
            if char == quote:
                quote = ""
            else:
                parts.append(char)
        elif char in "'\"":
            quote = char
        elif char.isspace():
            break
        else:
            parts.append(char)
        at += 1
    return "".join(parts), at


def command(text: str, known: Mapping[str, str], specifier: Callable[[str], str]) -> Command:
    """A command line with the variables of the unit filled in; `$A` as a word of its own is split into words."""
    found = re.match(rf"(?:(?!@[A-Za-z_]\w*@)[{re.escape(_PREFIXES)}])*", text)  # `@BINDIR@/x` is filled in before
    prefixes = found[0] if found else ""
    made = Command([], prefixes)
    words = split(text[len(prefixes) :])
    if "@" in prefixes and len(words) > 1:
        del words[1]  # what the program is told as its own name
    for at, word in enumerate(words):
        word = specifier(word)
        own = re.fullmatch(r"\$(\w+)", word, re.ASCII)
        if ":" in prefixes or at == 0:
            made.words.append(word)
        elif own and own[1] in known:
            made.words += split(known[own[1]])
        else:
            made.words.append(_filled(word, known, made.unknown))
    return made


def _filled(word: str, known: Mapping[str, str], unknown: list[str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if match[0] == "$$":
            return "$"
        if name not in known:
            unknown.append(name)
            return match[0]
        return known[name]

    return Filled(word) if isinstance(word, Filled) else _VARIABLE.sub(value, word)


def for_shell(word: str) -> str:
    """A word for a shell, in which the variables are those of systemd: not split within others."""
    if re.fullmatch(r"\$\w+", word, re.ASCII):
        return word
    if "$" in word:
        escaped = re.sub(r'(["`\\])', r"\\\1", word)
        return f'"{escaped}"'
    return shlex.quote(word)


def shown(command: Command) -> str:
    """A command for a shell that runs several."""
    text = " ".join(for_shell(word) for word in command.words)
    return f"{{ {text} || :; }}" if command.may_fail else text
