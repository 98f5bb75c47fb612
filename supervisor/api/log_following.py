"""Logs that are followed through the deaths of an instance: what is in the files, and whatever comes."""

import heapq
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

from supervisor.api.project import Project
from supervisor.api.values import Event, FoundLine, LogQuery
from supervisor.control.client import Client
from supervisor.core import journal
from supervisor.core.naming import called
from supervisor.errors import PortsupError
from supervisor.logs.line import rfc3339
from supervisor.words import view

FIRST = 2000  # lines of each service to begin with
AT_ONCE = 20_000  # of each in a later read: who prints more than that is shown as it prints now, and the rest is said
MARK = "mark"  # the stream of a line that tells of the start of a process
_QUIET = 1.0  # seconds without news until somebody looks whether the lines are still wanted
_PAUSE = 0.1  # seconds between two looks at the files while much is printed
_MARKS = 1000  # whose starts are remembered, as they may come twice
_STARTS = (journal.ServiceSpawned.event, journal.RollBegins.event)


class LogFollowing:
    """Reads the logs of some services and calls `tell` with what is new; `run` is for a thread of its own.

    The lines are those of the files, so that none comes twice and none is missing without a word, whoever dies in
    between; the instance only says when there are more.  `tell` gets lines, or none and why they cannot be had.
    """

    def __init__(self, project: Project, services: Sequence[str], tell: Callable[[list[FoundLine], str], None]) -> None:
        self._project = project
        self._services = tuple(services)
        self._tell = tell
        self._is_closed = threading.Event()
        self._cursor = ""
        self._is_begun = False
        self._has_trouble = False
        self._starts: deque[FoundLine] = deque()  # to be told with the next lines
        self._marks: deque[FoundLine] = deque(maxlen=_MARKS)  # that were told
        self._last: dict[str, str] = {}  # when the last line of each service was written

    def note(self, event: Event) -> None:
        """The start of a process stands between the lines once these are read; may be called by any thread."""
        if (mark := mark_of(event)) is not None:
            self._starts.append(mark)

    def close(self) -> None:
        """`run` returns within a second."""
        self._is_closed.set()

    def run(self) -> None:
        """Follows until `close`."""
        while not self._is_closed.is_set():
            self._look()
            self._is_closed.wait(_QUIET)

    def _look(self) -> None:
        """Reads what there is, and whatever comes while the instance runs; what goes wrong is told."""
        try:
            self._read()
            self._wait_for_more()
        except PortsupError as error:
            self._has_trouble = True
            self._tell([], f"{error.what}: {error.why}")

    def _wait_for_more(self) -> None:
        info = self._project.running()
        if info is None:
            return
        for news in Client(info.socket).news("logs", self._services, _QUIET):
            if self._is_closed.is_set():
                return
            if news is not None:
                self._is_closed.wait(_PAUSE)
            if news is not None or self._starts:
                self._read()

    def _read(self) -> None:
        is_cut = True
        while is_cut and not self._is_closed.is_set():
            before, is_first = self._cursor, not self._is_begun
            query = LogQuery(count=FIRST if is_first else AT_ONCE + 1, cursor=before)
            page = self._project.search(*self._services, query=query)
            is_cut = page.is_cut
            if is_cut and page.cursor == before:
                raise view.too_slow()
            lines = list(page.lines)
            if page.has_gap:  # what was shown may come again
                lines = [line for line in lines if line.time > self._last.get(line.service, "")]
            marks = self._new_marks(lines[0].time if lines else "") if is_first else self._noted()
            marks += [_remark(lines, view.LINES_LEFT_OUT)] if is_cut and is_first else []
            marks += [_remark(lines, view.LINES_GONE)] if page.has_gap else []
            marks += [_remark(lines, view.LINES_PASSED)] if not is_first and _are_too_many(page.lines) else []
            if lines or marks or is_first or self._has_trouble:
                marks.sort(key=_time_of)
                self._tell(list(heapq.merge(marks, lines, key=_time_of)), "")
            self._cursor, self._is_begun, self._has_trouble = page.cursor, True, False
            self._last |= {line.service: line.time for line in lines}

    def _new_marks(self, begin: str) -> list[FoundLine]:
        """The starts since that moment, as far as the journal knows them."""
        for event in self._project.history(*self._services, count=500).events:
            if event.time >= begin:
                self.note(event)
        return self._noted()

    def _noted(self) -> list[FoundLine]:
        """The starts that were noted and are not told of yet."""
        found: list[FoundLine] = []
        while self._starts:
            if (mark := self._starts.popleft()) not in self._marks:
                self._marks.append(mark)
                found.append(mark)
        return found


def _are_too_many(lines: Sequence[FoundLine]) -> bool:
    """Whether one of the services has printed more than is read at once."""
    return len(lines) > AT_ONCE and max(Counter(line.service for line in lines).values()) > AT_ONCE


def _time_of(line: FoundLine) -> str:
    return line.time


def _remark(lines: Sequence[FoundLine], words: str) -> FoundLine:
    """A line of ours before these."""
    return FoundLine(lines[0].time if lines else rfc3339(time.time()), "", MARK, words)


def mark_of(event: Event) -> FoundLine | None:
    """The line between those of two processes; None for an event that is no start of one."""
    if event.event not in _STARTS:
        return None
    return FoundLine(event.time, called(event.service or "", event.replica), MARK, view.started(event.facts.get("pid")))
