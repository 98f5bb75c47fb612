"""Tasks whose mistakes are heard: an exception that nobody awaits ends the daemon, it is not forgotten."""

import asyncio
from collections.abc import Coroutine

from supervisor.annotations import Any


def begin(work: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
    """Runs `work` beside everything else; an exception of it goes to the loop's exception handler."""
    task = loop.create_task(work)
    task.add_done_callback(lambda done: _hand_over(done, loop))
    return task


def _hand_over(task: asyncio.Task[None], loop: asyncio.AbstractEventLoop) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        loop.call_exception_handler({"message": "a task failed", "exception": error, "task": task})
