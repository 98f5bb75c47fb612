"""Requests as lines of JSON: what can be asked, and that nothing else gets through."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.control.messages import Environment
from supervisor.control.progress import Outcome, Progress
from supervisor.control.protocol import VERSION, BadRequest, encode, error_line, parse_request, request
from supervisor.control.requests import (
    REQUESTS,
    Down,
    Endpoints,
    Env,
    Kill,
    Ping,
    Request,
    Restart,
    Rotate,
    Start,
    Status,
    Stop,
    Watch,
)
from supervisor.control.status import PortStatus, ServiceStatus, StackStatus
from supervisor.dataclass import fields
from supervisor.errors import ExitCode, PortsupError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def test_a_request_comes_back_as_it_was_sent() -> None:
    parsed = parse_request(request("stop", services=["web", "db", "web"], timeout=1.5).rstrip())
    assert parsed == Stop(("web", "db"), 1.5)
    assert parsed.do == "stop"
    assert parse_request(request("status")) == Status()
    assert parse_request(request("down", timeout=None)) == Down(None)


def test_a_message_is_one_line_whatever_is_in_it() -> None:
    line = encode({"words": "two\nlines \u2028 \ud800", "path": object})
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()


def test_a_negative_limit_is_none_at_all() -> None:
    assert parse_request(request("down", timeout=-5)) == Down(0.0)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"hello", "it is not a line of JSON"),
        (b"\xff\xfe", "it is not a line of JSON"),
        (b"[" * 100_000, "it is not a line of JSON"),
        (b"[]", "it is a JSON list, not an object"),
        (b"{}", "this daemon speaks version 1"),
        (b'{"v":2,"do":"status"}', "this daemon speaks version 1"),
        (b'{"v":1}', "there is no request None"),
        (b'{"v":1,"do":["status"]}', "there is no request"),
        (b'{"v":1,"do":"reboot"}', "there is no request 'reboot'"),
        (b'{"v":1,"do":"status","x":1}', "`status` takes no `x`"),
        (b'{"v":1,"do":"start"}', "`start` needs `services`"),
        (b'{"v":1,"do":"start","services":"web"}', "`services` of `start` cannot be 'web'"),
        (b'{"v":1,"do":"start","services":[1]}', "`services` of `start` is a list of names"),
        (b'{"v":1,"do":"stop","services":[],"timeout":NaN}', "`timeout` of `stop` cannot be nan"),
        (b'{"v":1,"do":"stop","services":[],"timeout":true}', "`timeout` of `stop` cannot be True"),
        (b'{"v":1,"do":"kill","services":[],"signal":"9"}', "`signal` of `kill` cannot be '9'"),
    ],
)
def test_what_is_no_request_is_refused_with_a_reason(line: bytes, why: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_request(line)
    assert why in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("line", [b'{"v":1,"do":"reboot"}', b'{"v":1,"do":"status","x":1}'])
def test_who_asks_what_only_a_newer_portsup_knows_is_told_what_to_do(line: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_request(line)
    assert "newer than this instance, restart that: `portsup down`, then `portsup up`" in caught.value.hint


# What the first portsup with a control socket (0.1.0) sent, byte by byte.
FIRST = {
    b'{"v": 1, "do": "ping"}': Ping(),
    b'{"v": 1, "do": "status"}': Status(),
    b'{"v": 1, "do": "watch"}': Watch(),
    b'{"v": 1, "do": "endpoints"}': Endpoints(),
    b'{"v": 1, "do": "env"}': Env(),
    b'{"v": 1, "do": "env", "service": "web"}': Env("web"),
    b'{"v": 1, "do": "down"}': Down(),
    b'{"v": 1, "do": "down", "timeout": 2.0}': Down(2.0),
    b'{"v": 1, "do": "start", "services": []}': Start(()),
    b'{"v": 1, "do": "stop", "services": ["web", "db"]}': Stop(("web", "db")),
    b'{"v": 1, "do": "stop", "services": ["web"], "timeout": 0.5}': Stop(("web",), 0.5),
    b'{"v": 1, "do": "restart", "services": ["web"]}': Restart(("web",)),
    b'{"v": 1, "do": "restart", "services": ["web"], "timeout": 2.0}': Restart(("web",), 2.0),
    b'{"v": 1, "do": "rotate", "service": "web"}': Rotate("web"),
    b'{"v": 1, "do": "kill", "services": ["web"], "signal": 1}': Kill(("web",), 1),
}
# And the keys that it read, of the answer to `status` and `watch`, of its services, and of their pools.
READ_FIRST = {
    StackStatus: {"stack", "instance", "services", "warnings"},
    ServiceStatus: {
        "name", "instance", "state", "status", "health", "port", "url", "pid", "uptime_s", "restarts", "exit_code",
        "result", "pool", "reason",
    },
    PortStatus: {"port", "state", "holder"},
    Environment: {"environment", "secret"},
    Progress: {"progress", "end", "results"},
    Outcome: {"name", "ok", "words"},
}  # fmt: skip


@pytest.mark.parametrize(("line", "asked"), FIRST.items())
def test_what_the_first_portsup_sent_is_still_understood(line: bytes, asked: Request) -> None:
    assert parse_request(line) == asked


@pytest.mark.parametrize(("message", "keys"), READ_FIRST.items())
def test_answers_still_have_what_the_first_portsup_read(message: type, keys: set[str]) -> None:
    assert keys - {each.name for each in fields(message)} == set()


@given(st.binary())
@example(b'{"v":1,"do":"down","timeout":1e999}')
@example(b'{"v":1,"do":"down","timeout":1' + b"0" * 400 + b"}")
@example(b'{"v":1,"do":"down","timeout":-1' + b"0" * 400 + b"}")
@example(b'{"v":1,"do":"kill","services":[],"signal":' + b"9" * 5000 + b"}")
def test_no_bytes_make_it_stumble(line: bytes) -> None:
    try:
        parsed = parse_request(line)
    except BadRequest:
        return
    assert isinstance(parsed, Request)


ARGUMENTS = st.dictionaries(st.sampled_from(["services", "timeout", "signal", "x"]), JSON)


@given(st.sampled_from(sorted(REQUESTS)), ARGUMENTS)
def test_no_arguments_make_it_stumble(do: str, arguments: dict[str, Any]) -> None:
    line = json.dumps({"v": VERSION, "do": do, **arguments}).encode()
    try:
        parsed = parse_request(line)
    except BadRequest as error:
        encode(error_line(error))
        return
    assert all(isinstance(name, str) for name in getattr(parsed, "services", ()))
    assert (getattr(parsed, "timeout", None) or 0.0) >= 0.0


def test_an_error_is_told_with_its_exit_code() -> None:
    assert error_line(PortsupError("cannot do it", "no wish to", "try later")) == {
        "ok": False, "error": {"what": "cannot do it", "why": "no wish to", "hint": "try later", "exit_code": 1},
    }  # fmt: skip
