"""Turns of a loop, of which each has time for one thing only."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

from supervisor.daemon.stalls import DaemonLoop

MANY = 50


class Turns:
    """Runs something in a loop whose turns are no longer young after the first thing that is done in them."""

    def __init__(self) -> None:
        self.done: list[list[str]] = []  # what was done in each turn that something was done in

    def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        with asyncio.Runner(loop_factory=DaemonLoop) as runner:
            self.begun = -1.0
            runner.run(work())

    def note(self, what: str) -> None:
        begun = cast(DaemonLoop, asyncio.get_running_loop()).stalls.begun
        if begun != self.begun:
            self.done.append([])
            self.begun = begun
        self.done[-1].append(what)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20.0):
        while not is_so():
            await asyncio.sleep(0)


class Sink:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: bytes) -> None:
        self.written.append(data)
