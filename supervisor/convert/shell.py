"""Command lines that other programs give to a shell: split into words where no shell is needed, else `sh -c`."""

import re
import shlex
from collections.abc import Callable, Mapping

from supervisor.config import port_killers
from supervisor.convert import own_port, references
from supervisor.convert.draft import Draft, Filled
from supervisor.convert.own_port import SHELL_PORT
from supervisor.convert.references import PORT
from supervisor.dataclass import dataclass, field

BUILTINS = frozenset((
    "!", ".", ":", "[[", "alias", "break", "case", "cd", "command", "continue", "eval", "exit", "export", "fg",
    "for", "function", "getopts", "if", "let", "local", "printf", "read", "readonly", "return", "set", "shift",
    "source", "test", "time", "times", "trap", "type", "ulimit", "umask", "unalias", "unset", "until", "wait",
    "while", "{",
))  # fmt: skip
_FIXED = re.compile(  # what in a shell would win over the port that the service is given
    r"(?P<before>(?:^|&&|;|\n)\s*(?:[A-Za-z_]\w*=[^\s;&|]*\s+)*)"
    r"(?:PORT=(?:(?P<set>[1-9]\d{1,4})|\$\{(?P<named>\w+):?-(?P<default>[1-9]\d{1,4})\})\s+|export\s+PORT=(?P<export>[1-9]\d{1,4})\s*(?:&&|;|\n)\s*)(?=[^\s&|;])",
    re.ASCII,
)
_LISTENS, _BINDS = ("|".join(map(re.escape, options)) for options in (own_port.LISTENS, own_port.BINDS))
_IN_SHELL = re.compile(
    rf"((?<![\w-])(?:--?port|{_LISTENS})[= ]|runserver (?:[\w.]+:)?|http\.server "
    rf"|(?<![\w-])(?:{_BINDS})[= ](?:tcp://)?(?:0\.0\.0\.0|127\.0\.0\.1|localhost|\*|\[::1?\])?:"
    r"|\b(?:rails s(?:erver)?|next (?:dev|start)|hugo server|jekyll serve|flask run|puma|rackup|thin start"
    r"|storybook dev|start-storybook|serve)\s(?:[^;&|\n]*\s)?-p ?)(\d{2,5})\b",
    re.ASCII,
)


@dataclass(slots=True)
class Line:
    """A command line: its words, what it sets before them, and the ports that stand in it."""

    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    ports: list[int] = field(default_factory=list)
    uses_port: bool = False
    why_shell: str = ""
    note: str = ""  # what is not as it was
    text: str = ""  # in place of the words, where the value of a variable decides how many words there are


@dataclass(frozen=True, slots=True)
class References:
    """What another program fills in before a command is looked at; `known` are the values that are known here."""

    pattern: re.Pattern[str]
    written: Callable[[re.Match[str]], str]
    known: Mapping[str, str]

    def marked(self, text: str) -> tuple[str, list[str]]:
        """`text` with the ports in it that are known, and marks for all other references."""
        return references.mark(self.pattern.sub(self._number, text), self.pattern, self.written)

    def _number(self, match: re.Match[str]) -> str:
        groups = match.groupdict()
        name = groups.get("plain") or groups.get("name") or ""
        if not name.upper().endswith("PORT"):
            return match[0]
        value = references.resolved(match[0], self.pattern, self.known) if "sign" in groups else self.known.get(name)
        return value if value and own_port.is_number(value) else match[0]


def read(text: str, filled: References | None = None) -> Line:
    """What a shell would make of `text`, without the shell where it can be spared."""
    text, killer = port_killers.without(re.sub(r"\\\r?\n", " ", text).strip())
    if killer:
        line = read(text, filled)
        line.note = "; ".join(filter(None, (line.note, left_out(killer))))
        return line
    text, found = filled.marked(text) if filled else (references.PRIVATE.sub("", text), [])
    if own_port.is_client(text):
        return _finished(_read(text, text), found)
    ports = [int(match[1]) for match in SHELL_PORT.finditer(text) if match[1] and 0 < int(match[1][:6]) < 65536]
    marked = SHELL_PORT.sub(PORT, text)
    line = _read(text, marked)
    line.ports = ports + line.ports
    line.uses_port = line.uses_port or marked != text
    return _finished(line, found)


def _read(text: str, marked: str) -> Line:
    line = _through_shell(text) if (why := _needs_shell(marked)) else _split(marked)
    if isinstance(line, str):
        why, line = line, _through_shell(text)
    line.why_shell = why
    return line


def left_out(killer: str) -> str:
    """What is said of a command that kills whoever has the port of the service."""
    return f"left out `{killer}`: it would kill portsup, which holds the port"


def split(text: str, filled: References | None = None) -> Line | None:
    """The words of a text that no shell will see, whatever signs are in it; None if its quotes are not closed."""
    text, found = filled.marked(text) if filled else (references.PRIVATE.sub("", text), [])
    line = _split(text, sets=False)
    return None if isinstance(line, str) else _finished(line, found)


def listed(words: list[str], filled: References | None = None) -> Line:
    """A command that is a list of words already."""
    line = Line(listed_only(words, filled) if filled else list(words))
    if len(line.words) > 2 and line.words[-2] in ("-c", "-lc", "-ec") and not isinstance(line.words[-1], Filled):
        line.words[-1], killer = port_killers.without(line.words[-1])
        line.note = left_out(killer) if killer else ""
    _replace_port(line)
    return _finished(line, [])


