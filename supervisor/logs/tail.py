"""The logs of services as lines: the last ones, and those that come, merged in the order of time.

Nothing here needs the daemon: the files are read, whoever writes them, and rotated, deleted or emptied files are
followed.  What a rotation leaves unread is found by the files that are kept open: a file that is open keeps its inode,
so every file of a log that stands before it was begun later.
"""

import contextlib
import heapq
import itertools
import os
import select
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Self

from supervisor.logs import eras
from supervisor.logs.index import Stream
from supervisor.logs.line import Line
from supervisor.logs.part import MOST_PARTS, LogPosition, Part
from supervisor.system import Watch, WatchKind, open_watch
from supervisor.words.logs import GAP as GAP

Paths = Mapping[str, str | os.PathLike[str]]  # of the log of each service; need not exist (yet)

MOST_AT_ONCE = 5000  # lines, of all services
POLL_EVERY = 0.25  # seconds, where the system cannot watch files


def read_last(paths: Paths, count: int | None = None) -> Iterator[Line]:
    """The last `count` lines of each service, or all there are, merged in the order of time."""
    with Follower(paths, count) as follower:
        yield from follower.last()


def follow(paths: Paths, count: int | None = 0) -> Iterator[list[Line]]:
    """The last `count` lines of each service, then whatever comes, in batches; without an end."""
    with Follower(paths, count) as follower:
        if lines := list(follower.last()):
            yield lines
        while True:
            if lines := follower.new():
                yield lines
            else:
                follower.wait()


class Follower:
    """Reads the logs of several services on and on; `last` comes first, and once."""

    def __init__(self, paths: Paths, count: int | None = 0) -> None:
        self._trails = [_Trail(service, os.fspath(path)) for service, path in paths.items()]
        self._count = count
        self._watch: Watch | None = None
        self._is_watching = False
        self._is_blind = True
        self._watched: dict[str, tuple[int, int]] = {}
        self._coming: Iterator[Line] | None = None  # what has come, and was not given yet
        self._lack: OSError | None = None  # what kept `_coming` from being all
        self.may_be_more = False  # whether there may be files that were not there before; for whoever reads it to clear

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, paths: Paths) -> None:
        """Follow these as well from now on, from their first line; what is followed already may have another name."""
        known = {trail.path: trail for trail in self._trails}
        for service, path in paths.items():
            trail = known.get(os.fspath(path))
            if trail is None:
                self._trails.append(_Trail(service, os.fspath(path)))
            else:
                trail.rename(service)

    def last(self) -> Iterator[Line]:
        """The lines that are there already."""
        past = (trail.timed(trail.last(self._count)) for trail in self._trails)
        if self._count is None or self._count > MOST_AT_ONCE:
            yield from eras.merged(past)
        else:
            yield from eras.merged_to_now(list(map(list, past)), time.time())

    def new(self) -> list[Line]:
        """The lines that came since the last call, of all services in the order of time; never waits.

        Raises OSError where there are none and a descriptor is lacking to look for more; the next call looks again.
        Of very many it gives the first, and the others in the next calls, so that who prints them is not kept waiting.
        """
        self._watch_files()  # before reading: what is written after it wakes `wait`
        if self._coming is None:
            self._lack = None
            self._coming = heapq.merge(*map(self._come, self._trails), key=lambda line: line.time)
        lines = list(itertools.islice(self._coming, MOST_AT_ONCE))
        if len(lines) < MOST_AT_ONCE:
            self._coming = None
        if self._lack is not None and not lines:
            raise self._lack
        return lines

    def _come(self, trail: "_Trail") -> Iterator[Line]:
        """What came to one log; an error must not lose the lines of the others, which are merged with it."""
        try:
            yield from trail.timed(trail.new())
        except OSError as error:
            self._lack = error

    def places(self) -> dict[str, LogPosition]:
        """By service how far its log was read, for a search that ends there."""
        return {trail.service: place for trail in self._trails if (place := trail.place()) is not None}

    def fileno(self) -> int | None:
        """A descriptor that becomes readable when there may be new lines; None where the system has none."""
        return self._watch.fileno() if self._watch else None

    def wait(self, seconds: float | None = None) -> None:
        """Sleep until there may be new lines, at most so many seconds."""
        if self._watch is None or self._is_blind:
            self.may_be_more = True
            seconds = POLL_EVERY if seconds is None else min(seconds, POLL_EVERY)
        if self._watch is None:
            time.sleep(seconds or 0)
            return
        waiting = select.poll()
        waiting.register(self._watch.fileno(), select.POLLIN)
        if waiting.poll(None if seconds is None else seconds * 1000):
            logs = {trail.path for trail in self._trails}
            for event in self._watch.read():
                self.may_be_more = self.may_be_more or event.path not in logs
                if event.kind is WatchKind.GONE:  # its inode may be used again
                    self._watched.pop(event.path, None)

    def close(self) -> None:
        """Give every descriptor back."""
        self._coming = None
        for trail in self._trails:
            trail.close()
        if self._watch:
            self._watch.close()
            self._watch = None

    def _watch_files(self) -> None:
        if not self._is_watching:
            self._watch = open_watch()
            self._is_watching = True
        if self._watch is None:
            return
        logs = {trail.path for trail in self._trails}
        folders = {os.path.dirname(path) or "." for path in logs}
        self._is_blind = False
        for path in folders | logs:
            try:
                status = os.stat(path)
                if self._watched.get(path) != (status.st_dev, status.st_ino):
                    self._watch.add(path, entries=path in folders, modified=path in logs)
                    self._watched[path] = (status.st_dev, status.st_ino)
                    self.may_be_more = self.may_be_more or path in folders
            except OSError:
                self._watched.pop(path, None)
                self._is_blind = self._is_blind or path in folders  # nothing will tell when it comes


