"""An event loop for what is done for one process alone: what goes wrong in it is nobody else's trouble."""

import asyncio
import contextlib
import threading
from collections.abc import Callable

from supervisor.annotations import Any
from supervisor.daemon.handoff.hearing import Timer

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

        # A thread for each, not one that stays: processes are forked here, and that wants to be alone.
        def work() -> None:
            try:
                seen = look()
            except Exception as error:
                act: Callable[[], object] = lambda error=error: self._on_fault(error)  # type: ignore[misc]  # noqa: E731
            else:
                act = lambda: self._call(lambda: then(seen))  # noqa: E731
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(act)

        try:
            threading.Thread(target=work, daemon=True).start()
        except RuntimeError:  # no thread is to be had, pthread_create(3): everybody waits for this one look
            self._call(lambda: then(look()))

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