def split_only(text: str, filled: References) -> list[str]:
    """The words of a text that no shell will see, with its references written and its ports as they are."""
    marked, found = filled.marked(text)
    try:
        words = shlex.split(marked)
    except ValueError:
        words = marked.split()
    return [_written(word, found) for word in words]


def listed_only(words: list[str], filled: References) -> list[str]:
    """The words with their references written as services.yaml has them, and their ports as they are."""
    return [word if isinstance(word, Filled) else references.written_back(*filled.marked(word)) for word in words]


def beside(text: str) -> list[str]:
    """The words of a command that is run beside a service, whose ports are left as they are."""
    line = read(text)
    if line.uses_port or line.why_shell:
        return ["sh", "-c", text]
    return [*(["env", *(f"{name}={value}" for name, value in line.environment.items())] if line.environment else []),
            *line.words]  # fmt: skip


def give(draft: Draft, line: Line) -> None:
    """Make `line` the command of a service."""
    draft.fields["command"] = line.text or line.words
    draft.ports = line.ports + draft.ports
    if line.uses_port:
        draft.gets_port = True
        draft.fields["port_env"] = "PORT"
    if line.note:
        draft.notes.append(line.note)
    if line.why_shell:
        draft.notes.append(f"run by `{' '.join(line.words[:2])}`, because of {line.why_shell}")


def _finished(line: Line, found: list[str]) -> Line:
    """The line with its marks written as services.yaml has them."""
    if line.words[1:2] != ["-c"] and references.splits(line.words):
        line.text = references.as_text(line.words, found)
    line.words = [_written(word, found) for word in line.words]
    line.environment = {name: _written(value, found) for name, value in line.environment.items()}
    return line


def _written(word: str, found: list[str]) -> str:
    return word if isinstance(word, Filled) else references.written_back(word, found)


def _needs_shell(text: str) -> str:
    """What in `text` only a shell understands, in words; empty if nothing."""
    quote, at, fresh = "", 0, True
    while at < len(text):
        char = text[at]
        if char == "\\" and quote != "'":
            at += 2
            fresh = False
            continue
        if quote:
            if char == quote:
                quote = ""
            elif quote == '"' and char in "$`":
                return _sign(char)
            elif quote == "'" and char == PORT:
                return "its quotes"
        elif char in "'\"":
            quote = char
        elif char in "\r\n":
            return "its several lines"
        elif char in "|&;<>()$`*?[" or (fresh and char in "~#!"):
            return _sign(char)
        fresh = char in " \t="
        at += 1
    return "quotes that are not closed" if quote else ""


def _sign(char: str) -> str:
    return "its backticks" if char == "`" else f"the `{char}` in it"


def _split(marked: str, sets: bool = True) -> Line | str:
    """The words of a simple command, or why there is a need for a shell; `sets`: variables may stand before them."""
    try:
        words = shlex.split(marked)
    except ValueError:
        return "its quotes"
    line = Line([])
    while words and (assigned := re.fullmatch(r"([A-Za-z_]\w*)=(.*)", words[0], re.ASCII | re.DOTALL)):
        if PORT in assigned[2]:
            return "a variable that is set to the port"
        line.environment[assigned[1]] = assigned[2]
        del words[0]
    if words[:1] == ["exec"] and len(words) > 1 and not words[1].startswith("-"):
        del words[0]
    if not words or not words[0].strip():
        return "what it sets"
    if words[0] in BUILTINS and sets:
        return f"`{words[0]}`"
    line.words = words
    _replace_port(line)
    return line


def _through_shell(text: str) -> Line:
    fixed = list(_FIXED.finditer(text))
    if len(fixed) == 1:
        number = int(fixed[0]["set"] or fixed[0]["default"] or fixed[0]["export"])
        told = f"its `PORT` came from `{fixed[0]['named']}`: the pool has the port now" if fixed[0]["named"] else ""
        line = _through_shell((text[: fixed[0].end("before")] + text[fixed[0].end() :]).strip())
        return Line(line.words, ports=[number], uses_port=True, note=told)
    if "'" not in text:
        text = SHELL_PORT.sub("$PORT", text)  # a service always has it, so its default has no use
    found = {int(match[2]) for match in _IN_SHELL.finditer(text)}
    if len(found) == 1 and 0 < min(found) < 65536:
        text = _IN_SHELL.sub(r"\1$PORT", text)
        return Line(["sh", "-c", text], ports=list(found), uses_port=True)
    return Line(["sh", "-c", text])


def _replace_port(line: Line) -> None:
    """Put a mark in place of the number that a server is told to listen on."""
    if line.uses_port or any(PORT in word for word in line.words):
        return
    script = line.words[-1] if len(line.words) == 3 and re.fullmatch(r"-\w*c", line.words[1]) else ""
    if script and not isinstance(script, Filled) and (inner := _through_shell(script)).uses_port:
        line.words[-1], line.ports, line.uses_port = inner.words[-1], line.ports + inner.ports, True
        return
    line.words, number = own_port.replaced(line.words)
    if number is not None:
        line.ports.append(number)
        line.uses_port = True
