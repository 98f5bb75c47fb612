"""What the handoff needs of an event loop, and whom it tells of a process tree."""

from collections.abc import Callable, Collection

from supervisor.annotations import Protocol
from supervisor.dataclass import dataclass


class Timer(Protocol):
    """What will be called later, unless it is cancelled."""

    def cancel(self) -> None: ...


class Loop(Protocol):
    """What is needed of an event loop: asyncio's, or the small one of `portsup exec`."""

    def add_reader(self, fd: int, callback: Callable[[], object], /) -> object: ...
    def remove_reader(self, fd: int, /) -> object: ...
    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer: ...


class Timers:
    """Those of one process tree that have not rung yet."""

    def __init__(self) -> None:
        self._pending: dict[int, Timer] = {}
        self._count = 0

    def set(self, loop: Loop, delay: float, callback: Callable[[], object]) -> None:
        """Calls back once after so many seconds, unless all are cancelled."""
        self._count = number = self._count + 1

        def ring() -> None:
            del self._pending[number]
            callback()

        self._pending[number] = loop.call_later(delay, ring)

    def cancel(self) -> None:
        """None of them rings any more."""
        for timer in self._pending.values():
            timer.cancel()
        self._pending.clear()

    def __len__(self) -> int:
        return len(self._pending)


@dataclass(slots=True)
class Hearing:
    """Who is told what a process tree does with its ports; all are called from the event loop."""

    members: Callable[[], Collection[int]]
    on_end: Callable[[], None]
    on_moved: Callable[[int], None]
    on_other_port: Callable[[int], None]
    on_refused: Callable[[int], None]
    on_unseen: Callable[[str], None]  # a bind in a process that we may not look into
    on_dropped: Callable[[str], None]  # who waited is refused, because the socket cannot be replaced everywhere
    on_listening: Callable[[], None] | None = None
    on_elsewhere: Callable[[Collection[int]], None] | None = None
    on_filter: Callable[[], None] = lambda: None  # the kernel is about to refuse a filter that notifies the program
