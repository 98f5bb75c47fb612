"""Puts lines that were looked for together with those around them.  Pure."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from supervisor.logs.line import Line

LONGEST = 500  # lines of a group; what belongs to it beyond that comes as another one that goes on


class Found(NamedTuple):
    """A line, and whether it was looked for or stands beside one that was."""

    line: Line
    is_match: bool


class Group(NamedTuple):
    """Lines of one service that stand one after the other; `goes_on`: without a gap to the group before it."""

    lines: tuple[Found, ...]
    goes_on: bool = False


class Gathering:
    """Takes the lines of one service in their order; `context` is how many around a match come with it."""

    def __init__(self, context: int) -> None:
        self._context = context
        self._before: deque[Line] = deque(maxlen=context)
        self._group: list[Found] = []
        self._left = 0  # lines that still belong behind the last match
        self._is_adjacent = False  # whether nothing was left out since the last group

    @property
    def is_open(self) -> bool:
        """Whether the last match wants lines that come after it."""
        return self._left > 0

    def feed(self, line: Line, is_match: bool) -> Iterator[Group]:
        """The groups that are complete once this line is known."""
        if is_match:
            self._group += [Found(each, False) for each in self._before]
            self._before.clear()
            self._group.append(Found(line, True))
            self._left = self._context
        elif self._left > 0:
            self._group.append(Found(line, False))
            self._left -= 1
        else:
            if len(self._before) == self._context:
                yield from self.flush()
                self._is_adjacent = False
            self._before.append(line)
        if not self._context or len(self._group) >= LONGEST:
            yield from self.flush()

    def leave_out(self) -> Iterator[Group]:
        """Lines come that nobody wants; the last of them may be fed."""
        yield from self.flush()
        self._before.clear()
        self._is_adjacent = False

    def flush(self) -> Iterator[Group]:
        """What there is so far; what belongs to it and is still to come goes on from there."""
        if self._group:
            yield Group(tuple(self._group), self._is_adjacent)
            self._is_adjacent = True
            self._group.clear()
