"""Command lines that other programs give to a shell: split into words where no shell is needed, else `sh -c`."""

import re
import shlex

from supervisor.config import interpolate, placeholders
from supervisor.convert.draft import Draft, Filled
from supervisor.dataclass import dataclass, field, replace

BUILTINS = frozenset((
    "!", ".", ":", "[[", "alias", "break", "case", "cd", "command", "continue", "eval", "exit", "export", "fg",
    "for", "function", "getopts", "if", "let", "local", "printf", "read", "readonly", "return", "set", "shift",
    "source", "test", "time", "times", "trap", "type", "ulimit", "umask", "unalias", "unset", "until", "wait",
    "while", "{",
))  # fmt: skip
CLIENTS = frozenset((
    "curl", "mongo", "mongosh", "mysql", "mysqladmin", "nc", "pg_isready", "psql", "redis-cli", "rsync", "scp",
    "ssh", "wget",
))  # fmt: skip
LISTENS = ("--port", "--http-port", "--server.port", "--listen-port")
BINDS = ("--bind", "-b", "--listen", "--addr", "--address", "--http", "-l")
_PORT = re.compile(r"\$PORT\b|\$\{PORT(?::?[-=][\"']?(\d+)[\"']?)?\}", re.ASCII)
_FIXED = re.compile(r"PORT=([1-9]\d{1,4})\s+(?=\S)|export\s+PORT=([1-9]\d{1,4})\s*(?:&&|;|\n)\s*(?=\S)", re.ASCII)
_MARK = "\ue000"  # stands for the port while the text is split
_ENDS = re.compile(r"(.*:)(\d{2,5})", re.ASCII)
_IN_SHELL = re.compile(r"(--port[= ]|runserver (?:[\w.]+:)?|http\.server )(\d{2,5})\b", re.ASCII)


@dataclass(slots=True)
class Line:
    """A command line: its words, what it sets before them, and the ports that stand in it."""

    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    ports: list[int] = field(default_factory=list)
    uses_port: bool = False
    why_shell: str = ""


def read(text: str) -> Line:
    """What a shell would make of `text`, without the shell where it can be spared."""
    text = re.sub(r"\\\r?\n", " ", text).strip().replace(_MARK, "")
    ports = [int(found[1]) for found in _PORT.finditer(text) if found[1] and 0 < int(found[1][:6]) < 65536]
    marked = _PORT.sub(_MARK, text)
    line = _through_shell(text) if (why := _needs_shell(marked)) else _split(marked)
    if isinstance(line, str):
        why, line = line, _through_shell(text)
    line.why_shell = why
    line.ports = ports + line.ports
    line.uses_port = line.uses_port or marked != text
    return line


def beside(text: str) -> list[str]:
    """The words of a command that is run beside a service, whose ports are left as they are."""
    line = read(text)
    if line.uses_port or line.why_shell:
        return ["sh", "-c", text]
    return [*(["env", *(f"{name}={value}" for name, value in line.environment.items())] if line.environment else []),
            *line.words]  # fmt: skip


def listed(words: list[str]) -> Line:
    """A command that is a list of words already."""
    line = Line(words)
    _replace_port(line)
    return line


def split(text: str) -> Line | None:
    """The words of a text that no shell will see, whatever signs are in it; None if its quotes are not closed."""
    line = _split(text)
    return None if isinstance(line, str) else line


def give(draft: Draft, line: Line) -> None:
    """Make `line` the command of a service."""
    draft.fields["command"] = line.words
    draft.ports = line.ports + draft.ports
    if line.uses_port:
        draft.gets_port = True
        draft.fields["port_env"] = "PORT"
    if line.why_shell:
        draft.notes.append(f"run by `{' '.join(line.words[:2])}`, because of {line.why_shell}")


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
            elif quote == "'" and char == _MARK:
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


def _split(marked: str) -> Line | str:
    """The words of a simple command, or why there is a need for a shell."""
    try:
        words = shlex.split(marked)
    except ValueError:
        return "its quotes"
    line = Line([])
    while words and (found := re.fullmatch(r"([A-Za-z_]\w*)=(.*)", words[0], re.ASCII | re.DOTALL)):
        if _MARK in found[2]:
            return "a variable that is set to the port"
        line.environment[found[1]] = found[2]
        del words[0]
    if words[:1] == ["exec"] and len(words) > 1 and not words[1].startswith("-"):
        del words[0]
    if not words or not words[0].strip():
        return "what it sets"
    if words[0] in BUILTINS:
        return f"`{words[0]}`"
    line.words = [_with_port(word) if _MARK in word else word for word in words]
    _replace_port(line)
    return line


def _through_shell(text: str) -> Line:
    if fixed := _FIXED.match(text):  # in a shell it would win over the port that the service is given
        line = _through_shell(text[fixed.end() :])
        return replace(line, ports=[int(fixed[1] or fixed[2])], uses_port=True)
    if "'" not in text:
        text = _PORT.sub("$PORT", text)  # a service always has it, so its default has no use
    found = {int(match[2]) for match in _IN_SHELL.finditer(text)}
    if len(found) == 1 and 0 < min(found) < 65536:
        text = _IN_SHELL.sub(r"\1$PORT", text)
        return Line(["sh", "-c", text], ports=list(found), uses_port=True)
    return Line(["sh", "-c", text])


def _with_port(word: str) -> Filled:
    return Filled(placeholders.literally(interpolate.literally(word)).replace(_MARK, "{port}"))


def _replace_port(line: Line) -> None:
    """Put `{port}` in place of the number that a server is told to listen on."""
    words = line.words
    if line.uses_port or any(isinstance(word, Filled) for word in words):
        return
    if words[0].rpartition("/")[2] in CLIENTS:
        return
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        name, equals, value = word.partition("=")
        address = _ENDS.fullmatch(value if equals else word)
        if (before in LISTENS or (before == "-p" and at > 1)) and _is_port(word):
            line.words[at], number = Filled("{port}"), word
        elif equals and name in LISTENS and _is_port(value):
            line.words[at], number = Filled(f"{name}={{port}}"), value
        elif (before in BINDS or before == "runserver") and not word.startswith("-") and address and not equals:
            line.words[at], number = _with_port(f"{address[1]}{_MARK}"), address[2]
        elif equals and name in BINDS and address:
            line.words[at], number = _with_port(f"{name}={address[1]}{_MARK}"), address[2]
        elif before in ("runserver", "http.server", "--listen") and _is_port(word):
            line.words[at], number = Filled("{port}"), word
        else:
            continue
        if not _is_port(number):
            line.words[at] = word
            continue
        line.ports.append(int(number))
        line.uses_port = True
        return


def _is_port(text: str) -> bool:
    return bool(re.fullmatch(r"[1-9]\d{1,4}", text, re.ASCII)) and int(text) < 65536
