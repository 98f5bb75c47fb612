"""What `why` makes of events."""

import math
from datetime import datetime
from typing import Any

import pytest

from supervisor.words import events as words


def event(what: str, service: str | None = "api", level: str = "info", **facts: Any) -> dict[str, Any]:
    about = {} if service is None else {"service": service}
    return {"time": "2026-03-01T09:30:00.1Z", "level": level, "event": what, **about, **facts}


START = event("instance starts", None)
CRASH = event("service restarts", why="exit code 1", restarts=1)
FAILED = event("service failed", result="start-limit", why="exit code 1", words="gave up\n  look here")


def test_only_the_last_run_counts() -> None:
    assert words.of_last_run([START, CRASH, START, FAILED]) == [START, FAILED]


def test_a_chapter_goes_from_the_last_failure_to_the_next() -> None:
    ready = event("service ready", port=8100)
    events = [START, event("service starting"), ready, CRASH, event("service starting"), FAILED, ready]
    first, second = words.chapters(events, "api")
    assert [each["event"] for each in first] == ["service starting", "service ready", "service restarts"]
    assert [each["event"] for each in second] == ["service starting", "service failed"]
    assert words.later(events, "api") == [ready]


def test_a_process_that_ends_and_leaves_others_is_one_failure() -> None:
    left, spawned = event("processes left behind", why="signal 9 (SIGKILL)", pid=7), event("service spawned", pid=8)
    events = [START, spawned, left, CRASH, spawned, left, CRASH, spawned, CRASH]
    assert words.chapters(events, "api") == [[spawned, left, CRASH], [spawned, left, CRASH], [spawned, CRASH]]
    assert words.chapters([START, spawned, left, spawned], "api") == [[spawned, left]]


def test_what_it_printed_for_a_failure_ends_where_its_next_process_begins() -> None:
    start = START | {"time": "2026-03-01T09:00:00.1Z"}
    begin, failed, spawned = (
        datetime.fromisoformat(f"2026-03-01T09:{minute}:00.1+00:00").timestamp() for minute in ("00", "30", "31")
    )
    again = event("service spawned", pid=8) | {"time": "2026-03-01T09:31:00.1Z"}
    once_more = event("service spawned", pid=9) | {"time": "2026-03-01T09:32:00.1Z"}
    assert words.span_of_output([start, CRASH], "api") == (begin, math.inf)
    assert words.span_of_output([start, CRASH, again, once_more], "api") == (begin, spawned)
    assert words.span_of_output([start, again, CRASH], "api") == (begin, math.inf)
    assert begin < failed < spawned


def test_other_services_are_left_out() -> None:
    assert words.chapters([CRASH, event("service failed", "other")], "other") == [[event("service failed", "other")]]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (event("service says", says="serves 3 sites", pid=7), "says: serves 3 sites"),
        (event("service stops itself", pid=7), "says that it is stopping (pid 7)"),
        (event("main process told", pid=8), "says that another process stands for it (pid 8)"),
        (
            event("notice refused", pid=9, name="sh"),
            "portsup ignores a report from `sh` (pid 9), which is not one of its processes",
        ),
        (event("service is ended", pid=7, why="said nothing"), "is asked to stop (pid 7): said nothing"),
        (
            event("port skipped", port=8101, skipped={"8100": "held by `node` (pid 3, user ada)"}),
            "port 8100: held by `node` (pid 3, user ada); takes 8101",
        ),
        (event("service spawned", pid=7, port=8100), "runs (pid 7) on port 8100"),
        (event("service not ready yet", why="GET / answered 503"), "is not ready yet: GET / answered 503"),
        (CRASH, "exit code 1: restart 1"),
        (FAILED, "has failed (start-limit): exit code 1"),
        (event("service of tomorrow", why="who knows"), "of tomorrow: who knows"),
    ],
)
def test_events_are_sentences(told: dict[str, Any], sentence: str) -> None:
    assert words.sentence(told) == sentence


def test_the_advice_of_a_failure_is_what_was_said_then() -> None:
    assert words.advice([FAILED], "api", "failed") == ["gave up", "  look here"]


@pytest.mark.parametrize(
    ("seen", "because"),
    [
        ("bind not seen", "portsup may not look into a process of it that binds"),
        ("seccomp listener refused", "it needs a seccomp listener of its own"),
    ],
)
@pytest.mark.parametrize("end", [FAILED, CRASH])
def test_what_the_handoff_keeps_from_its_work_is_advised_to_do_without(
    seen: str, because: str, end: dict[str, Any]
) -> None:
    first, *_ = words.advice([event(seen, level="warning"), end], "api", "failed")
    assert first == f"set `handoff: off` for `api` in services.yaml: {because}"


def test_a_port_that_was_taken_leads_to_who_has_it() -> None:
    skipped = event("port skipped", port=8101, skipped={"8100": "held by `node`"})
    advice = words.advice([skipped, CRASH], "api", "stopped")
    assert any("portsup ports" in words for words in advice)
    assert "`portsup start api` tries again" in advice


def test_a_rotation_that_was_asked_for_is_no_failure() -> None:
    asked = event("port left", level="warning", port=8100, why="rotation requested", is_requested=True)
    assert words.chapters([asked, CRASH], "api") == [[asked, CRASH]]
    assert words.chapters([asked], "api") == []


def test_nothing_wrong_needs_no_advice() -> None:
    assert words.advice([event("service ready")], "api", "running") == []


def test_a_pool_without_a_free_port_tells_who_has_each() -> None:
    events: list[words.Event] = [
        {"time": "t", "level": "info", "event": "service acquiring", "service": "web"},
        {"time": "t", "level": "error", "event": "service failed", "service": "web", "words": "none"},
        {
            "time": "t", "level": "error", "event": "fatal", "service": "web", "why": "no port can be used",
            "reasons": {"8100": "held by `node` (pid 7)"}, "hint": "stop what is in the way",
        },
    ]  # fmt: skip
    assert words.advice(events, "web", "stopped") == ["port 8100: held by `node` (pid 7)", "stop what is in the way"]
    assert [words.sentence(event) for event in words.later(events, "web")] == ["the stack ends: no port can be used"]
