"""Schedules as they are written, and the moments that they name."""

import builtins
import math
from datetime import datetime
from typing import Any

import pytest

from supervisor.config.schedules import Moments, shown
from supervisor.config.show import resolved
from supervisor.core.schedule import CatchUp, Overlap, Schedule
from supervisor.errors import install
from tests.config.conftest import Loading, Mistakes

MADRID = "Europe/Madrid"


def job(schedule: str, more: str = "one_shot: true, ") -> str:
    return f"services: {{a: {{command: x, {more}schedule: {schedule}}}}}"


def runs(cron: str, since: str, count: int, zone: str = MADRID) -> list[str]:
    schedule, moment, found = Schedule(cron, zone), datetime.fromisoformat(since).timestamp(), []
    for _ in range(count):
        moment = Moments(schedule).after(moment)
        found.append(shown(moment, schedule))
    return found


def test_a_schedule_is_five_fields_or_a_mapping(loading: Loading) -> None:
    assert loading(job('"0 3 * * *"')).services["a"].schedule == Schedule("0 3 * * *")
    stack = loading(job(f'{{cron: "*/5 * * * MON", timezone: {MADRID}, jitter: 30s, overlap: queue, catch_up: once}}'))
    full = Schedule("*/5 * * * MON", MADRID, 30.0, Overlap.QUEUE, CatchUp.ONCE)
    assert stack.services["a"].schedule == full
    assert resolved(stack)["services"]["a"]["schedule"] == {
        "cron": "*/5 * * * MON", "timezone": MADRID, "jitter": 30.0, "overlap": "queue", "catch_up": "once"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (job('"0 3 * *"'), "`0 3 * *` does not fit: five fields"),
        (job('"0 3 * * * *"'), "does not fit: five fields"),
        (job('"0 99 * * *"'), "`0 99 * * *` is no schedule: bad hour (write it as in crontab(5)"),
        (job('"@daily"'), "`@daily` has no five fields (write `0 0 * * *`)"),
        (job('"@reboot"'), "(leave `schedule` out: a job without one runs at `up`)"),
        (job(f'{{cron: "0 3 * * *", timezone: {MADRID}d}}'), f"there is no time zone `{MADRID}d`"),
        (job(f"{{timezone: {MADRID}}}"), "services.a.schedule has no `cron`"),
        (job('"0 0 * 2 1#5"'), ""),
        (job('"0 3 * * *"', more=""), "only a job runs by the clock"),
        (job('{cron: "0 3 * * *", overlap: both}'), "is not one of skip, queue"),
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_a_mistake_with_what_to_write(mistakes: Mistakes, loading: Loading, text: str,
                                                             words: str) -> None:  # fmt: skip
    if not words:
        loading(text)
        return
    assert any(words in mistake for mistake in mistakes(text)), mistakes(text)


def test_nobody_can_wait_for_a_job_that_runs_by_the_clock(mistakes: Mistakes) -> None:
    text = job('"0 3 * * *"')[:-1] + ", b: {command: x, depends_on: {a: completed_ok}}}"
    (mistake,) = mistakes(text)
    assert "services.b.depends_on: `a` runs by its `schedule`" in mistake


def test_a_missing_extra_is_a_mistake_that_tells_the_command(mistakes: Mistakes,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    really: Any = builtins.__import__

    def without(name: str, *more: Any, **others: Any) -> Any:
        if name == "cronsim":
            raise ImportError("No module named 'cronsim'", name=name)
        return really(name, *more, **others)

    monkeypatch.setattr(builtins, "__import__", without)
    assert mistakes(job('"0 3 * * *"')) == [
        f"1:44 services.a.schedule: the package `cronsim` is not installed (`{install('schedule')}`)"
    ]


def test_summer_time_neither_loses_a_run_at_a_fixed_time_nor_repeats_it() -> None:
    spring = runs("30 2 * * *", "2026-03-28T01:00+01:00", 3)
    assert spring == ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]
    autumn = runs("30 2 * * *", "2026-10-24T01:00+02:00", 3)
    assert autumn == ["2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]
    # Asked within the second of the two hours, after the run was.
    assert runs("30 2 * * *", "2026-10-25T02:10:00+01:00", 1) == ["2026-10-26T02:30:00+01:00"]


def test_what_runs_each_half_hour_does_so_in_both_hours_that_the_clock_shows_twice() -> None:
    assert runs("*/30 * * * *", "2026-10-25T01:45+02:00", 5) == [
        "2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00",
        "2026-10-25T02:30:00+01:00", "2026-10-25T03:00:00+01:00",
    ]  # fmt: skip
    assert runs("*/30 * * * *", "2026-03-29T01:15+01:00", 2) == [
        "2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00"
    ]  # fmt: skip


@pytest.mark.parametrize("zone", [MADRID, "Australia/Lord_Howe", "America/New_York", "UTC", ""])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 * * * *", "*/20 1-3 * * *", "15 2 * * SUN"])
@pytest.mark.parametrize("begin", ["2026-03-01", "2026-03-25", "2026-09-28", "2026-10-20"])
def test_moments_come_one_after_the_other_also_around_a_change_of_the_clock(begin: str, cron: str, zone: str) -> None:
    moments, moment = Moments(Schedule(cron, zone)), datetime.fromisoformat(f"{begin}T00:00+00:00").timestamp()
    until, longest = moment + 13 * 86400, 0.0
    while moment < until:
        after = moments.after(moment)
        assert after > moment
        assert after < math.inf
        longest = max(longest, after - moment)
        moment = after
    assert longest <= (8 if cron.endswith("SUN") else 1.1) * 86400


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 3 30 2 *", "`0 3 30 2 *` never comes (name a day that one of its months has)"),
        ("0 3 31 2,4,6 *", "never comes"),
        ("0 3 1 13 *", "is no schedule: bad month"),
        ("0 3 32 * *", "is no schedule: bad day-of-month"),
        ("61 3 30 2 *", "is no schedule: bad minute"),
    ],
)
def test_a_day_that_none_of_its_months_has_never_comes(mistakes: Mistakes, cron: str, said: str) -> None:
    (found,) = mistakes(job(f'"{cron}"'))
    assert said in found


@pytest.mark.parametrize("cron", ["@sometimes", "0 3 * *", "0 0 3 * * *", "''"])
def test_what_has_not_five_fields_is_a_mistake(mistakes: Mistakes, cron: str) -> None:
    assert len(mistakes(job(f"'{cron}'" if cron != "''" else cron))) == 1


@pytest.mark.parametrize("rule", ["CET-1CEST", "UTC0", "nonsense", ":no/such"])
def test_a_machine_whose_time_zone_is_a_rule_without_a_name_needs_one_in_the_file(
    mistakes: Mistakes, loading: Loading, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    monkeypatch.setattr("tzlocal.unix._cache_tz", None)  # what it has found before
    monkeypatch.setenv("TZ", rule)
    why = f"services.a.schedule.timezone: that of this machine has no name, `TZ` is `{rule}`"
    assert why in mistakes(job('"0 3 * * *"'))[0]
    assert loading(job('{cron: "0 3 * * *", timezone: UTC}')).services
