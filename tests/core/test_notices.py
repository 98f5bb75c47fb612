"""What somebody is told who does not look: what is gathered, and when it is told."""

from typing import Any

import pytest

from supervisor.core import journal
from supervisor.core.notices import GATHER, MOST, PERIOD, Entry, Gathering, Notify, Occasion
from supervisor.words.notices import lines, title

ALL = Notify(on=tuple(Occasion), every=60.0)
FAILED = {"event": journal.ServiceFailed.event, "service": "api", "result": "exit-code", "why": "exit code 1"}
READY = {"event": journal.ServiceReady.event, "service": "web", "port": 8000}
RESTARTS = {"event": journal.ServiceRestarts.event, "service": "api", "why": "signal 9 (SIGKILL)"}


def heard(*events: dict[str, Any], notify: Notify = ALL) -> Gathering:
    made = Gathering()
    for event in events:
        made.hear(event, notify, 0.0)
    return made


def test_what_happens_together_is_told_together_and_then_nothing_for_a_while() -> None:
    made = heard(FAILED, READY)
    assert made.due(100.0) == 100.0 + GATHER
    told, left_out = made.take(ALL, 101.0)
    assert title("shop", told, left_out) == "shop: 2 things happened"
    assert lines(told, left_out) == "api has failed (exit-code): exit code 1\nweb is ready on port 8000"
    assert made.hear(FAILED, ALL, 110.0)
    assert made.due(110.0) == 161.0, "a minute after the last one"
    assert made.take(ALL, 161.0) == ([Entry(Occasion.FAILED, FAILED)], 0)


def test_what_nobody_wants_to_know_is_not_told() -> None:
    usual = Notify()
    assert heard(READY, {"event": journal.ServiceSpawned.event, "service": "api"}, notify=usual).entries == []
    assert [each.occasion for each in heard(FAILED, READY, notify=usual).entries] == [Occasion.FAILED]


def test_the_third_restart_within_five_minutes_is_told_once() -> None:
    made = Gathering()
    told = [made.hear(RESTARTS, ALL, at) for at in (0.0, 100.0, 200.0, 250.0, 260.0)]
    assert told == [False, False, True, False, False]
    entries, left_out = made.take(ALL, 260.0)
    assert title("shop", entries, left_out) == "shop: api restarts again and again"
    assert lines(entries, left_out) == "api restarted 3 times within 5 minutes: signal 9 (SIGKILL)"
    later = 260.0 + PERIOD
    assert [made.hear(RESTARTS, ALL, at) for at in (later, later + 1, later + 2)] == [False, False, True]


def test_of_very_much_only_the_first_lines_are_told_and_how_much_more_there_is() -> None:
    made = heard(*[FAILED] * (MOST + 5))
    entries, left_out = made.take(ALL, 0.0)
    assert (len(entries), left_out) == (MOST, 5)
    assert lines(entries, left_out).splitlines()[-1] == "and 5 more: see `portsup events`"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (FAILED, "shop: api has failed"),
        (READY, "shop: web is ready"),
        ({"event": journal.ServiceUnhealthy.event, "service": "api", "why": "503"}, "shop: api is unhealthy"),
        ({"event": journal.Fatal.event, "what": "x", "why": "y"}, "shop: the stack has failed"),
    ],
)
def test_one_thing_is_in_the_title(event: dict[str, Any], words: str) -> None:
    assert title("shop", heard(event).entries, 0) == words
