"""The small event loop of `portsup exec`: descriptors and timers, and nothing that takes time to import."""

import heapq
import itertools
import select
import time
from collections.abc import Callable

READABLE = getattr(select, "POLLIN", 1)


class Alarm:
    """A call at a moment; `cancel` takes it back."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        """It will not be called."""
        self.callback = None


class _Sockets:
    """What poll(2) does, for the sockets of a system without it."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def register(self, fd: int, _: int) -> None:
        self._known.add(fd)

    def unregister(self, fd: int) -> None:
        self._known.discard(fd)

    def poll(self, milliseconds: float | None) -> list[tuple[int, int]]:
        seconds = None if milliseconds is None else milliseconds / 1000
        ready, _, _ = select.select(tuple(self._known), (), (), seconds)
        return [(fd, READABLE) for fd in ready]


class Poller:
    """Calls back when descriptors are readable and when moments have come, one thing after the other."""

    def __init__(self) -> None:
        self._poll = select.poll() if hasattr(select, "poll") else _Sockets()
        self._readers: dict[int, Callable[[], object]] = {}
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._count = itertools.count()

    def add_reader(self, fd: int, callback: Callable[[], object]) -> None:
        """Calls back whenever there is something to read, or the other end is gone."""
        self._readers[fd] = callback
        self._poll.register(fd, READABLE)

    def remove_reader(self, fd: int) -> None:
        """No longer; not being there is no mistake."""
        if self._readers.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def call_later(self, delay: float, callback: Callable[[], object]) -> Alarm:
        """Calls back once, after so many seconds."""
        alarm = Alarm(callback)
        heapq.heappush(self._alarms, (time.monotonic() + delay, next(self._count), alarm))
        return alarm

    def turn(self) -> None:
        """Waits until something happens, and deals with it."""
        while self._alarms and self._alarms[0][2].callback is None:
            heapq.heappop(self._alarms)
        wait = max(0.0, self._alarms[0][0] - time.monotonic()) if self._alarms else None
        for fd, _ in self._poll.poll(None if wait is None else wait * 1000 + 1):
            if (reader := self._readers.get(fd)) is not None:  # else it was removed by one that came before
                reader()
        while self._alarms and self._alarms[0][0] <= time.monotonic():
            callback = heapq.heappop(self._alarms)[2].callback
            if callback is not None:
                callback()
