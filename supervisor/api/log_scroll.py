"""The logs of an instance as one long list, for windows that show a stretch of it."""

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence

from supervisor.dataclass import dataclass
from supervisor.logs.files import log_files
from supervisor.logs.levels import level_of
from supervisor.logs.line import Line, rfc3339
from supervisor.logs.scroll import Scroll
from supervisor.logs.starts import last_starts


@dataclass(frozen=True, slots=True)
class ScrolledLine:
    """A line of a log.

    time: RFC 3339, UTC
    service: its name
    stream: `stdout`, `stderr`, or `portsup` for a remark of ours
    message: the line, without its newline
    level: the level that it names; empty where it names none
    """

    time: str
    service: str
    stream: str
    message: str
    level: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines that stand one after the other.

    number: of the first of them
    lines: in the order of time
    first: number of the oldest line that is still there
    end: number that the next line will have
    """

    number: int
    lines: tuple[ScrolledLine, ...]
    first: int
    end: int


class LogScroll:
    """The logs of some services, their lines numbered in the order of time; may be used by several threads."""

    def __init__(self, directory: str, services: Sequence[str]) -> None:
        """`directory` is where the instance keeps its logs."""
        self._directory = directory
        paths = log_files(directory, services)
        self._services = tuple(paths)
        self._scroll = Scroll(paths)
        self._lock = threading.Lock()
        self._is_closed = False

    def stretch(self, number: int | None, count: int) -> Stretch:
        """At most `count` lines from `number` on, or the last ones."""
        with self._looking():
            first, end = self._scroll.first, self._scroll.end
            begin = max(first, end - count if number is None else min(number, end))
            lines = self._scroll.lines(begin, min(count, end - begin)) if begin < end else []
        return Stretch(begin, tuple(map(_told, lines)), first, end)

    def number_at(self, time: float) -> int:
        """The number of the first line that was written at `time`, in seconds since 1970, or later."""
        with self._looking():
            return self._scroll.number_at(time)

    def number_since_restart(self) -> int:
        """The number of the first line of the last process of any of them; of the oldest line where none is known."""
        started = last_starts(os.path.join(self._directory, "portsup.log"), self._services)
        return self.number_at(max(started.values()) if started else 0.0)

    def close(self) -> None:
        """Gives every descriptor back; whoever still looks opens them for that long only."""
        with self._lock:
            self._is_closed = True
            self._scroll.close()

    @contextlib.contextmanager
    def _looking(self) -> Iterator[None]:
        """What is within sees all that was written so far."""
        with self._lock:
            try:
                self._scroll.refresh()
                yield
            finally:
                if self._is_closed:
                    self._scroll.close()


def printers(directory: str, services: Sequence[str]) -> tuple[str, ...]:
    """Who has a log there: these services, or each replica of those that have several."""
    return tuple(log_files(directory, services))


def level_named(message: str) -> str:
    """The level that a line names; empty where it names none."""
    level = level_of(message)
    return level.name.lower() if level else ""


def _told(line: Line) -> ScrolledLine:
    return ScrolledLine(rfc3339(line.time), line.service, str(line.stream), line.message, level_named(line.message))
