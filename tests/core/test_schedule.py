"""When jobs run by the clock, and clocks that jump."""

import math
import random

import pytest

from supervisor.core.schedule import MEMORY, CatchUp, Due, Overlap, Plan, Schedule, first_plan, look, plan, verdict
from supervisor.core.state import State

HOUR, DAY = 3600.0, 86400.0
DAILY, MINUTELY = Schedule("0 3 * * *"), Schedule("*/5 * * * *")


class Every:
    """A moment every so many seconds, `begin` after midnight."""

    def __init__(self, step: float, begin: float = 0.0) -> None:
        self.step, self.begin = step, begin

    def after(self, moment: float) -> float:
        return self.begin + self.step * (math.floor((moment - self.begin) / self.step) + 1)


AT_THREE, EVERY_FIVE = Every(DAY, 3 * HOUR), Every(300.0)


class Never:
    def after(self, moment: float) -> float:
        return math.inf


class Clock:
    """Runs a schedule by a clock that somebody sets, and counts."""

    def __init__(self, schedule: Schedule, times: Every, now: float) -> None:
        self.schedule, self.times, self.now = schedule, times, now
        self.plan = first_plan(schedule, times, now, None, 0.0)
        self.runs: list[float] = []  # the moments that had a run

    def set(self, now: float) -> None:
        self.now = now
        before = self.plan
        self.plan, is_due = look(self.schedule, self.times, before, now, 0.0)
        if is_due:
            self.runs.append(before.at)

    def go_on(self, seconds: float) -> None:
        until = self.now + seconds
        while self.plan.due <= until:
            self.set(self.plan.due)
        self.set(until)


@pytest.mark.parametrize("jump", [HOUR, DAY])
def test_a_clock_that_is_set_back_repeats_no_run_at_a_fixed_time(jump: float) -> None:
    clock = Clock(DAILY, AT_THREE, 10 * DAY)
    clock.go_on(3.5 * HOUR)
    assert clock.runs == [10 * DAY + 3 * HOUR]
    clock.set(clock.now - jump)
    clock.go_on(jump)
    assert clock.runs == [10 * DAY + 3 * HOUR]
    clock.go_on(DAY)
    assert clock.runs == [10 * DAY + 3 * HOUR, 11 * DAY + 3 * HOUR]


@pytest.mark.parametrize("jump", [HOUR, DAY, 7 * DAY])
def test_a_clock_that_is_set_forward_over_a_run_has_it_once(jump: float) -> None:
    clock = Clock(DAILY, AT_THREE, 10 * DAY + 2.5 * HOUR)
    clock.set(clock.now + jump)
    assert clock.runs == [10 * DAY + 3 * HOUR]
    clock.set(clock.now + 1.0)
    assert len(clock.runs) == 1
    clock.set(clock.now - jump)  # it was a mistake
    clock.go_on(min(jump, DAY))
    assert len(clock.runs) == (1 if jump < MEMORY else 2)


def test_a_clock_that_was_wrong_by_more_than_a_day_stops_no_schedule() -> None:
    clock = Clock(DAILY, AT_THREE, 400 * DAY)
    clock.set(10 * DAY)
    assert clock.plan.at == 10 * DAY + 3 * HOUR
    clock.go_on(2 * DAY)
    assert clock.runs == [10 * DAY + 3 * HOUR, 11 * DAY + 3 * HOUR]


def test_what_runs_every_few_minutes_goes_on_by_the_new_time() -> None:
    clock = Clock(MINUTELY, EVERY_FIVE, 10 * DAY)
    clock.go_on(HOUR)
    assert len(clock.runs) == 12
    clock.set(clock.now - HOUR)
    clock.go_on(HOUR)
    assert len(clock.runs) == 24
    clock.go_on(299.0)
    clock.set(clock.now - 60.0)  # a small correction is none that a run is repeated for
    clock.go_on(61.0)
    assert len(clock.runs) == 25


