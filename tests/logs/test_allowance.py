"""How many events of a kind a service may cause."""

import json
from pathlib import Path

import pytest

from supervisor.logs.allowance import NOTICES, STEPS, Allowances, Rate, rate_of
from supervisor.logs.journal import open_journal


def test_a_burst_is_told_and_what_follows_at_its_rate() -> None:
    allowances, rate = Allowances(), Rate(3, 10.0)
    assert [allowances.admit(("web", "x"), rate, 100.0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert [allowances.admit(("web", "x"), rate, now) for now in (109.0, 110.5, 111.0, 120.5)] == [
        False, True, False, True,
    ]  # fmt: skip
    assert list(allowances.left_out()) == [(("web", "x"), 4)]
    assert list(allowances.left_out()) == []


def test_silence_is_saved_up_to_a_burst_and_no_more() -> None:
    allowances, rate = Allowances(), Rate(3, 10.0)
    for _ in range(3):
        allowances.admit(("web", "x"), rate, 0.0)
    assert [allowances.admit(("web", "x"), rate, 100_000.0) for _ in range(4)] == [True] * 3 + [False]


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    allowances, rate = Allowances(), Rate(3, 10.0)
    assert [allowances.admit(("web", "x"), rate, now) for now in (100.0, 50.0, 20.0)] == [True] * 3


def test_services_and_events_have_accounts_of_their_own() -> None:
    allowances, rate = Allowances(), Rate(1, 10.0)
    assert allowances.admit(("web", "x"), rate, 0.0)
    assert allowances.admit(("db", "x"), rate, 0.0)
    assert allowances.admit(("web", "y"), rate, 0.0)
    assert not allowances.admit(("web", "x"), rate, 0.0)


@pytest.mark.parametrize("event", ["bind not seen", "main process told", "service restarts", "service says"])
def test_a_flood_of_one_service_leaves_the_journal_to_the_others(tmp_path: Path, event: str) -> None:
    now = 0.0
    journal = open_journal(tmp_path / "portsup.log", clock=lambda: now)
    journal.log("info", "service ready", service="db", state="running")
    for _ in range(50_000):
        journal.log("warning", event, service="web", why="bad file descriptor")
    journal.count_left_out()
    journal.log("warning", event, service="db", why="another one")
    journal.close()
    lines = [json.loads(line) for line in (tmp_path / "portsup.log").read_text().splitlines()]
    burst = rate_of(event).burst
    assert [line["event"] for line in lines if line["service"] == "web"] == [event] * burst + ["events left out"]
    assert (lines[-2]["of"], lines[-2]["count"]) == (event, 50_000 - burst)
    assert [line["event"] for line in lines if line["service"] == "db"] == ["service ready", event]


def test_what_ends_a_service_and_what_is_about_none_is_always_told(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "portsup.log", clock=lambda: 0.0)
    for _ in range(STEPS.burst * 2):
        assert journal.log("error", "service failed", service="web")
        assert journal.log("warning", "control socket is gone: made again")
    journal.close()
    assert len((tmp_path / "portsup.log").read_text().splitlines()) == STEPS.burst * 4
    assert NOTICES.burst < STEPS.burst
