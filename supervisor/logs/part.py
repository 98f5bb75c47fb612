"""One file of a service's log, open for reading together with its index."""

import errno
import os
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from supervisor.files.opening import Refused, close, open_file
from supervisor.files.reading import pread
from supervisor.logs.index import Entry, Index, Stream, belongs_to
from supervisor.logs.line import Line
from supervisor.logs.rotation import INDEX_SUFFIX, backup

MOST_PARTS = 1000
_BLOCK = 1 << 16
_HEAD = 256  # bytes by which a file is told from one that had the same inode
LONGEST_MESSAGE = 1 << 16  # bytes; a longer line is given in pieces


class LogPosition(NamedTuple):
    """A place in a log that stays the same while rotation renames its files."""

    device: int
    inode: int
    offset: int
    head: int  # what the file begins with, because the inode of one that was deleted is used again


class Part:
    """A log file and how far it was read; stays the same file while rotation renames it."""

    def __init__(self, service: str, path: str, descriptor: int) -> None:
        self.service = service
        self.path = path
        self.descriptor = descriptor
        status = os.fstat(descriptor)
        self.key = (status.st_dev, status.st_ino)
        self.offset = 0  # of the first line not given yet
        self._rest = b""  # what was read of an unfinished line
        self._was_cut = False  # whether the line before `offset` was given unfinished
        self._times = _Times(path, status.st_ino)

    @classmethod
    def open(cls, service: str, path: str, number: int = 0) -> "Part | None":
        """The part with that number, 0 being the log itself; None if there is none."""
        try:
            return cls(service, path, open_file(backup(path, number), os.O_RDONLY))
        except (FileNotFoundError, NotADirectoryError, Refused):  # a link or a FIFO is no log of ours
            return None

    def close(self) -> None:
        """Give the descriptors back."""
        close(self.descriptor)
        self._times.close()

    def skip_to_last(self, count: int) -> int:
        """Go to where the last `count` lines begin; gives how many lines there are from there on."""
        end = position = os.fstat(self.descriptor).st_size
        found = 0
        while position > 0 and count > 0:
            start = max(0, position - _BLOCK)
            block = pread(self.descriptor, position - start, start)
            at = len(block)
            if position == end and block.endswith(b"\n"):
                at -= 1  # the newline at the very end begins no line
            while (at := block.rfind(b"\n", 0, at)) >= 0:
                found += 1
                if found == count:
                    self._go_to(start + at + 1)
                    return found
            position = start
        if count > 0:
            self._go_to(0)
            return found + 1 if end else 0
        self._go_to(end)
        return 0

    def read(self, *, to_the_end: bool = False) -> Iterator[Line]:
        """The lines that were completed since the last time; `to_the_end`: also the unfinished one.

        To be exhausted before the next call, which goes on behind the last line also where this one raises OSError.
        """
        try:
            yield from self._read(to_the_end)
        except OSError:
            self._rest, self._was_cut = b"", False
            raise

    def _read(self, to_the_end: bool) -> Iterator[Line]:
        if os.fstat(self.descriptor).st_size < self.offset:  # emptied where it stands
            self._go_to(0)
        while data := pread(self.descriptor, _BLOCK, self.offset + len(self._rest)):
            data = self._rest + data
            if self._was_cut and data.startswith(b"\n"):
                data = data[1:]  # the end of a line that was given already
                self.offset += 1
            self._was_cut = False
            *lines, self._rest = data.split(b"\n")
            for line in lines:
                yield self._line(line, len(line) + 1)
            while len(self._rest) >= LONGEST_MESSAGE:
                piece, self._rest = self._rest[:LONGEST_MESSAGE], self._rest[LONGEST_MESSAGE:]
                self._was_cut = not self._rest
                yield self._line(piece, len(piece))
        if to_the_end and self._rest:
            line, self._rest = self._rest, b""
            self._was_cut = True
            yield self._line(line, len(line))

    def place(self, offset: int) -> LogPosition:
        """The place in this file at `offset`."""
        head = pread(self.descriptor, min(offset, _HEAD), 0)
        self._times.seek()
        entry = self._times.at(0)
        return LogPosition(*self.key, offset, zlib.crc32(head, round(entry.time * 1000) & 0xFFFFFFFF if entry else 0))

    def line_at(self, offset: int, raw: bytes) -> Line:
        """The line `raw`, without its newline, that begins at `offset`, behind the one asked for before or `jump`."""
        self.offset = offset
        return self._line(raw, 0)

    def offset_since(self, time: float) -> int:
        """Where the first byte stands that was written at `time` or later; the end of the file where none was."""
        return self._times.since(time, os.fstat(self.descriptor))

    def jump(self) -> None:
        """The next offset that `line_at` gets may be anywhere."""
        self._times.seek()

    def _go_to(self, offset: int) -> None:
        self.offset = offset
        self._rest = b""
        self._was_cut = False
        self._times.seek()

    def _line(self, line: bytes, length: int) -> Line:
        entry = self._times.at(self.offset)
        self.offset += length
        time = entry.time if entry else os.fstat(self.descriptor).st_mtime
        stream = entry.stream if entry else Stream.STDOUT
        return Line(time, self.service, stream, line.removesuffix(b"\r").decode(errors="replace"))


class _Times:
    """The index of a part, walked along with the reading of its lines."""

    def __init__(self, path: str, inode: int) -> None:
        self._path = path
        self._inode = inode
        self._index: Index | None = None
        self._entry: Entry | None = None
        self._position = -1  # of _entry
        self._ahead: list[Entry] = []  # those behind it, last one first

    def seek(self) -> None:
        """The next offset asked for may be anywhere."""
        self._entry, self._ahead = None, []

    def at(self, offset: int) -> Entry | None:
        """What the index says of the byte at `offset`, which is behind the last one asked for; None: nothing."""
        if self._index is None and not self._find():
            return None
        assert self._index is not None
        if self._entry is None:
            self._position = max(0, self._index.position_of(offset))
            entries = self._index.read(self._position, 1)
            self._entry = entries[0] if entries else None
        while True:
            if not self._ahead:
                self._ahead = self._index.read(self._position + 1, 128)[::-1]
            if not self._ahead or self._ahead[-1].offset > offset:
                return self._entry
            self._entry = self._ahead.pop()
            self._position += 1

    def since(self, time: float, status: os.stat_result) -> int:
        """The offset of the first entry that is not older than `time`; the size of the file where there is none."""
        if self._index is None and not self._find():
            return 0 if status.st_mtime >= time else status.st_size
        assert self._index is not None
        position = bisect_left(self._index, time, key=lambda entry: entry.time)
        entries = self._index.read(position, 1)
        return entries[0].offset if entries else status.st_size

    def close(self) -> None:
        """Give the descriptor back."""
        if self._index is not None:
            self._index.close()
            self._index = None

    def _find(self) -> bool:
        missing = 0
        for number in range(MOST_PARTS):
            try:
                descriptor = open_file(backup(self._path, number) + INDEX_SUFFIX, os.O_RDONLY)
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):  # that there is none would be no fact
                    raise
                missing += 1  # perhaps just being moved up
                if missing == 3:
                    break
                continue
            if belongs_to(descriptor, self._inode):
                self._index = Index(descriptor)
                return True
            close(descriptor)
        return False
