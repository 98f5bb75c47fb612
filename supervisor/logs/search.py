"""Looks for lines in the logs of services: in their files, whoever writes them, a block at a time.

What is kept in memory is a block of each log and the lines of one group.  The last matches are found from the end, so
that a few of them in a long log cost little.
"""

import heapq
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from supervisor.files.reading import pread
from supervisor.logs.blocks import SIZE, Block, backwards, forwards
from supervisor.logs.gathering import Gathering, Group
from supervisor.logs.line import Line
from supervisor.logs.part import MOST_PARTS, LogPosition, Part
from supervisor.logs.query import Query
from supervisor.logs.sought import Sought, Span

_BACKWARDS = 0.5  # of the time, for finding where the last matches of all logs begin; the rest is for what was found


class Search:
    """One search; `groups` comes once.  The logs are looked at as they are when it begins."""

    def __init__(
        self, paths: Mapping[str, str | os.PathLike[str]], query: Query, span: Span, context: int = 0,
        seconds: float | None = None,
    ) -> None:  # fmt: skip
        """`context` is how many lines around a match come with it, `seconds` how long it may take in all."""
        self._trails: list[_Trail] = []
        try:
            for number, (service, path) in enumerate(paths.items(), 1):
                sought = Sought(query, span, service, seconds)
                self._trails.append(_Trail(service, os.fspath(path), sought, context, _BACKWARDS * number / len(paths)))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def groups(self) -> Iterator[Group]:
        """What was found, in the order of time; raises UsageError where the expression takes too long."""
        yield from heapq.merge(*(trail.groups() for trail in self._trails), key=lambda group: group.lines[0].line.time)

    @property
    def is_cut(self) -> bool:
        """Whether the time was over before everything had been looked at."""
        return any(trail.sought.is_late for trail in self._trails)

    @property
    def has_gap(self) -> bool:
        """Whether files between `begin` and what is there now are gone."""
        return any(trail.has_gap for trail in self._trails)

    def places(self) -> dict[str, LogPosition]:
        """Behind which line of each log a later search goes on, once `groups` has come to its end."""
        return {trail.service: place for trail in self._trails if (place := trail.place) is not None}

    def close(self) -> None:
        """Give every descriptor back."""
        for trail in self._trails:
            trail.close()