@pytest.mark.parametrize("seed", range(200))
def test_no_moment_is_lost_or_has_two_runs_however_the_clock_jumps(seed: int) -> None:
    chance = random.Random(seed)
    clock = Clock(DAILY, AT_THREE, 10 * DAY + chance.uniform(0, DAY))
    begun = furthest = clock.now
    for _ in range(60):
        if chance.random() < 0.5:
            clock.go_on(chance.uniform(0, 8 * HOUR))
        else:
            jump = chance.choice([-DAY, -HOUR, -1.0, 1.0, HOUR, DAY]) * chance.uniform(0.5, 1.0)
            clock.set(max(clock.now + jump, furthest - 24.9 * HOUR))
        furthest = max(furthest, clock.now)
        assert clock.runs == sorted(set(clock.runs))
        assert clock.plan.at == AT_THREE.after(furthest)  # all before it had their run
    first, last = AT_THREE.after(begun), AT_THREE.after(furthest) - DAY
    if last >= first:
        assert clock.runs[0] == first
    # Moments that one jump has passed have one run together, that of the first of them.
    missing = {first + number * DAY for number in range(round((last - first) / DAY) + 1)} - set(clock.runs)
    assert all(moment - DAY in clock.runs or moment - DAY in missing for moment in missing)


def test_a_step_back_right_after_a_run_repeats_it_not() -> None:
    clock = Clock(MINUTELY, EVERY_FIVE, 10 * DAY)
    clock.go_on(300.0)
    clock.set(clock.now - 0.5)
    clock.go_on(1.0)
    assert len(clock.runs) == 1


def test_jitter_delays_a_run_and_ends_before_the_next() -> None:
    schedule = Schedule("0 3 * * *", jitter=60.0)
    assert plan(schedule, AT_THREE, 0.0, 0.5) == Plan(3 * HOUR, 3 * HOUR + 30.0, 0.0)
    tight = Schedule("*/5 * * * *", jitter=HOUR)
    assert plan(tight, EVERY_FIVE, 0.0, 1.0).due == 300.0 + 299.0
    after, is_due = look(schedule, AT_THREE, Plan(3 * HOUR, 3 * HOUR + 30.0, 0.0), 3 * HOUR + 10.0, 0.5)
    assert (after.at, is_due) == (3 * HOUR, False)


def test_nothing_runs_when_portsup_comes_up_unless_missed_runs_are_made_up_for() -> None:
    now = 10 * DAY + 4 * HOUR
    once = Schedule("0 3 * * *", catch_up=CatchUp.ONCE)
    assert first_plan(DAILY, AT_THREE, now, None, 0.0).at == 11 * DAY + 3 * HOUR
    assert first_plan(DAILY, AT_THREE, now, 5 * DAY, 0.0).at == 11 * DAY + 3 * HOUR
    assert first_plan(once, AT_THREE, now, None, 0.0).at == 11 * DAY + 3 * HOUR
    missed = first_plan(once, AT_THREE, now, 5 * DAY, 0.0)
    assert missed.due == now
    after, is_due = look(once, AT_THREE, missed, now, 0.0)
    assert (is_due, after.at) == (True, 11 * DAY + 3 * HOUR)
    assert first_plan(once, AT_THREE, now, 10 * DAY + 3.5 * HOUR, 0.0).at == 11 * DAY + 3 * HOUR


def test_a_clock_that_was_set_back_while_portsup_did_not_run_repeats_nothing() -> None:
    ran = 10 * DAY + 3 * HOUR
    assert first_plan(DAILY, AT_THREE, ran - HOUR, ran, 0.0).at == 11 * DAY + 3 * HOUR
    assert first_plan(DAILY, AT_THREE, ran - 9 * DAY, ran, 0.0).at == 2 * DAY + 3 * HOUR  # that clock was wrong


def test_a_schedule_that_never_comes_is_never_due() -> None:
    found = plan(Schedule("0 0 29 2 *", jitter=5.0), Never(), 0.0, 1.0)
    assert look(DAILY, Never(), found, 1e12, 0.0) == (found, False)


@pytest.mark.parametrize("state", State)
def test_a_run_begins_only_where_the_one_before_is_over(state: State) -> None:
    is_over = state in (State.IDLE, State.STOPPED, State.EXITED, State.FAILED)
    assert verdict(DAILY, state) is (Due.START if is_over else Due.SKIP)
    assert verdict(Schedule("0 3 * * *", overlap=Overlap.QUEUE), state) is (Due.START if is_over else Due.QUEUE)
