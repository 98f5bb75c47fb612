"""Requests as lines of JSON: what can be asked, and that nothing else gets through."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.control.protocol import VERSION, BadRequest, encode, error_line, parse_request, request
from supervisor.control.requests import REQUESTS, Down, Request, Status, Stop
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