def _close_all(parts: list[Part]) -> None:
    for part in parts:
        part.close()


class _Trail:
    """The log of one service: the file at its path, and those that were there before."""

    def __init__(self, service: str, path: str) -> None:
        self.path = path
        self.service = service
        self._current: Part | None = None
        self._before: Part | None = None  # the one older than _current
        self._time = 0.0  # of the last line that was given
        self._has_gap = False  # whether parts between _current and those behind it may have come and gone

    def rename(self, service: str) -> None:
        self.service = service
        for part in (self._before, self._current):
            if part is not None:
                part.service = service

    def last(self, count: int | None) -> Iterator[Line]:
        parts = self._parts_since()
        wanted = count
        first = 0
        for position in range(len(parts) - 1, -1, -1):
            if wanted is not None:
                wanted -= parts[position].skip_to_last(wanted)
                if wanted <= 0:
                    first = position
                    break
        try:
            for part in parts[first:]:
                yield from part.read(to_the_end=True)
        finally:
            self._keep(parts)

    def new(self) -> Iterator[Line]:
        current = self._current
        if current is not None:
            yield from current.read()
            if self._is_at_path(current):
                return
        parts = self._parts_since()
        if not parts:
            return  # moved away, and nothing new there yet
        known = 0
        try:
            if current is not None:
                yield from current.read(to_the_end=True)  # what was written before it was moved away
            if self._has_gap:
                yield Line(self._time, self.service, Stream.PORTSUP, GAP)
            for known, part in enumerate(parts, 1):  # noqa: B007  (how far it came)
                yield from part.read(to_the_end=part is not parts[-1])
        except OSError:  # what was not read yet is found again
            _close_all(parts[known:])
            parts = parts[:known]
            raise
        finally:
            self._keep(parts)

    def place(self) -> LogPosition | None:
        return self._current.place(self._current.offset) if self._current is not None else None

    def timed(self, lines: Iterator[Line]) -> Iterator[Line]:
        """The same lines; the time of the last one is remembered."""
        for line in lines:
            self._time = line.time
            yield line

    def close(self) -> None:
        for part in (self._current, self._before):
            if part is not None:
                part.close()
        self._current = self._before = None

    def _is_at_path(self, part: Part) -> bool:
        try:
            status = os.stat(self.path)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == part.key

    def _parts_since(self) -> list[Part]:
        """The files that were begun after _current, oldest first."""
        known = {part.key for part in (self._current, self._before) if part is not None}
        parts: list[Part] = []
        is_met = not known
        with contextlib.ExitStack() as undo:  # without a descriptor for all of them it is as before
            undo.callback(_close_all, parts)
            is_met = self._open_younger(known, parts) or is_met
            undo.pop_all()
        self._has_gap = not is_met and len(parts) > 1  # a single one took the place of one that was deleted
        return parts[::-1]

    def _open_younger(self, known: Collection[tuple[int, int]], parts: list[Part]) -> bool:
        """Adds the files that are younger than the `known`; whether one of those was met."""
        # From the youngest on: while they are moved up under our hands we may meet one twice, but miss none.
        for number in range(MOST_PARTS):
            part = Part.open(self.service, self.path, number)
            if part is None:
                if number == 0:
                    continue  # between the rotation and the first line
                break
            if part.key in known:
                part.close()
                return True
            if any(part.key == other.key for other in parts):
                part.close()
                continue
            parts.append(part)
        return False

    def _keep(self, parts: list[Part]) -> None:
        """The last of `parts` is the current one from now on."""
        every = [part for part in (self._before, self._current, *parts) if part is not None]
        for part in every[:-2]:
            part.close()
        self._current = every[-1] if every else None
        self._before = every[-2] if len(every) > 1 else None
