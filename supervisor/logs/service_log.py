"""The log of one service: what it is given byte for byte, rotated on line ends, with an index of times beside it.

Writing never raises: a service must not stand still or end because a disk is full.
"""

import contextlib
import os

from supervisor.config.spec import LogLimits
from supervisor.files.opening import Refused, why
from supervisor.files.reading import pread
from supervisor.logs import index
from supervisor.logs.index import Stream
from supervisor.logs.opening import open_log
from supervisor.logs.rotation import INDEX_SUFFIX, rotate
from supervisor.words import logs as words

LOOK_EVERY = 1.0  # seconds between two looks whether the file is still the one at its path
RETRY_AFTER = 1.0  # seconds without another attempt after a write went wrong
SAME_MOMENT = 0.001  # seconds within which further output of the same stream gets no record of its own
KEPT = 8192  # bytes of the last output kept in memory
_SLACK = 1 << 20  # bytes a file may grow beyond its size while a line does not end


class ServiceLog:
    """Where the output of a service goes; `lost` counts the bytes that could not be written.

    `trouble` says why writing does not work at the moment, and is empty when it does.
    """

    def __init__(self, path: str | os.PathLike[str], limits: LogLimits) -> None:
        self.path = os.fspath(path)
        self.lost = 0
        self.trouble = ""
        self.limits = limits
        self._log = self._index = -1
        self._size = 0
        self._rotate_at = limits.max_size
        self._is_at_line_start = True
        self._last_stream = ""
        self._last_record = 0.0
        self._looked = self._failed = float("-inf")
        self._unreported = 0
        self._kept = bytearray()
        self._kept_stream = ""

    def write(self, stream: str, chunk: bytes | memoryview, now: float) -> None:
        """Append what `stream` printed at `now`, seconds since 1970; also keeps the last of it for `tail`."""
        if not chunk:
            return
        self._remember(stream, chunk)
        if self.trouble and 0 <= now - self._failed < RETRY_AFTER:
            self._lose(len(chunk))
            return
        try:
            if not 0 <= now - self._looked < LOOK_EVERY:
                self._look(now)
            if self._unreported:
                self._report(now)
            if self._size + len(chunk) > self._rotate_at and self._size:
                chunk = self._rotate(stream, chunk, now)
            self._append(stream, chunk, now)
        except OSError as error:
            self._fail(_words(error), now)
            self._lose(len(chunk))

    def check(self, now: float) -> None:
        """Finds out, before there is any output, whether something else is in the place of the file."""
        if self._log < 0 and not self.trouble and os.path.lexists(self.path):
            try:
                self._open()
            except OSError as error:
                self._fail(_words(error), now)

    def limit(self, limits: LogLimits) -> None:
        """Keep so much from now on."""
        self.limits = limits
        self._rotate_at = limits.max_size

    def tail(self, count: int = 50) -> list[str]:
        """The last lines of the output since `forget`, for a report on a failure."""
        return self._kept[-KEPT:].decode(errors="replace").splitlines()[-count:]

    def forget(self) -> None:
        """Begin a new `tail`: a new process was started."""
        self._kept.clear()

    def end_line(self) -> None:
        """What comes next is of another process: it begins a line of its own, also where the last one has no end."""
        self._last_stream = ""

    def close(self) -> None:
        """Give the descriptors back; a later write opens the files again."""
        for descriptor in (self._log, self._index):
            if descriptor >= 0:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        self._log = self._index = -1
        self._looked = float("-inf")

    def _remember(self, stream: str, chunk: bytes | memoryview) -> None:
        if stream != self._kept_stream and self._kept and not self._kept.endswith(b"\n"):
            self._kept += b"\n"
        self._kept_stream = stream
        self._kept += chunk[-KEPT:]
        if len(self._kept) > 2 * KEPT:
            del self._kept[:-KEPT]

    def _append(self, stream: str, chunk: bytes | memoryview, now: float) -> None:
        if not chunk:
            return
        if stream != self._last_stream and not self._is_at_line_start:
            chunk = b"\n" + chunk  # somebody else left an unfinished line
        # The record first: whoever is woken by the log must find it.
        if stream != self._last_stream or not 0 <= now - self._last_record < SAME_MOMENT:
            self._note(stream, now)
        written = os.write(self._log, chunk)
        self._size += written
        self._last_stream = stream
        if written:
            self._is_at_line_start = chunk[written - 1] == 10
        if written == len(chunk):
            self.trouble = ""
        else:
            self._fail(words.NO_ROOM, now)
            self._lose(len(chunk) - written)

    def _note(self, stream: str, now: float) -> None:
        if self._index >= 0:
            index.append(self._index, index.Entry(self._size, now, stream))
        self._last_record = now

    def _fail(self, why: str, now: float) -> None:
        self.trouble = why
        self._failed = now

    def _lose(self, count: int) -> None:
        self.lost += count
        self._unreported += count

    def _report(self, now: float) -> None:
        reported = self._unreported
        self._append(Stream.PORTSUP, words.lost(reported, self.trouble), now)
        if not self.trouble:
            self._unreported -= reported

    def _look(self, now: float) -> None:
        """Follow whoever moved, deleted or emptied the file, and find out its size."""
        if self._log >= 0:
            ours = os.fstat(self._log)
            try:
                there = os.lstat(self.path)
            except FileNotFoundError:
                there = None
            if there is None or (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino) or ours.st_size < self._size:
                self.close()
            else:
                self._size = ours.st_size
        if self._log < 0:
            self._open()
        self._looked = now

    def _open(self) -> None:
        self._log = open_log(self.path, os.O_RDWR)
        status = os.fstat(self._log)
        self._size = status.st_size
        self._rotate_at = self.limits.max_size
        self._is_at_line_start = self._size == 0 or pread(self._log, 1, self._size - 1) == b"\n"
        self._last_stream = ""
        with contextlib.suppress(OSError):
            self._index = open_log(self.path + INDEX_SUFFIX, os.O_RDWR)
            index.continue_for(self._index, status.st_ino, self._size)

    def _rotate(self, stream: str, chunk: bytes | memoryview, now: float) -> bytes | memoryview:
        """Begin a new file where a line ends; gives what of `chunk` belongs there."""
        if not self._is_at_line_start:
            end = bytes(chunk).find(b"\n") + 1 if stream == self._last_stream else 0
            if end == 0 and self._size < self._rotate_at + _SLACK:
                return chunk
            self._append(stream, chunk[:end], now)
            chunk = chunk[end:]
        self.close()
        size = self._size
        with contextlib.suppress(OSError):
            rotate(self.path, self.limits.backups, with_index=True)
        self._open()
        self._looked = now
        if self._size == size:  # it could not be moved away: not again at every line
            self._rotate_at = size + self.limits.max_size // 10
            if size >= self.limits.max_size * (self.limits.backups + 1):  # as much as all parts may have together
                self._begin_anew(size, now)
        return chunk

    def _begin_anew(self, size: int, now: float) -> None:
        os.ftruncate(self._log, 0)
        self.close()
        self._open()
        self._looked = now
        self._append(Stream.PORTSUP, words.dropped(size), now)


def _words(error: OSError) -> str:
    return why(error) if isinstance(error, Refused) else why(error).lower()
