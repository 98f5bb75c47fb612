"""The logs of services as one long list of lines, of which any stretch can be read without reading the others.

Lines are counted once, a block at a time, and of every block only its offset and the number of its first line are kept:
a million lines cost a few kilobytes.  Several logs are merged by time without being merged: how many lines are older
than a moment is known for each of them, so the moment of the line with a given number is found by halving.
"""

import contextlib
import heapq
import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping

from supervisor.files.reading import pread
from supervisor.logs.line import Line
from supervisor.logs.part import LONGEST_MESSAGE, MOST_PARTS, Part

_BLOCK = 1 << 16


class Scroll:
    """The lines of several logs, numbered in the order of time from the oldest that is still there when it is made.

    Lines that rotation takes away keep their numbers: `first` is that of the oldest there is.
    """

    def __init__(self, paths: Mapping[str, str | os.PathLike[str]]) -> None:
        self._tracks = [_Track(service, os.fspath(path)) for service, path in paths.items()]

    def refresh(self) -> None:
        """Looks at what was written, and rotated, since the last time."""
        for track in self._tracks:
            track.refresh()

    @property
    def first(self) -> int:
        """The number of the oldest line."""
        return sum(track.gone for track in self._tracks)

    @property
    def end(self) -> int:
        """The number that the next line will have."""
        return self.first + sum(track.count for track in self._tracks)

    def number_at(self, time: float) -> int:
        """The number of the first line that was written at `time` or later."""
        return self.first + sum(track.before(time) for track in self._tracks)

    def lines(self, number: int, count: int) -> list[Line]:
        """At most `count` lines from that number on."""
        wanted = max(0, number - self.first)
        if len(self._tracks) == 1:
            return list(_taken(self._tracks[0].lines(wanted), count))
        moment = self._moment_of(wanted)
        begins = [track.before(moment) for track in self._tracks]
        merged = heapq.merge(
            *(track.lines(begin) for track, begin in zip(self._tracks, begins, strict=True)), key=lambda line: line.time
        )
        for _ in range(wanted - sum(begins)):
            next(merged, None)
        return list(_taken(merged, count))

    def _moment_of(self, wanted: int) -> float:
        """A moment before which there are at most `wanted` lines, and hardly fewer."""
        times = [each for track in self._tracks for each in track.span()]
        if not times:
            return 0.0
        low, high = min(times), max(times)
        while high - low > 0.0005:
            middle = (low + high) / 2
            if sum(track.before(middle) for track in self._tracks) <= wanted:
                low = middle
            else:
                high = middle
        return low

    def close(self) -> None:
        """Give every descriptor back."""
        for track in self._tracks:
            track.close()


def _taken(lines: Iterator[Line], count: int) -> Iterator[Line]:
    for _, line in zip(range(count), lines, strict=False):
        yield line


class _Counted:
    """A file of a log, and how many lines stand before each of its blocks."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.count = 0
        self._offsets = array("Q", [0])
        self._numbers = array("Q", [0])  # of the line in which the block at the same place in `_offsets` begins
        self._end = 0

    def grow(self) -> None:
        """Counts what was written since the last time; a file that was emptied begins again."""
        size = os.fstat(self.part.descriptor).st_size
        if size < self._end:
            self.count = self._end = 0
            del self._offsets[1:], self._numbers[1:]
        while self._end < size and (data := pread(self.part.descriptor, min(_BLOCK, size - self._end), self._end)):
            self.count += data.count(b"\n")
            self._end += len(data)
            if self._end - self._offsets[-1] >= _BLOCK:
                self._offsets.append(self._end)
                self._numbers.append(self.count)

    def before(self, offset: int) -> int:
        """How many lines end before `offset`."""
        if offset >= self._end:
            return self.count
        block = bisect_right(self._offsets, offset) - 1
        begin = self._offsets[block]
        return self._numbers[block] + pread(self.part.descriptor, offset - begin, begin).count(b"\n")

    def lines(self, number: int) -> Iterator[Line]:
        """The lines from that number on, counted in this file."""
        block = max(0, bisect_left(self._numbers, number) - 1)  # the last one in which a line before it ends
        offset, passed = self._offsets[block], self._numbers[block]
        rest = b""
        self.part.jump()
        while number < self.count and (data := pread(self.part.descriptor, _BLOCK, offset + len(rest))):
            *whole, rest = (rest + data).split(b"\n")
            for raw in whole:
                if passed == number < self.count:
                    yield self.part.line_at(offset, raw[:LONGEST_MESSAGE])
                    number += 1
                passed += 1
                offset += len(raw) + 1

    def time_of(self, number: int) -> float | None:
        """When that line was written."""
        return next((line.time for line in self.lines(number)), None)


class _Track:
    """The log of one service: its files, oldest first."""

    def __init__(self, service: str, path: str) -> None:
        self._service = service
        self._path = path
        self._parts: list[_Counted] = []
        self.gone = 0  # lines of files that rotation has taken away

    @property
    def count(self) -> int:
        return sum(each.count for each in self._parts)

    def refresh(self) -> None:
        if self._parts and self._is_at_path(self._parts[-1].part):
            self._parts[-1].grow()
            return
        known = {each.part.key: each for each in self._parts}
        found: list[_Counted] = []
        with contextlib.ExitStack() as undo:  # without a descriptor for all of them it is as before
            # From the youngest on: while they are moved up under our hands we may meet one twice, but miss none.
            for number in range(MOST_PARTS):
                part = Part.open(self._service, self._path, number)
                if part is None:
                    if number == 0:
                        continue
                    break
                if any(part.key == each.part.key for each in found):
                    part.close()
                elif part.key in known:
                    part.close()
                    found.append(known.pop(part.key))
                else:
                    undo.callback(part.close)
                    found.append(_Counted(part))
            undo.pop_all()
        for each in known.values():
            self.gone += each.count
            each.part.close()
        self._parts = found[::-1]
        for each in self._parts:
            each.grow()

    def _is_at_path(self, part: Part) -> bool:
        """Whether nothing was rotated since the last time."""
        try:
            status = os.stat(self._path)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == part.key

    def before(self, time: float) -> int:
        """How many lines are older than `time`."""
        total = 0
        for each in self._parts:
            older = each.before(each.part.offset_since(time))
            total += older
            if older < each.count:
                break
        return total

    def lines(self, number: int) -> Iterator[Line]:
        for each in self._parts:
            if number < each.count:
                yield from each.lines(number)
            number = max(0, number - each.count)

    def span(self) -> Iterator[float]:
        """When its first line was written, and a moment behind its last."""
        whole = [each for each in self._parts if each.count]
        for part, number in ((whole[0], 0), (whole[-1], whole[-1].count - 1)) if whole else ():
            if (time := part.time_of(number)) is not None:
                yield time + (0.001 if number else 0.0)

    def close(self) -> None:
        for each in self._parts:
            with contextlib.suppress(OSError):
                each.part.close()
        self._parts = []
