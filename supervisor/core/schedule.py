"""When a job that runs by the clock has its next run, and what a clock that jumps does to that.  Pure.

A run belongs to a moment of the clock, in seconds since 1970, and each moment has one.  The clock may pass several at
once, because somebody set it or the machine slept: they have one run together, at once.  It may go back, too: moments
that had their run have none again.  Only a clock that goes back further than `Schedule.memory` was wrong before, and
the schedule begins anew from what it says now.
"""

import math
from enum import StrEnum

from supervisor.annotations import Protocol
from supervisor.core.state import IS_ASLEEP, State
from supervisor.dataclass import dataclass

MEMORY = 25 * 3600.0  # seconds: a day, and what a time zone moves in it
MEMORY_OF_INTERVALS = 180.0


class Overlap(StrEnum):
    """What happens when it is time for a run and the one before is not over."""

    SKIP = "skip"
    QUEUE = "queue"  # it runs once more as soon as that is over


class CatchUp(StrEnum):
    """What becomes of moments that passed while portsup did not run."""

    NONE = "none"
    ONCE = "once"  # one run for all of them, at `up`


class Due(StrEnum):
    """What to do at the moment of a run."""

    START = "start"
    SKIP = "skip"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a job runs."""

    cron: str  # five fields
    timezone: str = ""  # empty: that of the machine
    jitter: float = 0.0  # the longest delay of a run, by chance, in seconds
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.NONE

    @property
    def memory(self) -> float:
        """How far the clock may go back without a moment having a second run.

        What runs every so many minutes or every hour goes on by the new time, as in Debian's cron.
        """
        is_interval = any(field.startswith("*") for field in self.cron.split()[:2])
        return MEMORY_OF_INTERVALS if is_interval else MEMORY


class Times(Protocol):
    """The moments of a schedule."""

    def after(self, moment: float) -> float:
        """The first one after `moment`; infinity where there is none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of the runs of one job."""

    at: float  # the moment of the next run
    due: float  # when that begins: later by the jitter
    settled: float  # up to here every moment has had its run


def plan(schedule: Schedule, times: Times, settled: float, share: float) -> Plan:
    """The first run after `settled`; `share` of the jitter, 0 to 1, is what chance gave.

    A delay ends before the next moment, so that no run is late by a whole turn.
    """
    at = times.after(settled)
    if not schedule.jitter or at == math.inf:
        return Plan(at, at, settled)
    room = max(times.after(at) - at - 1.0, 0.0)
    return Plan(at, at + min(schedule.jitter * share, room), settled)


def first_plan(schedule: Schedule, times: Times, now: float, settled: float | None, share: float) -> Plan:
    """The plan of a job when portsup has come up; `settled` is that of the last time it ran, None for never."""
    if settled is None or settled > now + schedule.memory:  # none yet, or it is of a clock that was wrong
        return plan(schedule, times, now, share)
    if settled > now:
        return plan(schedule, times, settled, share)
    if schedule.catch_up is CatchUp.ONCE and (at := times.after(settled)) <= now:
        return Plan(at, now, settled)
    return plan(schedule, times, now, share)


def look(schedule: Schedule, times: Times, before: Plan, now: float, share: float) -> tuple[Plan, bool]:
    """The plan at this moment, and whether a run is due."""
    if now < before.settled - schedule.memory:
        return plan(schedule, times, now, share), False
    if now < before.due:
        return before, False
    return plan(schedule, times, max(now, before.at), share), True


def verdict(schedule: Schedule, state: State) -> Due:
    """What to do about a service in this state that is due for a run."""
    if state in IS_ASLEEP:
        return Due.START
    return Due.QUEUE if schedule.overlap is Overlap.QUEUE else Due.SKIP
