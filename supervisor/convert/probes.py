"""Health checks of other programs as `ready` and `healthcheck`."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from supervisor.convert import shell
from supervisor.convert.draft import Draft, Filled
from supervisor.convert.values import REFERENCE, duration, filled
from supervisor.dataclass import dataclass, field

LONGEST_READY = 24 * 3600.0
_URL = re.compile(
    r"(?:http://)?(?P<host>localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])"
    r"(?::(?P<port>\d+|\$\w+|\$\{\w+(?::?-\d+)?\}))?(?P<path>/.*)?",
    re.ASCII,
)
# How a check ends that fails when its command does, and what of its output is thrown away.
_TAIL = re.compile(
    r"\s*(?:(?:1|2|&)?>{1,2}\s*(?:/dev/null|&1)\s*)*(?:\|\|\s*(?:exit\s+[1-9]\d*|false)\s*;?)?\s*", re.ASCII
)
# Options that change nothing about whether an answer is good.
_QUIET = frozenset((
    "-f", "--fail", "-s", "--silent", "-S", "--show-error", "-k", "--insecure", "-v", "--verbose", "-4", "-g", "-i",
    "--include", "--no-progress-meter", "--http1.1", "-q", "--quiet", "-nv", "--no-verbose", "--spider",
    "--no-check-certificate", "-O-", "-qO-", "-O/dev/null", "--output-document=/dev/null", "--output-document=-",
    "-t1", "--tries=1",
))  # fmt: skip
_TAKES = {"-o": "/dev/null", "--output": "/dev/null", "-O": "", "-t": "1", "--tries": "1", "--output-document": ""}
_CLUSTERED = {"curl": "fsSkvgi4o", "wget": "qvSO"}  # letters that may be written together


@dataclass(slots=True)
class _Request:
    """A GET that curl or wget make of this machine."""

    url: str = ""
    fails: bool = False  # at an answer of 400 or more, as `http` does
    headers: dict[str, str] = field(default_factory=dict)


def from_command(words: list[str], draft: Draft) -> dict[str, Any]:
    """The probe of a command: `http` where curl or wget ask the service the same, else the command itself.

    What `http` would see otherwise stays a command.
    """
    given = words[2] if words[:2] == ["sh", "-c"] and len(words) == 3 else words
    request = _request(str(given) if isinstance(given, str) else shlex.join(map(str, given)))
    if request and (found := _URL.fullmatch(request.url)) and "$" not in (found["path"] or ""):
        return http(found["path"] or "/", found["port"] or "80", draft, request.headers)
    return {"exec": list(words)}


def _request(text: str) -> _Request | None:
    """What curl or wget ask for; None where portsup's own request would not be the same."""
    tail = re.search(r"\s(?:(?:1|2|&)?>|\|\|)", text)
    command = text[: tail.start()] if tail else text
    if tail and not _TAIL.fullmatch(text[tail.start() :]):
        return None
    if re.search(r"[|;<>`\n&]|\$\(", re.sub(r"'[^']*'|\"[^\"]*\"", "", command)):
        return None
    try:
        program, *words = shlex.split(command)
    except ValueError:
        return None
    program = program.rpartition("/")[2]
    if program not in _CLUSTERED:
        return None
    request = _Request(fails=program == "wget")
    while words:
        if not _option(words, program, request):
            return None
    return request if request.url and request.fails else None


def _option(words: list[str], program: str, request: _Request) -> bool:
    """Take one option off the words; false where it makes the request another one."""
    word = words.pop(0)
    if not word.startswith("-"):
        is_first = not request.url
        request.url = word
        return is_first
    if header := re.match(r"-H|--header(?:=|$)", word):
        value = word[header.end() :] or (words.pop(0) if words else "")
        name, colon, value = value.partition(":")
        request.headers[name] = value.strip()
        return bool(colon and "$" not in value and re.fullmatch(r"[\w-]+", name, re.ASCII))
    request.fails = request.fails or word == "--fail"
    if word in _TAKES:
        value = words.pop(0) if words else ""
        return not _TAKES[word] or value == _TAKES[word]
    if word in _QUIET:
        request.fails = request.fails or word == "-f"
        return True
    letters = word[1:]
    if word.startswith("--") or not letters or set(letters) - set(_CLUSTERED[program]):
        return False
    request.fails = request.fails or "f" in letters
    if letters[-1] in "oO":
        value = words.pop(0) if words else ""
        return value in ("/dev/null", "-") if letters[-1] == "O" else value == "/dev/null"
    return "o" not in letters and "O" not in letters


def http(
    path: str, port: str, draft: Draft, headers: Mapping[str, str] | None = None, status: int | None = None
) -> dict[str, Any]:
    """The probe that asks for `path` on `port`, which is empty where it goes without saying."""
    number = int(port) if port.isdecimal() and 0 < int(port[:6]) < 65536 else 0
    if not re.fullmatch(r"/[!-~]*", path):
        draft.leave(f"the path `{path}` of the health check", "it is no path of a request", "set `ready: {http: …}`")
        return {"tcp": True}
    if variable := REFERENCE.fullmatch(port):
        name = variable["plain"] or variable["name"]
        if name != draft.fields.get("port_env"):
            draft.notes.append(
                f"its health check asks the port in `{name}`: if the program listens on it, write"
                f" `port_env: {name}` and `http: {path}`"
            )
            return _by_curl(filled(f"http://127.0.0.1:{port}{path}"), headers)
    elif port and not number:
        draft.leave(f"the port `{port}` of the health check", "it is no number from 1 to 65535", "set `ready`")
    if number and draft.ports and number not in (*draft.ports, *draft.inner):
        draft.notes.append(f"its health check asks another port than its own, {number}: that one is not of the pool")
        return _by_curl(filled(f"http://127.0.0.1:{number}{path}"), headers)
    if number and not draft.ports:
        draft.ports.append(number)
    more = {"headers": dict(headers or {}), "status": status}
    if any(more.values()):
        return {"http": {"path": filled(path), **{key: value for key, value in more.items() if value}}}
    return {"http": filled(path)}


def _by_curl(url: Filled, headers: Mapping[str, str] | None) -> dict[str, Any]:
    sent = [word for name, value in (headers or {}).items() for word in ("-H", f"{name}: {value}")]
    return {"exec": ["curl", "-fsS", "-o", "/dev/null", *sent, url]}


def shell_words(text: str, references: shell.References | None = None) -> list[str]:
    """The words of a check that is written for a shell."""
    line = shell.read(text, references)
    if line.environment or line.uses_port or line.text:
        return ["sh", "-c", *(shell.listed_only([text], references) if references else [text])]
    return line.words


def ready(probe: dict[str, Any], timeout: float) -> dict[str, Any]:
    """`ready` with this probe; `timeout` in seconds."""
    return {**probe, "timeout": duration(min(max(timeout, 1.0), LONGEST_READY))}


def healthcheck(
    probe: dict[str, Any], interval: float | None, timeout: float | None, retries: int | None
) -> dict[str, Any]:
    """`healthcheck` with this probe; what is None keeps portsup's default."""
    found = dict(probe)
    if interval is not None:
        found["interval"] = duration(interval, 0.1)
    if timeout is not None:
        found["timeout"] = duration(timeout, 0.001)
    if retries is not None:
        found["retries"] = min(max(retries, 1), 1000)
    return found
