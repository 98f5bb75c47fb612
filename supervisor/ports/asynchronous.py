"""The event loop keeps a shield up: the face of the library for asyncio servers.  The only asyncio below the daemon."""

import asyncio
from collections.abc import Callable

from supervisor.ports.leases import Loss
from supervisor.ports.shield import CHECK_EVERY, HEARTBEAT_EVERY, Shield


class ShieldInLoop:
    """A `ShieldThread` without a thread: calls `on_loss` once, in the running loop, when a lock of `shield` is lost.

    Then it closes the shield.
    """

    def __init__(self, shield: Shield, on_loss: Callable[[Loss], None]) -> None:
        self._shield = shield
        self._on_loss = on_loss
        self._loop = asyncio.get_running_loop()
        self._descriptor = shield.fileno()
        if self._descriptor is not None:
            self._loop.add_reader(self._descriptor, self._look)
        self._beaten = self._loop.time()
        self._timer = self._loop.call_later(CHECK_EVERY, self._check)

    def stop(self) -> None:
        """Watch no longer; may be called twice."""
        self._timer.cancel()
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            self._descriptor = None
        self._shield.close()

    def _look(self) -> None:
        self._tell(self._shield.on_readable())

    def _check(self) -> None:
        now = self._loop.time()
        if now >= self._beaten + HEARTBEAT_EVERY:
            self._shield.heartbeat()
            self._beaten = now
        self._timer = self._loop.call_later(CHECK_EVERY, self._check)
        self._tell(self._shield.check())

    def _tell(self, losses: tuple[Loss, ...]) -> None:
        if losses:
            self.stop()
            self._on_loss(losses[0])


def canceller() -> Callable[[], None]:
    """What cancels the task that asks now; nothing if that task is done by then."""
    task = asyncio.current_task()
    assert task is not None, "a coroutine runs in a task"

    def cancel() -> None:
        if not task.done():
            task.cancel()

    return cancel


def was_cancelled(error: BaseException) -> bool:
    """Whether `error` is what `canceller` did to the task that asks; False if others cancelled the task too."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and (task is None or task.uncancel() == 0)


def spawn(coroutine: object) -> None:
    """Run what an `on_lost` gave, if that is a coroutine."""
    if asyncio.iscoroutine(coroutine):
        task = asyncio.get_running_loop().create_task(coroutine)
        _running.add(task)  # the loop itself keeps only weak references (asyncio, create_task)
        task.add_done_callback(_running.discard)


_running: set["asyncio.Task[object]"] = set()
