"""The control protocol, version 1: one JSON request a line, answered by one JSON line, or by many for a stream.

A request is `{"v": 1, "do": NAME, …arguments}`.  A line of an answer has `ok`; the last line of a stream has `end`.
Pure: bytes in, values out.
"""

import json
from collections.abc import Mapping
from typing import Any

from supervisor.control.json_form import line_of
from supervisor.control.progress import Reason
from supervisor.control.requests import REQUESTS, Request
from supervisor.dataclass import fields
from supervisor.errors import ConfigError, ExitCode, PortsupError

VERSION = 1
MAX_REQUEST = 64 * 1024  # bytes of one request line
# Whoever gets a newer portsup while a stack runs asks what the one that runs it does not know.
_NEWER = "if your portsup is newer than this instance, restart that: `portsup down`, then `portsup up`"


class BadRequest(PortsupError):
    """What was sent is not a request of this protocol."""

    exit_code = ExitCode.USAGE


class TooMany(PortsupError):
    """A limit of the protocol is reached; the connection goes on."""

    exit_code = ExitCode.FAILURE


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
        raise BadRequest(what, f"there is no request {do!r}", f"known: {', '.join(REQUESTS)}; {_NEWER}")
    known = {each.name: each for each in fields(REQUESTS[do])}
    given: dict[str, Any] = {}
    for name, value in message.items():
        if name not in known:
            raise BadRequest(what, f"`{do}` takes no `{name}`", _NEWER)
        given[name] = _argument(known[name].type, value, f"`{name}` of `{do}`")
    try:
        return REQUESTS[do](**given)
    except TypeError:
        missing = next(name for name in known if name not in given)
        raise BadRequest(what, f"`{do}` needs `{missing}`") from None


# What the annotation of an argument takes.
_TYPES: Mapping[object, tuple[type, ...]] = {
    tuple[str, ...]: (list,), str: (str,), str | None: (str, type(None)), bool: (bool,), int: (int,),
    float | None: (int, float, type(None)), dict[str, int]: (dict,),
}  # fmt: skip


def _argument(kind: object, value: Any, which: str) -> Any:
    """An argument as its class has it; raises BadRequest."""
    what, types = "cannot read the request", _TYPES[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types) or value != value:
        raise BadRequest(what, f"{which} cannot be {value!r}")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise BadRequest(what, f"{which} is too large")
    if isinstance(value, list):
        if not all(isinstance(item, str) for item in value):
            raise BadRequest(what, f"{which} is a list of names")
        return tuple(dict.fromkeys(value))  # each once
    if isinstance(value, dict) and not all(type(number) is int and 0 < number < 2**31 for number in value.values()):
        raise BadRequest(what, f"{which} is an object of numbers above 0")
    if isinstance(value, int | float) and float in types:
        return max(0.0, float(value))
    return value


def error_line(error: PortsupError) -> dict[str, Any]:
    """The answer that tells of an error."""
    problems = None
    if isinstance(error, ConfigError):
        problems = tuple((each.file, each.line, each.column, each.message, each.hint) for each in error.problems)
    told = Reason(error.what, error.why, error.hint, int(error.exit_code), problems)
    return {"ok": False, "error": line_of(told)}
