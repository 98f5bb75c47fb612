"""Starts jobs by the clock: one timer for all, and a look on each round whether somebody has set the clock."""

import asyncio
import contextlib
import json
import math
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from supervisor.config.schedules import Moments, shown
from supervisor.core import schedule as rules
from supervisor.core.journal import RunBegins, RunPlanned, RunQueued, RunSkipped
from supervisor.core.journal.event import Event
from supervisor.core.schedule import Due, Plan, Schedule
from supervisor.core.service import Service
from supervisor.core.state import AT_REST
from supervisor.daemon.service.slot import Slot
from supervisor.dataclass import dataclass
from supervisor.files.content import read
from supervisor.files.opening import Refused
from supervisor.files.replacement import write

LONGEST = 1 << 20  # bytes of the file that keeps what has run
LATE = 2.0  # seconds after which a run is late
LONGEST_SLEEP = 3600.0  # seconds between two looks at the clock without rounds


class Surroundings(Protocol):
    """What the jobs are in."""

    def start(self, name: str, /) -> None: ...
    def tell(self, event: Event, /) -> object: ...
    def status_changed(self, name: str, /) -> None:
        """That `next_run` of a slot is another one."""


@dataclass(slots=True)
class Job:
    """One job with a schedule, while it is wanted."""

    schedule: Schedule
    times: Moments
    plan: Plan
    is_queued: bool = False


class Schedules:
    """The jobs of one instance that run by the clock; `clock` gives seconds since 1970, `chance` 0 to 1."""

    def __init__(
        self, slots: Mapping[str, Slot], loop: asyncio.AbstractEventLoop, around: Surroundings, file: Path,
        clock: Callable[[], float] = time.time, chance: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        self._slots, self._loop, self._around = slots, loop, around
        self._file, self._clock, self._chance = file, clock, chance
        self._jobs: dict[str, Job] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._settled = _kept(file)

    def changed(self, before: Service, after: Service) -> None:
        """A service may be wanted now, or no longer, or have another schedule, or be over with its run."""
        slot, job = self._slots.get(after.name), self._jobs.get(after.name)
        schedule = slot.spec.schedule if slot is not None and slot.is_wanted else None
        if schedule is None:
            if job is not None:
                del self._jobs[after.name]
                if slot is not None:
                    slot.next_run = ""
                self._arm()
        elif job is None or job.schedule != schedule:
            self._plan(after.name, schedule)
        elif job.is_queued and after.state in AT_REST:
            job.is_queued = False
            self._loop.call_soon(self._start, after.name)

    def look(self) -> None:
        """Starts what is due by the clock as it is now."""
        now = self._clock()
        for name, job in tuple(self._jobs.items()):
            before = job.plan
            job.plan, is_due = rules.look(job.schedule, job.times, before, now, self._chance())
            if is_due:
                self._run(name, job, before, now)
            if job.plan is not before:
                self._keep(name, job)
                self._tell_plan(name, job)
        self._arm()

    def close(self) -> None:
        """Starts nothing any more."""
        self._jobs.clear()
        self._arm()

    def _plan(self, name: str, schedule: Schedule) -> None:
        times = Moments(schedule)
        settled = self._settled.get(f"{name} {schedule.cron} {schedule.timezone}")
        plan = rules.first_plan(schedule, times, self._clock(), settled, self._chance())
        job = self._jobs[name] = Job(schedule, times, plan)
        self._keep(name, job)
        self._tell_plan(name, job)
        self._arm()

    def _run(self, name: str, job: Job, before: Plan, now: float) -> None:
        at = shown(before.at, job.schedule)
        match rules.verdict(job.schedule, self._slots[name].service.state):
            case Due.START:
                late = now - min(before.due, before.at + job.schedule.jitter)
                self._around.tell(RunBegins(service=name, at=at, late=round(late, 1) if late > LATE else None))
                self._start(name)
            case Due.QUEUE:
                job.is_queued = True
                self._around.tell(RunQueued(service=name, at=at))
            case Due.SKIP:
                self._around.tell(RunSkipped(service=name, at=at))

    def _start(self, name: str) -> None:
        if name in self._jobs:  # nobody has stopped it meanwhile
            self._around.start(name)

    def _tell_plan(self, name: str, job: Job) -> None:
        at = self._slots[name].next_run = "" if job.plan.at == math.inf else shown(job.plan.at, job.schedule)
        if at:
            self._around.tell(RunPlanned(service=name, at=at))
        self._around.status_changed(name)

    def _keep(self, name: str, job: Job) -> None:
        """Remembers up to when a job has had its runs, for the next `up`."""
        self._settled[f"{name} {job.schedule.cron} {job.schedule.timezone}"] = job.plan.settled
        if job.schedule.catch_up is rules.CatchUp.ONCE:
            with contextlib.suppress(OSError, Refused):  # then nothing is made up for
                write(self._file, json.dumps(self._settled, indent=1).encode())

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = min((job.plan.due for job in self._jobs.values()), default=math.inf)
        if due != math.inf:
            self._timer = self._loop.call_later(max(0.0, min(due - self._clock(), LONGEST_SLEEP)), self.look)


def _kept(file: Path) -> dict[str, float]:
    """Up to when each job has had its runs; empty where nobody knows."""
    try:
        found = json.loads(read(file, LONGEST))
    except (OSError, Refused, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, int | float) and math.isfinite(value)}
