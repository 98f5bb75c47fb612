"""Logs that are followed through the deaths of an instance: what is in the files, and whatever comes."""

import threading
from collections.abc import Callable, Sequence

from supervisor.api.project import Project
from supervisor.api.values import Event, FoundLine, LogQuery
from supervisor.control.client import Client
from supervisor.core import journal
from supervisor.core.naming import called
from supervisor.errors import PortsupError
from supervisor.words import view

FIRST = 2000  # lines of each service to begin with
MARK = "mark"  # the stream of a line that tells of the start of a process
_QUIET = 1.0  # seconds without news until somebody looks whether the lines are still wanted
_PAUSE = 0.1  # seconds between two looks at the files while much is printed
_STARTS = (journal.ServiceSpawned.event, journal.RollBegins.event)


class LogFollowing:
    """Reads the logs of some services and calls `tell` with what is new; `run` is for a thread of its own.

    The lines are those of the files, so that none is missing and none comes twice, whoever dies in between; the
    instance only says when there are more.  `tell` gets lines, or none and why they cannot be had.
    """

    def __init__(self, project: Project, services: Sequence[str], tell: Callable[[list[FoundLine], str], None]) -> None:
        self._project = project
        self._services = tuple(services)
        self._tell = tell
        self._is_closed = threading.Event()
        self._cursor = ""

    def close(self) -> None:
        """`run` returns within a second."""
        self._is_closed.set()

    def run(self) -> None:
        """Follows until `close`."""
        while not self._is_closed.is_set():
            try:
                self._read()
                self._wait_for_more()
            except PortsupError as error:
                self._tell([], f"{error.what}: {error.why}")
            self._is_closed.wait(_QUIET)

    def _wait_for_more(self) -> None:
        info = self._project.running()
        if info is None:
            return
        for news in Client(info.socket).news("logs", self._services, _QUIET):
            if self._is_closed.is_set():
                return
            if news is not None:
                self._is_closed.wait(_PAUSE)
                self._read()

    def _read(self) -> None:
        is_first = not self._cursor
        query = LogQuery(count=FIRST if is_first else None, cursor=self._cursor)
        page = self._project.search(*self._services, query=query)
        self._cursor = page.cursor
        lines = list(page.lines)
        if is_first:
            begin = lines[0].time if lines else ""
            events = self._project.history(*self._services, count=500).events
            marks = [mark for each in events if each.time >= begin and (mark := mark_of(each)) is not None]
            lines = sorted([*marks, *lines], key=lambda line: line.time)
        if lines or is_first:
            self._tell(lines, "")


def mark_of(event: Event) -> FoundLine | None:
    """The line between those of two processes; None for an event that is no start of one."""
    if event.event not in _STARTS:
        return None
    return FoundLine(event.time, called(event.service or "", event.replica), MARK, view.started(event.facts.get("pid")))
