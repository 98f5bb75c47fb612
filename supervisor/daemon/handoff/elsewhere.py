"""Tells on which other ports a process listens when it has not listened on its own for a while."""

import contextlib
import socket
from collections.abc import Callable

from supervisor.daemon.handoff.hearing import Hearing, Loop, Timer, Timers
from supervisor.daemon.handoff.looks import Aside
from supervisor.ports.seat import copy_of
from supervisor.system.held_calls import HeldCalls, is_at_work

UNBOUND_AFTER = 0.05  # seconds from a listen without a bind until it is looked where that listens
DRIFT_AFTER = 1.0  # seconds that a service may listen elsewhere only, before that is told
STARTS_FOR = 10.0  # the same while it works: it may not be so far that it listens on its own port


class Elsewhere:
    """The ports of one process tree; told once, by `on_elsewhere`."""

    def __init__(self, loop: Loop, hearing: Hearing, aside: Aside) -> None:
        self._loop = loop
        self._hearing = hearing
        self._aside = aside
        self._ports: set[int] = set()
        self._passed = 0.0
        self._is_closed = False
        self._wait()

    def add(self, port: int) -> None:
        """It listens on this one, too."""
        self._ports.add(port)

    def close(self) -> None:
        """It listens on its own, or is over: nothing is told."""
        self._is_closed = True
        self._timer.cancel()

    def _wait(self) -> None:
        self._timer: Timer = self._loop.call_later(DRIFT_AFTER, self._look)

    def _look(self) -> None:
        self._passed += DRIFT_AFTER
        self._aside(self._is_at_work, self._tell)

    def _is_at_work(self) -> bool:
        with contextlib.suppress(OSError, RuntimeError):  # nobody can tell
            return any(map(is_at_work, self._hearing.members()))
        return False

    def _tell(self, works: object) -> None:
        if self._is_closed:
            return
        if works and self._passed < STARTS_FOR:
            self._wait()
        elif self._hearing.on_elsewhere is not None:
            self._hearing.on_elsewhere(sorted(self._ports))


def look_later(
    loop: Loop, timers: Timers, calls: HeldCalls, sock: socket.socket, tell: Callable[[int], None]
) -> None:  # fmt: skip
    """Tells on which port a socket listens that was never bound, once the kernel has chosen one."""
    copy = copy_of(sock)

    def look() -> None:
        with calls.letting_go(copy):
            if port := copy.getsockname()[1]:
                tell(port)

    timers.set(loop, UNBOUND_AFTER, look)
