"""Engines that come when they are needed and leave when nobody has needed them for a while.

An engine is what takes much memory: a language model, a recognizer. It is a process of its own (`child.py`): its memory
is free when it has ended, whatever its libraries keep, and it takes nobody along when it dies.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from examples.service import number
from examples.web import ServiceError

log = logging.getLogger("on-demand")


def idle_stop() -> float:
    """Seconds after which an engine that nobody needs leaves, by the setting `ENGINE_IDLE_STOP`; 0: it stays."""
    return number("ENGINE_IDLE_STOP", 900)


class Engine(Protocol):
    """What `OnDemand` keeps: a `Child`, or what has one."""

    @property
    def ended(self) -> int | None:
        """The exit code of one that has died."""

    def close(self) -> None:
        """Ends it; blocks until it is gone."""


E = TypeVar("E", bound=Engine)


class OnDemand(Generic[E]):
    """One engine at a time: `start` makes it, in a thread, for the first `take`.

    `idle` seconds after the last `give_back` it is ended, with 0 never. Whoever comes at that moment gets the next one.
    """

    def __init__(self, name: str, start: Callable[[], E], idle: float) -> None:
        self.name = name  # for the log and for clients
        self.leaves_at: float | None = None  # in monotonic seconds; None as long as it stays
        self._start = start
        self._idle = idle
        self._engine: E | None = None
        self._starting: asyncio.Task[E] | None = None
        self._users = 0
        self._timer: asyncio.TimerHandle | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def is_running(self) -> bool:
        """Whether there is one, and it lives."""
        return self._engine is not None and self._engine.ended is None

    @property
    def is_starting(self) -> bool:
        return self._starting is not None

    async def take(self) -> E:
        """The engine, started if there is none; `give_back` is for whoever got it. Raises what `start` raises."""
        self._users += 1
        self._stay()
        try:
            self.drop_dead()
            if self._engine is not None:
                return self._engine
            if self._starting is None:
                self._starting = asyncio.create_task(self._make())
                self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())  # all may have left
            return await asyncio.shield(self._starting)
        except BaseException:
            self.give_back()
            raise

    def give_back(self) -> None:
        """One use is over."""
        self._users -= 1
        self._rest()

    def drop_dead(self) -> None:
        """Forgets an engine that has died, so that the next request starts another."""
        if self._engine is not None and (code := self._engine.ended) is not None:
            log.warning("%s ended with %d; the next request starts it again", self.name, code)
            self._leave()

    async def died(self, engine: E) -> ServiceError | None:
        """What its user is told when `engine` has died, None when it lives; after an error only, because it waits."""
        for _ in range(20):  # its sockets are closed a moment before it has ended
            if (code := engine.ended) is not None:
                self.drop_dead()
                text = f"{self.name} ended with {code} at this request; the next one starts it again"
                return ServiceError("engine_died", text, retry_after=1)
            await asyncio.sleep(0.005)
        return None

    async def close(self) -> None:
        """Ends it for good; one that is just being started has to be ended, too."""
        if self._starting is not None:
            await asyncio.wait({self._starting})
        self._stay()
        if self._engine is not None:
            self._leave()
        if self._leaving:
            await asyncio.wait(self._leaving)

    def leave(self) -> None:
        """Ends it now, unless somebody needs it."""
        if self._engine is not None and not self._users:
            self._stay()
            self._leave()

    async def _make(self) -> E:
        started = time.monotonic()
        try:
            self._engine = await asyncio.to_thread(self._start)
        finally:
            self._starting = None
        log.info("%s is there after %.1f s", self.name, time.monotonic() - started)
        self._rest()  # those who asked may have left
        return self._engine

    def _stay(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.leaves_at = None

    def _rest(self) -> None:
        if self._idle and not self._users and self._engine is not None and self._timer is None:
            self.leaves_at = time.monotonic() + self._idle
            self._timer = asyncio.get_running_loop().call_later(self._idle, self._expire)

    def _expire(self) -> None:
        self._stay()
        log.info("%s leaves: nobody has needed it for %g s", self.name, self._idle)
        self._leave()

    def _leave(self) -> None:
        engine, self._engine = self._engine, None
        assert engine is not None
        task = asyncio.create_task(asyncio.to_thread(engine.close))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
