"""The control protocol, version 1: one JSON request a line, answered by one JSON line, or by many for a stream.

A request is `{"v": 1, "do": NAME, …arguments}`.  A line of an answer has `ok`; the last line of a stream has `end`.
Pure: bytes in, values out.
"""

import json
from collections.abc import Mapping
from typing import Any

from supervisor.dataclass import dataclass, field
from supervisor.errors import ConfigError, ExitCode, PortsupError

VERSION = 1
MAX_REQUEST = 64 * 1024  # bytes of one request line

STREAMS = frozenset(("watch", "events", "logs"))  # their answers end with the connection
TASKS = frozenset(("resources", "down", "start", "stop", "restart", "rotate", "reload"))  # theirs take a while

OPTIONAL_SECONDS = (int, float, type(None))
# What each request takes: argument -> (types, whether it must be given).
REQUESTS: Mapping[str, Mapping[str, tuple[tuple[type, ...], bool]]] = {
    "ping": {},
    "status": {"services": ((list,), False)},
    "resources": {"services": ((list,), False)},
    "watch": {},
    "events": {"services": ((list,), False)},
    "logs": {"services": ((list,), False)},
    "endpoints": {},
    "env": {"service": ((str, type(None)), False)},
    "down": {"timeout": (OPTIONAL_SECONDS, False)},
    "start": {"services": ((list,), True)},
    "stop": {"services": ((list,), True), "timeout": (OPTIONAL_SECONDS, False)},
    "restart": {"services": ((list,), True), "timeout": (OPTIONAL_SECONDS, False), "rolling": ((bool,), False)},
    "rotate": {"service": ((str,), True)},
    "reload": {"dry_run": ((bool,), False), "files": ((list,), False)},
    "kill": {"services": ((list,), True), "signal": ((int,), False)},
}


class BadRequest(PortsupError):
    """What was sent is not a request of this protocol."""

    exit_code = ExitCode.USAGE


class TooMany(PortsupError):
    """A limit of the protocol is reached; the connection goes on."""

    exit_code = ExitCode.FAILURE


@dataclass(frozen=True, slots=True)
class Request:
    """One thing asked of the daemon."""

    do: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def names(self) -> list[str]:
        """The services it is about, each once; empty means all."""
        return list(dict.fromkeys(self.arguments.get("services") or ()))

    def files(self) -> list[str]:
        """The files that it names; empty for those that are known."""
        return list(self.arguments.get("files") or ())

    def seconds(self) -> float | None:
        """The time limit that came with it, in seconds."""
        timeout = self.arguments.get("timeout")
        return None if timeout is None else max(0.0, float(timeout))


def encode(message: Mapping[str, Any]) -> bytes:
    """One line of the protocol."""
    return json.dumps(message, separators=(",", ":"), default=str).encode() + b"\n"


def request(do: str, **arguments: Any) -> bytes:
    """The line that asks for `do`."""
    return encode({"v": VERSION, "do": do, **arguments})


def parse_request(line: bytes) -> Request:
    """The request on `line`; raises BadRequest with words for the one who sent it."""
    what = "cannot read the request"
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadRequest(what, f"it is not a line of JSON ({error})") from None
    if not isinstance(message, dict):
        raise BadRequest(what, f"it is a JSON {type(message).__name__}, not an object")
    if message.pop("v", None) != VERSION:
        hint = "use the `portsup` that started this instance"
        raise BadRequest(what, f"this daemon speaks version {VERSION} of the control protocol", hint)
    do = message.pop("do", None)
    if not isinstance(do, str) or do not in REQUESTS:
        raise BadRequest(what, f"there is no request {do!r}", f"known: {', '.join(REQUESTS)}")
    known = REQUESTS[do]
    for name, value in message.items():
        if name not in known:
            raise BadRequest(what, f"`{do}` takes no `{name}`")
        types = known[name][0]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types) or value != value:
            raise BadRequest(what, f"`{name}` of `{do}` can not be {value!r}")
        if isinstance(value, int) and abs(value) >= 2**63:
            raise BadRequest(what, f"`{name}` of `{do}` is too large")
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise BadRequest(what, f"`{name}` of `{do}` is a list of names")
    for name, (_, is_required) in known.items():
        if is_required and name not in message:
            raise BadRequest(what, f"`{do}` needs `{name}`")
    return Request(do, message)


def error_line(error: PortsupError) -> dict[str, Any]:
    """The answer that tells of an error."""
    told: dict[str, Any] = {"what": error.what, "why": error.why, "hint": error.hint, "exit_code": int(error.exit_code)}
    if isinstance(error, ConfigError):
        told["problems"] = [[each.file, each.line, each.column, each.message, each.hint] for each in error.problems]
    return {"ok": False, "error": told}
