"""Limits of time that a busy machine does not break: a stack that could not run has not had its time.

The kernel counts of each thread how long it was ready to run and had no processor, /proc/PID/schedstat.  That is added
to the limit: who waits for a processor has as much time as on a machine of its own, and who waits for something that
never comes is found out after the limit all the same.
"""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from tests.support.processes import processes_with

MOST = 10.0  # times the limit, however busy the machine is
OFTEN = 0.02  # seconds between two looks
SELDOM = 0.25  # seconds between two looks at what had to wait

T = TypeVar("T")


class Limit:
    """So many seconds for the processes that have this in their environment, and for us, who watch them."""

    def __init__(self, mark: str, seconds: float) -> None:
        self.seconds = seconds
        self._mark = mark
        self._begun = time.monotonic()
        self._before = queued(mark)
        self._end = self._begun + seconds

    def is_over(self) -> bool:
        """Whether they have had that time."""
        now = time.monotonic()
        if now < self._end:
            return False
        self._end = max(now, self._begun + min(self.seconds + self._waited(), self.seconds * MOST))
        if self._end > now:
            self._end = min(self._end, now + SELDOM)
            return False
        return True

    def eventually(self, check: Callable[[], T | None]) -> T | None:
        """The first truthy value that `check` gives, or what it gives when the time is over."""
        while not (value := check()) and not self.is_over():
            time.sleep(OFTEN)
        return value

    def _waited(self) -> float:
        return sum(max(0.0, waited - self._before.get(thread, 0.0)) for thread, waited in queued(self._mark).items())


def queued(mark: str) -> Mapping[int, float]:
    """How many seconds each of their threads, and of ours, has waited for a processor since it began."""
    found: dict[int, float] = {}
    for pid in (os.getpid(), *processes_with(mark)):
        try:
            for path in Path(f"/proc/{pid}/task").iterdir():
                found[int(path.name)] = int((path / "schedstat").read_text().split()[1]) / 1e9
        except (OSError, IndexError):  # it has ended, or the kernel does not count
            continue
    return found
