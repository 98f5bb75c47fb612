"""Tells on which other ports a process listens when it has not listened on its own for a while."""

import socket
from collections.abc import Callable

from supervisor.daemon.handoff.hearing import Hearing, Loop, Timer, Timers
from supervisor.ports.seat import copy_of
from supervisor.system.held_calls import HeldCalls

UNBOUND_AFTER = 0.05  # seconds from a listen without a bind until it is looked where that listens
DRIFT_AFTER = 1.0  # seconds that a service may listen elsewhere only, before that is told


class Elsewhere:
    """The ports of one process tree; told once, by `on_elsewhere`."""

    def __init__(self, loop: Loop, hearing: Hearing) -> None:
        self._hearing = hearing
        self._ports: set[int] = set()
        self._timer: Timer = loop.call_later(DRIFT_AFTER, self._tell)

    def add(self, port: int) -> None:
        """It listens on this one, too."""
        self._ports.add(port)

    def close(self) -> None:
        """It listens on its own, or is over: nothing is told."""
        self._timer.cancel()

    def _tell(self) -> None:
        if self._hearing.on_elsewhere is not None:
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
