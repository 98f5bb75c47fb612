"""Which number, or which `$PORT`, in a command is the port that the service listens on, and which one it asks."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from supervisor.convert.draft import Filled
from supervisor.convert.references import PORT
from supervisor.errors import PortsupError

# Programs that ask a server, or pass its port on: a port in their words is not their own.
CLIENTS = frozenset((
    "ab", "artillery", "autocannon", "cloudflared", "curl", "electron", "grpcurl", "hey", "http", "https", "k6",
    "localtunnel", "lt", "mongo", "mongosh", "mysql", "mysqladmin", "nc", "newman", "ngrok", "open", "pg_isready",
    "psql", "redis-cli", "rsync", "scp", "ssh", "start-server-and-test", "stripe", "telnet", "untun", "wait-on",
    "wait-for-it", "wait-for-it.sh", "websocat", "wget", "wrk", "wscat", "xdg-open",
))  # fmt: skip
LISTENS = (
    "--port", "--http-port", "--http.port", "--server.port", "--listen-port", "--web.port", "-port", "-http-port",
    "--server-port", "--server_port", "http.port", "-Dserver.port", "-Dhttp.port", "-Dquarkus.http.port",
)  # fmt: skip
_EXEC = ("--exec", "-x")  # of nodemon and cargo watch: a command as one word
_WITHIN = re.compile(r"((?:^|\s)--port[= ])(\d{2,5})(?=\s|$)", re.ASCII)
BINDS = (
    "--bind", "-b", "--listen", "--addr", "--address", "--http", "-l", "--listen-address", "--web.listen-address",
    "--host", "--server.address", "--http-address", "-addr", "-listen", "-http", "-S", "--urls", "--http.addr",
    "--dev-addr", "--bind-addr",
)  # fmt: skip
SHELL_PORT = re.compile(r"\$PORT\b|\$\{PORT(?::?[-=][\"']?(\d+)[\"']?)?\}", re.ASCII)
_ASKED = re.compile(r"\w://(?:[^\s@/]*@)?(?:[\w.-]+|\[::1\]):(?:\$PORT\b|\$\{PORT\b)", re.ASCII)
_FIRST = re.compile(r"(?:\w+=\S*\s+)*(?:exec\s+)?(\S+)", re.ASCII)
# The host of another machine behind an option for one: the port beside it is there.
_HOSTS = ("--host", "-h", "-H", "--hostname", "--remote-host", "--db-host")
_TARGETS = ("-t", "--target", "--upstream", "--broker", "--connect", "--remote", "--db_host", "--redis-host")
_ELSEWHERE = re.compile(r"[a-z0-9-]*[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*\.[a-z]{2,}", re.IGNORECASE | re.ASCII)
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


def asked(text: str, filled: str, running: str) -> str:
    """A command of a client with the number that it asks: `filled` for `${PORT}`, `running` for what a shell fills in.

    What is no number stays.
    """

    def number(match: re.Match[str]) -> str:
        found = filled if match[0].startswith("${") else running
        return found if is_number(found) else match[0]

    return re.sub(rf"\$?(?:{SHELL_PORT.pattern})", number, text, flags=re.ASCII)


def is_client_line(text: str) -> bool:
    """Whether a command line, of a script say, runs one program, and that one is a client."""
    if re.search(r"[&|;\n]", text):
        return False
    words = re.sub(r"^(?:cross-env\s+)?(?:\w+=\S*\s+)*(?:npx\s+(?:-y\s+|--yes\s+)?)?", "", text.strip()).split()
    return bool(words) and words[0].rpartition("/")[2].partition("@")[0] in CLIENTS


def is_idle(words: Sequence[str]) -> bool:
    """Whether a command does nothing but keep a container alive, as `tail -f /dev/null` does."""
    text = " ".join(words[2:]) if words[:2] in (["sh", "-c"], ["bash", "-c"]) else " ".join(words)
    return bool(re.fullmatch(r"(?:exec\s+)?(?:sleep\s+\S+|tail\s+-[fF]\s+/dev/null|cat)\s*", text))


def _program(words: Sequence[str]) -> str:
    """The name of the program that a command runs, also by `npx` and its kind."""
    at = 1 if words[0] in ("npx", "bunx", "pnpx") else 2 if words[1:2] == ["dlx"] else 0
    own = [word for word in words[at:] if at == 0 or not word.startswith("-")] or [words[0]]
    return own[0].rpartition("/")[2].partition("@")[0]


def _is_bind(option: str, words: Sequence[str]) -> bool:
    return option in BINDS or option == "runserver" or (option == "-a" and "mkdocs" in words)


def _is_of_serve(words: Sequence[str]) -> bool:
    """Whether these words are of Vercel's `serve`, and end with its option for a port."""
    return words[-1:] == ["-l"] and "serve" in (words[0].rpartition("/")[2], *words[1:2], *words[2:3])


def _asks_elsewhere(words: Sequence[str]) -> bool:
    """Whether an option names the host of a server: `-t` with two dots in it at least, as it is for much."""
    for before, word in pairwise(words):
        option, equals, value = word.partition("=")
        host = value if equals and option in _HOSTS else word if before in _HOSTS else ""
        if before in _TARGETS and re.fullmatch(r"localhost|127\.\d+\.\d+\.\d+|\[?::1\]?", word):
            return True
        if not host and before in _TARGETS and word.count(".") > 1:
            host = word
        if host and _ELSEWHERE.fullmatch(host) and not host.endswith((".local", ".localhost", ".py", ".conf")):
            return True
    return False


def replaced(words: list[str]) -> tuple[list[str], int | None]:
    """The words with the mark of the port where a server is told to listen, and the number that stood there."""
    if not words or _program(words) in CLIENTS or _asks_elsewhere(words):
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
        elif _is_bind(before, words[:at]) and not word.startswith("-") and address and not equals:
            written, number = f"{address[1]}{PORT}", address[2]
        elif equals and name in BINDS and address:
            written, number = f"{name}={address[1]}{PORT}", address[2]
        elif (before in ("runserver", "http.server", "--listen") or _is_of_serve(words[:at])) and is_number(word):
            written, number = PORT, word
        elif before in _EXEC and (inner := _WITHIN.search(word)):
            written, number = _WITHIN.sub(rf"\1{PORT}", word, count=1), inner[2]
        if number and is_number(number):
            return [*words[:at], written, *words[at + 1 :]], int(number)
    return words, None


def of_nginx(words: Sequence[str], read: Callable[[str], str]) -> list[int]:
    """The ports that nginx binds by itself, as the file says that its `-c` names; `read` gives the text of a file."""
    if not words or words[0].rpartition("/")[2] not in ("nginx", "openresty") or "-c" not in words[:-1]:
        return []
    try:
        text = read(words[words.index("-c") + 1])
    except PortsupError:
        return []
    found = re.findall(r"^\s*(?:[^#\n]*[{;]\s*)?listen\s+(?:\S*:)?(\d{2,5})\b", text, re.MULTILINE)
    return [int(number) for number in dict.fromkeys(found) if is_number(number)]
