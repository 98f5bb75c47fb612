"""How long a start took, made of events."""

from typing import Any

import pytest

from supervisor.api.launch import _MILESTONES, Launch, critical_chain, launches, phases
from supervisor.core.order import Condition

START = {"time": "2026-03-01T09:30:00.000000Z", "level": "info", "event": "instance starts"}
NEEDS = {"db": {}, "api": {"db": "ready"}, "web": {"api": "listening", "db": "ready"}}


def event(at: float, service: str, what: str) -> dict[str, Any]:
    minutes, seconds = divmod(at, 60)
    time = f"2026-03-01T09:{30 + int(minutes)}:{seconds:09.6f}Z"
    return {"time": time, "level": "info", "event": f"service {what}", "service": service}


def acquired(*names: str) -> list[dict[str, Any]]:
    return [event(0.1, name, what) for name in names for what in ("acquiring", "waiting")]


RUN = [
    START,
    *acquired("web", "db", "api"),
    event(0.2, "db", "starting"), event(0.3, "db", "spawned"), event(1.3, "db", "listens"), event(2.3, "db", "ready"),
    event(2.4, "api", "starting"), event(2.5, "api", "spawned"), event(3.5, "api", "listens"),
    event(3.6, "web", "starting"), event(3.7, "web", "spawned"), event(4.0, "web", "ready"),
    event(9.0, "api", "ready"),
]  # fmt: skip


def told(*events: dict[str, Any]) -> dict[str, Launch]:
    return {each.name: each for each in launches(events, NEEDS)}


def seconds(launch: Launch) -> dict[str, float | None]:
    return {name: time and round(time, 3) for name, time in phases(launch)}


def test_each_phase_has_its_time() -> None:
    found = told(*RUN)
    assert list(found) == ["db", "web", "api"], "in the order in which they were there"
    assert seconds(found["db"]) == {"port": 0.0, "waited": 0.1, "spawn": 0.1, "listening": 1.0, "ready": 1.0}
    assert seconds(found["api"]) == {"port": 0.0, "waited": 2.3, "spawn": 0.1, "listening": 1.0, "ready": 5.5}
    assert seconds(found["web"]) == {"port": 0.0, "waited": 3.5, "spawn": 0.1, "listening": None, "ready": 0.3}
    assert {each.outcome for each in found.values()} == {"ready"}


def test_the_chain_names_who_kept_the_end() -> None:
    assert [each.name for each in critical_chain(list(told(*RUN).values()))] == ["api", "db"]
    found = told(*RUN[:-1])
    assert [each.name for each in critical_chain(list(found.values()))] == ["web", "api", "db"]
    assert (found["web"].after, found["api"].after, found["db"].after) == ("api", "db", "")


def test_every_condition_has_its_milestone() -> None:
    assert set(_MILESTONES) == set(Condition)


@pytest.mark.parametrize(
    ("condition", "after"),
    [("started", "slow"), ("listening", "slow"), ("ready", "job"), ("completed", "job"), ("completed_ok", "job")],
)
def test_a_dependency_counts_from_when_it_is_far_enough(condition: str, after: str) -> None:
    events = [
        START, *acquired("job", "slow", "web"),
        event(0.2, "job", "starting"), event(0.2, "slow", "starting"), event(0.3, "job", "spawned"),
        event(0.4, "job", "exited"), event(0.5, "slow", "spawned"), event(0.6, "slow", "listens"),
        event(0.7, "web", "starting"), event(0.8, "slow", "ready"),
    ]  # fmt: skip
    needs = {"web": {"job": "completed_ok", "slow": condition}}
    [web] = [each for each in launches(events, needs) if each.name == "web"]
    assert web.after == after


def test_restarts_on_the_way_count_and_what_comes_later_does_not() -> None:
    events = [
        START, *acquired("db"),
        event(0.2, "db", "starting"), event(0.3, "db", "spawned"), event(0.4, "db", "listens"),
        event(0.5, "db", "backoff"), event(1.0, "db", "spawned"), event(1.5, "db", "ready"),
        event(60.0, "db", "spawned"), event(61.0, "db", "ready"), event(70.0, "db", "failed"),
    ]  # fmt: skip
    db = told(*events)["db"]
    assert (db.starts, db.outcome, db.settled) == (2, "ready", 1.5)
    assert seconds(db) == {"port": 0.0, "waited": 0.1, "spawn": 0.8, "listening": None, "ready": 0.5}


def test_hooks_before_a_start_are_no_waiting() -> None:
    events = [
        START, *acquired("db"), event(0.2, "db", "preparing"), event(5.2, "db", "starting"),
        event(5.3, "db", "spawned"), event(5.4, "db", "ready"),
    ]  # fmt: skip
    assert seconds(told(*events)["db"]) == {"port": 0.0, "waited": 0.1, "spawn": 5.1, "listening": None, "ready": 0.1}


def test_one_that_failed_or_is_not_there_is_told_as_such() -> None:
    events = [
        START, *acquired("db", "api"), event(0.2, "db", "starting"), event(0.3, "db", "spawned"),
        event(0.4, "db", "failed"),
    ]  # fmt: skip
    found = told(*events)
    assert [(each.name, each.outcome, each.settled) for each in found.values()] == [
        ("db", "failed", 0.4),
        ("api", "", None),
    ]
    assert [each.name for each in critical_chain(list(found.values()))] == ["db"]
    assert critical_chain([found["api"]]) == []


def test_who_is_started_by_hand_later_is_no_part_of_the_start() -> None:
    later = [*acquired("late"), event(30.0, "late", "starting"), event(31.0, "late", "ready")]
    assert "late" not in told(*RUN, *later)


def test_one_that_waits_for_its_first_client_is_no_part_of_the_start() -> None:
    lazy = [event(0.1, "lazy", "acquiring"), event(0.1, "lazy", "idle"), event(0.1, "job", "acquiring")]
    woken = [event(60.0, "lazy", "called"), event(60.1, "lazy", "starting"), event(60.2, "lazy", "ready")]
    found = told(START, *lazy, event(0.1, "job", "idle"), *RUN[1:], *woken)
    assert list(found) == list(told(*RUN))
    assert critical_chain(list(found.values()))[0].name == "api"


def test_one_that_waits_for_clients_counts_where_another_needed_it() -> None:
    events = [
        START, event(0.1, "db", "acquiring"), event(0.1, "db", "idle"), *acquired("api"),
        event(0.2, "db", "starting"), event(0.9, "db", "ready"), event(1.0, "api", "starting"),
        event(1.1, "api", "ready"),
    ]  # fmt: skip
    found = told(*events)
    assert (list(found), found["api"].after) == (["db", "api"], "db")
