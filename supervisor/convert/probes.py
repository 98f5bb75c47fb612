"""Health checks of other programs as `ready` and `healthcheck`."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from supervisor.convert import shell
from supervisor.convert.draft import Draft, Filled
from supervisor.convert.values import duration, filled

LONGEST_READY = 24 * 3600.0
_HTTP = re.compile(
    r"(?:curl|wget)\s[^|&;]*?(?:https?://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])"
    r"(?::(?P<port>\d+|\$\{?\w+\}?))?(?P<path>/[^\s\"'|;&)]*)?[\"']?(?P<rest>[^|;&]*(?:\|\|\s*exit\s+\d+\s*)?)",
    re.ASCII,
)


def from_command(words: list[str], draft: Draft) -> dict[str, Any]:
    """The probe of a command: the path that curl or wget ask the service for, else the command itself."""
    text = words[2] if words[:2] == ["sh", "-c"] and len(words) == 3 else shlex.join(words)
    if (found := _HTTP.fullmatch(text.strip())) and "$" not in (found["path"] or ""):
        sent = _headers(text)
        if sent is not None:
            return http(found["path"] or "/", found["port"] or "", draft, sent)
    return {"exec": [word if isinstance(word, Filled) else filled(word) for word in words]}


def _headers(text: str) -> dict[str, str] | None:
    """The headers that curl or wget send; None where they say more than a GET with headers can."""
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    found: dict[str, str] = {}
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if re.match(r"-[Xd]|--(data|request|post|method|user|json|form)|-[uFT]$", word):
            return None
        if header := re.match(r"-H|--header=?", word):
            name, colon, value = (word[header.end() :] or following).partition(":")
            if not colon or "$" in value or not re.fullmatch(r"[\w-]+", name, re.ASCII):
                return None
            found[name] = value.strip()
    return found


def http(
    path: str, port: str, draft: Draft, headers: Mapping[str, str] | None = None, status: int | None = None
) -> dict[str, Any]:
    """The probe that asks for `path` on `port`, which is empty where it goes without saying."""
    number = int(port) if port.isdecimal() and 0 < int(port[:6]) < 65536 else 0
    if not re.fullmatch(r"/[!-~]*", path):
        draft.leave(f"the path `{path}` of the health check", "it is no path of a request", "set `ready: {http: …}`")
        return {"tcp": True}
    if variable := re.fullmatch(r"\$\{?(\w+)\}?", port, re.ASCII):
        if variable[1] != draft.fields.get("port_env"):
            draft.notes.append(
                f"its health check asks the port in `{variable[1]}`: if the program listens on it, write"
                f" `port_env: {variable[1]}` and `http: {path}`"
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


def shell_words(text: str) -> list[str]:
    """The words of a check that is written for a shell."""
    line = shell.read(text)
    return ["sh", "-c", text] if line.environment or line.uses_port else line.words


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
