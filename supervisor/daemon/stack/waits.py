"""Those who wait until something is so in a stack."""

import asyncio
from collections.abc import Callable

from supervisor.dataclass import dataclass


@dataclass(slots=True)
class Wait:
    """Somebody waits until `is_over`."""

    is_over: Callable[[], bool]
    done: asyncio.Future[None]


class Waits:
    """All of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waits: list[Wait] = []

    async def until(self, is_over: Callable[[], bool]) -> None:
        """Returns once `look` has found it so."""
        wait = Wait(is_over, self._loop.create_future())
        self._waits.append(wait)
        try:
            await wait.done
        finally:
            self._waits.remove(wait)

    def look(self) -> None:
        """Something is different: whose waiting is over goes on; one who cannot find out hears why."""
        for wait in self._waits:
            try:
                if not wait.done.done() and wait.is_over():
                    wait.done.set_result(None)
            except Exception as error:
                wait.done.set_exception(error)
