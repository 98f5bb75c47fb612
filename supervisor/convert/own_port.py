"""Which number, or which `$PORT`, in a command is the port that the service listens on, and which one it asks."""

import re
from collections.abc import Sequence

from supervisor.convert.draft import Filled
from supervisor.convert.references import PORT

# Programs that ask a server, or pass its port on: a port in their words is not their own.
CLIENTS = frozenset((
    "ab", "cloudflared", "curl", "grpcurl", "hey", "http", "https", "k6", "mongo", "mongosh", "mysql", "mysqladmin",
    "nc", "ngrok", "open", "pg_isready", "psql", "redis-cli", "rsync", "scp", "ssh", "stripe", "telnet", "wait-on",
    "wait-for-it", "wait-for-it.sh", "websocat", "wget", "wrk", "xdg-open",
))  # fmt: skip
# Programs that wait for nothing: no service that is made of one listens.
IDLE = frozenset(("sleep", "tail", "true", "cat"))
LISTENS = ("--port", "--http-port", "--http.port", "--server.port", "--listen-port", "--web.port")
BINDS = (
    "--bind", "-b", "--listen", "--addr", "--address", "--http", "-l", "--listen-address", "--web.listen-address",
    "--host", "--server.address", "--http-address", "-addr", "-listen", "-http",
)  # fmt: skip
SHELL_PORT = re.compile(r"\$PORT\b|\$\{PORT(?::?[-=][\"']?(\d+)[\"']?)?\}", re.ASCII)
_ASKED = re.compile(r"\w://(?:[^\s@/]*@)?(?:[\w.-]+|\[::1\]):(?:\$PORT\b|\$\{PORT\b)", re.ASCII)
_FIRST = re.compile(r"(?:\w+=\S*\s+)*(?:exec\s+)?(\S+)", re.ASCII)
_ENDS = re.compile(r"(.*:)(\d{2,5})", re.ASCII)


def is_number(text: str) -> bool:
    """Whether a text is the number of a port."""
    return bool(re.fullmatch(r"[1-9]\d{1,4}", text, re.ASCII)) and int(text) < 65536


def is_client(text: str) -> bool:
    """Whether a simple command asks the port in `$PORT`, rather than to listen on it."""
    if not SHELL_PORT.search(text) or re.search(r"[&|;\n]", text.replace("2>&1", "")):
        return False
    first = _FIRST.match(text)
    return bool(_ASKED.search(text) or (first and first[1].rpartition("/")[2] in CLIENTS))


def is_idle(words: Sequence[str]) -> bool:
    """Whether a command does nothing but keep a container alive, as `tail -f /dev/null` does."""
    text = " ".join(words[2:]) if words[:2] in (["sh", "-c"], ["bash", "-c"]) else " ".join(words)
    return bool(re.fullmatch(r"(?:exec\s+)?(?:sleep\s+\S+|tail\s+-[fF]\s+/dev/null|cat)\s*", text))


def replaced(words: list[str]) -> tuple[list[str], int | None]:
    """The words with the mark of the port where a server is told to listen, and the number that stood there."""
    if not words or words[0].rpartition("/")[2] in CLIENTS:
        return words, None
    for at, word in enumerate(words):
        if isinstance(word, Filled):
            continue
        if at > 1 and "http.server" in words[:at] and at == len(words) - 1 and is_number(word):
            return [*words[:at], PORT], int(word)  # its options may stand before
        before = words[at - 1] if at else ""
        name, equals, value = word.partition("=")
        address = _ENDS.fullmatch(value if equals else word)
        written, number = word, ""
        if (before in LISTENS or (before == "-p" and at > 1)) and is_number(word):
            written, number = PORT, word
        elif equals and (name in LISTENS or (name == "PORT" and words[0] in ("env", "cross-env"))) and is_number(value):
            written, number = f"{name}={PORT}", value
        elif (before in BINDS or before == "runserver") and not word.startswith("-") and address and not equals:
            written, number = f"{address[1]}{PORT}", address[2]
        elif equals and name in BINDS and address:
            written, number = f"{name}={address[1]}{PORT}", address[2]
        elif before in ("runserver", "http.server", "--listen") and is_number(word):
            written, number = PORT, word
        if number and is_number(number):
            return [*words[:at], written, *words[at + 1 :]], int(number)
    return words, None
