"""The id that a request has in every service, and the lines that are logged of it."""

import json
import logging

import pytest

from examples.trace import JsonLines, TextLines, follow

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize("header", [f"00-{TRACE}-{SPAN}-00", f" 00-{TRACE}-{SPAN}-00 ", f"01-{TRACE}-{SPAN}-00-more"])
def test_the_callers_trace_goes_on_with_a_span_of_ours(header: str) -> None:
    trace = follow(header)
    assert (trace.trace_id, trace.parent_id, trace.flags) == (TRACE, SPAN, "00")
    assert trace.span_id != SPAN
    assert trace.header == f"00-{TRACE}-{trace.span_id}-00"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"01-{TRACE}-{SPAN}-01more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
    ],
)
def test_a_trace_begins_where_none_can_be_read(header: str) -> None:
    trace = follow(header)
    assert trace.trace_id not in (TRACE, "0" * 32)
    assert trace.parent_id == ""
    assert follow(header).trace_id != trace.trace_id


def record(**facts: object) -> logging.LogRecord:
    made = logging.LogRecord("web", logging.INFO, "", 0, "request", (), None)
    made.facts = facts
    return made


def test_a_fact_can_not_forge_a_line() -> None:
    line = TextLines().format(record(path="/x\nINFO web: all is well", status=200))
    assert line == 'INFO web: request path="/x\\nINFO web: all is well" status=200'


def test_a_json_line_has_the_facts_as_keys() -> None:
    entry = json.loads(JsonLines().format(record(path="/x\ny", ms=1.5)))
    assert entry.pop("time") > 0
    assert entry == {"level": "info", "logger": "web", "event": "request", "path": "/x\ny", "ms": 1.5}
