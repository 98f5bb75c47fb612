"""Tasks whose mistakes are heard: an exception that nobody awaits ends the daemon, it is not forgotten."""

import asyncio
from collections.abc import Callable, Coroutine

from supervisor.annotations import Any


def begin(
    work: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop,
    on_fault: Callable[[Exception], object] | None = None,
) -> asyncio.Task[None]:  # fmt: skip
    """Runs `work` beside everything else; an exception of it goes to `on_fault`, or to the loop's exception handler."""
    task = loop.create_task(work)
    task.add_done_callback(lambda done: _hand_over(done, loop, on_fault))
    return task


def _hand_over(
    task: asyncio.Task[None], loop: asyncio.AbstractEventLoop, on_fault: Callable[[Exception], object] | None
) -> None:
    if task.cancelled() or (error := task.exception()) is None:
        return
    if on_fault is not None and isinstance(error, Exception):
        on_fault(error)
    else:
        loop.call_exception_handler({"message": "a task failed", "exception": error, "task": task})
