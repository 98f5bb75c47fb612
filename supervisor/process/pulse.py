"""The daemon's sign of life: a page of memory that it shares with the guardian, who looks at it now and then.

The daemon writes the time into it whenever its event loop comes round to its regular check: no system call, and nobody
is woken.  The guardian has one timer, setitimer(2), set to when that time would be too old.  Its signal interrupts
whatever the guardian waits for, a terminal that is stopped included.  Both clocks stand still while the machine
sleeps, clock_gettime(2) CLOCK_MONOTONIC.

A guardian that was stopped along with the daemon (a frozen container, SIGSTOP to both) may come to its senses first.
So a silence counts only when it goes on while the guardian is awake: it looks once more after a pause.
"""

import contextlib
import mmap
import os
import signal
import struct
import time

from supervisor import system
from supervisor.process.signals import let_through

DEFAULT = 60.0  # seconds
LEAST = 1.0  # seconds; less would be the ordinary delay of a busy machine
_TIME = struct.Struct("d")
_PAUSE = 0.1  # as a part of the patience
_EARLY = 0.001  # seconds; what setitimer may round away
_LATE = 0.5  # seconds; a pause that took so much longer was one in which we were stopped too


class Pulse:
    """The page; made before the fork, then written by the one process and read by the other."""

    def __init__(self, patience: float) -> None:
        self.patience = patience  # seconds that the daemon may be silent
        self._page = mmap.mmap(-1, mmap.PAGESIZE)

    @property
    def every(self) -> float:
        """Seconds between two beats at most."""
        return self.patience / 3

    def beat(self) -> None:
        """The daemon is alive."""
        _TIME.pack_into(self._page, 0, time.monotonic())

    def last(self) -> float:
        """When it last was (monotonic seconds); 0 as long as it has not begun."""
        return float(_TIME.unpack_from(self._page)[0])

    def tell_journal(self, path: str) -> None:
        """Where the guardian writes what happened; a path that is too long is none."""
        name = os.fsencode(path)
        if len(name) <= len(self._page) - _TIME.size:
            self._page[_TIME.size : _TIME.size + len(name)] = name

    def journal(self) -> str:
        """The path that was told, "" if none was."""
        return os.fsdecode(self._page[_TIME.size :].rstrip(b"\0"))


class HangDetector:
    """Kills a daemon that has been silent for too long; made after the fork, in the guardian."""

    def __init__(self, daemon: int, pulse: Pulse) -> None:
        self.has_killed = False
        self.pulse = pulse
        self._daemon = daemon
        self._doubted = 0.0
        self._due = 0.0
        signal.signal(signal.SIGALRM, lambda *_: self._look())
        let_through((signal.SIGALRM,))
        self._sleep(pulse.patience)

    def close(self) -> None:
        """Looks no more."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _sleep(self, seconds: float) -> None:
        self._due = time.monotonic() + seconds
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))

    def _look(self) -> None:
        now, last, patience = time.monotonic(), self.pulse.last(), self.pulse.patience
        if now < self._due - _EARLY:  # somebody else sent it: the timer still runs
            return
        if last == 0.0 or now - last < patience:
            self._sleep(patience - (now - last) if last else patience)
        elif self._doubted != last or now - self._due > _LATE:
            self._doubted = last
            self._sleep(patience * _PAUSE)
        elif system.is_traced(self._daemon):  # somebody debugs it
            self._sleep(patience)
        else:
            self.has_killed = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._daemon, signal.SIGKILL)
