"""What the services used in the last hour: looked at while somebody watches, and never otherwise."""

import asyncio
import time
from array import array
from collections.abc import Awaitable, Callable, Collection, Sequence
from math import isnan, nan

from supervisor.control.messages import Usage
from supervisor.control.updates import Load, Usages

EVERY = 10.0  # seconds between two looks
KEPT = 360  # looks


class UsageRing:
    """The last looks, column by column: for two hundred services they take less than 2 MB."""

    def __init__(
        self, measure: Callable[[Callable[[Usage | None], None]], None], on_look: Callable[[Usages], None]
    ) -> None:
        """`measure` finds out what all services use, and calls back; `on_look` is told of each look."""
        self._measure = measure
        self._on_look = on_look
        self._times = array("d")
        self._columns: dict[str, tuple[array[float], array[float], array[float]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._is_watched = False

    def watch(self, is_watched: bool) -> None:
        """Whether somebody watches; a first look is taken at once."""
        self._is_watched = is_watched
        if is_watched and self._timer is None:
            self._look()
        elif not is_watched and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def told(self, services: Sequence[str], pause: Callable[[], Awaitable[object]]) -> Usages:
        """All that is known of these services at this moment; of hundreds that is much, so it waits after each."""
        times, known = self._times[:], {}
        for name in services:
            if name in self._columns:
                known[name] = tuple(column[:] for column in self._columns[name])
        loads = {}
        for name, (cpu, memory, processes) in known.items():
            loads[name] = Load(_known(cpu, 0), _whole(memory, 0), _whole(processes, 0))
            await pause()
        return Usages(EVERY, tuple(round(each, 3) for each in times), loads)

    def _look(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(EVERY, self._look)
        self._measure(self._take)

    def _take(self, usage: Usage | None) -> None:
        if usage is None or not self._is_watched:
            return
        count = len(self._times)
        self._times.append(time.time())
        for name in usage.resources:
            if name not in self._columns:
                self._columns[name] = (array("d", [nan] * count), array("d", [nan] * count), array("d", [nan] * count))
        for name, columns in tuple(self._columns.items()):
            found = usage.resources.get(name)
            values = (nan, nan, nan) if found is None else (found.cpu_s, float(found.memory), float(found.processes))
            for column, value in zip(columns, values, strict=True):
                column.append(value)
        if len(self._times) > KEPT:
            self._forget(len(self._times) - KEPT)
        self._on_look(self._usages(list(usage.resources), len(self._times) - 1))

    def _forget(self, count: int) -> None:
        del self._times[:count]
        for name, columns in tuple(self._columns.items()):
            for column in columns:
                del column[:count]
            if all(map(isnan, columns[0])):
                del self._columns[name]

    def _usages(self, services: Collection[str], first: int) -> Usages:
        loads = {}
        for name in services:
            if name in self._columns:
                cpu, memory, processes = self._columns[name]
                loads[name] = Load(_known(cpu, first), _whole(memory, first), _whole(processes, first))
        return Usages(EVERY, tuple(round(each, 3) for each in self._times[first:]), loads)


def _known(column: "array[float]", first: int) -> tuple[float | None, ...]:
    return tuple(None if isnan(each) else round(each, 3) for each in column[first:])


def _whole(column: "array[float]", first: int) -> tuple[int | None, ...]:
    return tuple(None if isnan(each) else int(each) for each in column[first:])