class _Trail:
    """The files of one log, oldest first, each as long as it is when the search begins."""

    def __init__(self, service: str, path: str, sought: Sought, context: int, share: float) -> None:
        """`share` is the part of the time after which no older matches are looked for."""
        self.service = service
        self.sought = sought
        self.has_gap = False
        self.place: LogPosition | None = sought.begin
        self._context, self._share = context, share
        self._parts: list[Part] = []
        self._ends: list[int] = []
        self._begin = (0, 0)  # number of a part, and where in it the search begins
        try:
            self._open(path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for part in self._parts:
            part.close()
        self._parts.clear()

    def _open(self, path: str) -> None:
        seen: set[tuple[int, int]] = set()
        is_met = self.sought.begin is None
        end = self.sought.end
        # From the youngest on: while they are moved up under our hands we may meet one twice, but miss none.
        for number in range(MOST_PARTS):
            part = Part.open(self.service, path, number)
            if part is None:
                if number == 0:
                    continue
                break
            if part.key in seen:
                part.close()
                continue
            seen.add(part.key)
            self._parts.append(part)
            size = os.fstat(part.descriptor).st_size
            if end is not None and part.key == (end.device, end.inode):
                self._drop_younger()
                size = min(size, end.offset)
            self._ends.append(size)
            if self.sought.begin is not None and self.sought.begin == part.place(self.sought.begin.offset):
                is_met = True
                break
        self._parts.reverse()
        self._ends.reverse()
        if self.sought.begin is not None:
            self.has_gap = not is_met
            if is_met:
                self._begin = (0, self.sought.begin.offset)
        if self._parts:
            self.place = self._parts[-1].place(self._end_of_lines())

    def _drop_younger(self) -> None:
        for part in self._parts[:-1]:
            part.close()
        self._parts = self._parts[-1:]
        self._ends = []

    def _end_of_lines(self) -> int:
        """Where the last line that has a newline ends: the next search has the one that is not finished yet."""
        end = self._ends[-1]
        start = max(0, end - SIZE)
        cut = pread(self._parts[-1].descriptor, end - start, start).rfind(b"\n") + 1
        return start + cut if cut or start == 0 else end

    def groups(self) -> Iterator[Group]:
        floor = self._first_of_time() if self.sought.count is None else self._first_of_last(self.sought.count)
        if floor is not None:
            yield from self._from(floor)

    def _first_of_time(self) -> tuple[int, int] | None:
        """Where what is meant begins at the earliest; None without any file."""
        if not self._parts:
            return None
        for number in range(len(self._parts) - 1, self._begin[0], -1):
            if self._is_old(number):
                return (number, 0)
        return self._begin

    def _first_of_last(self, count: int) -> tuple[int, int] | None:
        """Where the first of the last `count` matches begins: number of a part and offset; None where none is."""
        first: tuple[int, int] | None = None
        for number in range(len(self._parts) - 1, self._begin[0] - 1, -1):
            part = self._parts[number]
            least = self._begin[1] if number == self._begin[0] else 0
            for block in backwards(part.descriptor, self._ends[number]):
                if count <= 0 or self.sought.is_over(self._share):
                    return first
                offsets = block.offsets()
                found = [each for each in self.sought.matches(block) if offsets[each] >= least]
                if self.sought.has_times:
                    lines = self._lines(number, block, offsets, found)
                    found = [each for each, line in zip(found, lines, strict=True) if self.sought.is_within(line)]
                if found:
                    chosen = found[-count:]
                    first = (number, offsets[chosen[0]])
                    count -= len(chosen)
                if block.offset <= least:
                    break
            if self._is_old(number):
                break
        return first

    def _is_old(self, number: int) -> bool:
        """Whether a part begins before the time that is meant: then older ones have nothing."""
        return self._ends[number] > 0 and self.sought.is_before(self._lines(number, Block(0, b"\n"), [0], [0])[0])

    def _lines(self, part_number: int, block: Block, offsets: list[int], numbers: Iterable[int]) -> list[Line]:
        raw, part = block.raw(), self._parts[part_number]
        part.jump()
        return [part.line_at(offsets[number], raw[number]) for number in numbers]

    def _from(self, floor: tuple[int, int]) -> Iterator[Group]:
        """All matches from `floor` on, with the lines around them."""
        gathering = Gathering(self._context)
        for number, block in self._blocks(floor):
            if self.sought.is_over():
                part, offset = max((number, block.offset), floor)
                self.place = self._parts[part].place(offset)
                break
            offsets = block.offsets()
            if self.sought.has_end and self.sought.is_after(self._lines(number, block, offsets, [0])[0]):
                break
            matches = {each for each in self.sought.matches(block) if (number, offsets[each]) >= floor}
            wanted: Iterable[int] = range(len(offsets)) if self._context else sorted(matches)
            if not matches and not gathering.is_open:  # most blocks of a long log
                wanted = range(max(0, len(offsets) - self._context), len(offsets))
                if len(wanted) < len(offsets):
                    yield from gathering.leave_out()
            for each, line in zip(wanted, self._lines(number, block, offsets, wanted), strict=True):
                if self.sought.is_within(line):
                    yield from gathering.feed(line, each in matches)
        yield from gathering.flush()

    def _blocks(self, floor: tuple[int, int]) -> Iterator[tuple[int, Block]]:
        """The blocks from `floor` on, and with a context from a little before it."""
        first, offset = self._before(floor) if self._context else floor
        for number in range(first, len(self._parts)):
            for block in forwards(self._parts[number].descriptor, offset, self._ends[number]):
                yield number, block
            offset = 0

    def _before(self, floor: tuple[int, int]) -> tuple[int, int]:
        """Where a block begins so far before `floor` that the lines around its first match are there."""
        missing, begin = self._context, floor
        for number in range(floor[0], self._begin[0] - 1, -1):
            end = floor[1] if number == floor[0] else self._ends[number]
            for block in backwards(self._parts[number].descriptor, end):
                missing -= len(block.offsets())
                begin = (number, block.offset)
                if missing <= 0 or begin <= self._begin:
                    return max(begin, self._begin)
        return begin
