"""Whatever comes on the control socket: a request or words on why it is none, an answer or words on why not."""

import dataclasses
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.control.client import Client
from supervisor.control.protocol import VERSION, BadRequest, encode, error_line, parse_request
from supervisor.control.refusals import error_from
from supervisor.control.requests import REQUESTS
from supervisor.dataclass import fields
from supervisor.errors import ExitCode, PortsupError
from tests.fuzz.trees import DEEP, TREES
from tests.support.budget import tries

ARGUMENTS = sorted({each.name for request in REQUESTS.values() for each in fields(request)})
REQUEST = st.fixed_dictionaries(
    {"v": st.just(VERSION) | TREES, "do": st.sampled_from(list(REQUESTS)) | TREES},
    optional=dict.fromkeys(ARGUMENTS, TREES | st.lists(st.text(max_size=5), max_size=3) | st.booleans()),
)
LINES = st.one_of(
    st.binary(max_size=200),
    REQUEST.map(json.dumps).map(str.encode),
    TREES.map(json.dumps).map(str.encode),
    DEEP.map(lambda depth: b"[" * depth + b"]" * depth),
)


@tries(10, 20000)
@given(LINES)
@example(b'{"v":1,"do":"down","timeout":1e999}')
@example(b'{"v":1,"do":"kill","services":["a"],"signal":true}')
@example(b'{"v":1,"do":"ping","v":1' + b"1" * 5000 + b"}")
def test_any_line_is_a_request_or_told_why_not(line: bytes) -> None:
    try:
        request = parse_request(line)
    except BadRequest as error:
        answer = json.loads(encode(error_line(error)))
        assert answer["error"]["exit_code"] == ExitCode.USAGE
        assert answer["error"]["what"]
        return
    told = {each.name: getattr(request, each.name) for each in fields(request)}
    assert type(request) is REQUESTS[request.do]
    assert all(isinstance(name, str) for name in (*told.get("services", ()), *told.get("files", ())))
    assert (told.get("timeout") or 0.0) >= 0


ANSWERS = st.one_of(LINES, st.fixed_dictionaries({"ok": st.booleans() | TREES}, optional={
    "v": TREES, "error": TREES, "end": TREES}).map(json.dumps).map(str.encode))  # fmt: skip


@tries(10, 10000)
@given(ANSWERS)
def test_any_answer_is_read_or_told_why_not(line: bytes) -> None:
    try:
        answer = Client("/nowhere")._parse(line)
    except PortsupError:
        return
    assert answer["ok"] is True


ERRORS = st.fixed_dictionaries({}, optional=dict.fromkeys(
    ("what", "why", "hint", "exit_code", "problems", "reasons"), TREES | st.lists(TREES, max_size=3)))  # fmt: skip


@tries(10, 10000)
@given(ERRORS | TREES)
def test_any_error_of_the_daemon_can_be_told(report: object) -> None:
    error = error_from(report)
    assert error.what
    assert error.exit_code in set(ExitCode)


@pytest.mark.parametrize("do", REQUESTS)
def test_what_is_required_is_said(do: str) -> None:
    required = [each for each in dataclasses.fields(REQUESTS[do]) if each.default is dataclasses.MISSING]
    if required:
        with pytest.raises(BadRequest, match=f"`{do}` needs"):
            parse_request(json.dumps({"v": VERSION, "do": do}).encode())
