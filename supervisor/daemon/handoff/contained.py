"""An event loop for what is done for one process alone: what goes wrong in it is nobody else's trouble."""

import _thread
import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from supervisor.annotations import Any
from supervisor.daemon.handoff.hearing import Timer

BEGINS_WITHIN = 1.0  # seconds in which a thread that was started is at work, however busy the machine is
OnFault = Callable[[Exception], object]


class ContainedLoop:
    """Calls back as `loop` does; an exception that nobody expected goes to `on_fault`, and its descriptor is let go."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_fault: OnFault) -> None:
        self._loop = loop
        self._on_fault = on_fault

    def add_reader(self, fd: int, callback: Callable[[], object]) -> None:
        """Calls back when there is something to read, until that goes wrong: what is not read comes again at once."""
        self._loop.add_reader(fd, self._read, fd, callback)

    def remove_reader(self, fd: int) -> None:
        """Watches it no longer."""
        self._loop.remove_reader(fd)

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        """Calls back after so many seconds."""
        return self._loop.call_later(delay, self._call, callback)

    def aside(self, look: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Looks in a thread, and calls back with what that has seen."""
        done_by: dict[str, str] = {}  # by whoever is there first

        def work() -> None:
            act: Callable[[], object] = here
            if done_by.setdefault("", "thread") == "thread":
                with contextlib.suppress(OSError, MemoryError):  # else it is done here, where there may be room by then
                    act = _seen(look, then, self._on_fault)
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    self._loop.call_soon_threadsafe(self._call, act)

        def here() -> None:
            then(look())

        def make_sure() -> None:
            if done_by.setdefault("", "loop") == "loop":
                self._call(here)

        # A thread for each, not one that stays: processes are forked here, and that wants to be alone.  The `start` of
        # threading waits until it has begun, which one never has that lacks the memory to do so.
        try:
            _thread.start_new_thread(work, ())
        except (RuntimeError, MemoryError):  # no thread is to be had, pthread_create(3): everybody waits for this look
            make_sure()
        else:
            self._loop.call_later(BEGINS_WITHIN, make_sure)

    def _read(self, fd: int, callback: Callable[[], object]) -> None:
        try:
            callback()
        except Exception as error:
            self._loop.remove_reader(fd)
            self._on_fault(error)

    def _call(self, callback: Callable[[], object]) -> None:
        try:
            callback()
        except Exception as error:
            self._on_fault(error)


def _seen(look: Callable[[], Any], then: Callable[[Any], None], on_fault: OnFault) -> Callable[[], object]:
    """What follows in the loop from a look; raises OSError or MemoryError where there was no room for it."""
    try:
        seen = look()
    except (OSError, MemoryError):
        raise
    except Exception as error:
        return partial(on_fault, error)
    return partial(then, seen)
