"""The lines of several logs in one order, also where the clock was set back while they were written.  Pure.

Whenever the clock is set back, an era ends, in each log.  A log that was silent then does not show it.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

from supervisor.logs.line import Line

BACK = 1.0  # seconds; by less no clock was set back
_Timed = tuple[tuple[int, float], Line]


def merged(logs: Iterable[Iterable[Line]]) -> Iterator[Line]:
    """The lines of all logs from their first one on: their eras are counted from there."""
    return _merged([_from_the_first(log) for log in logs])


def merged_to_now(logs: Iterable[Sequence[Line]], now: float) -> Iterator[Line]:
    """The last lines of all logs: the eras are counted back from now, as nobody knows how many there were before."""
    return _merged([_to_the_last(log, now) for log in logs])


def _merged(logs: Sequence[Iterable[_Timed]]) -> Iterator[Line]:
    return (line for _, line in heapq.merge(*logs, key=itemgetter(0)))


def _from_the_first(lines: Iterable[Line]) -> Iterator[_Timed]:
    era, before = 0, 0.0
    for line in lines:
        era += line.time < before - BACK
        before = line.time
        yield (era, line.time), line


def _to_the_last(lines: Sequence[Line], now: float) -> list[_Timed]:
    """What was written later than now was written before the clock was set back."""
    timed: list[_Timed] = []
    era, after = 0, now
    for line in reversed(lines):
        era -= line.time > after + BACK
        after = line.time
        timed.append(((era, line.time), line))
    return timed[::-1]
