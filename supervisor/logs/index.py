"""When each piece of a service's log was written, and by whom: 24-byte records in a file beside the log.

The log itself stays plain, for `tail -f` and `grep`.  The first record names the log by its inode, so that the two find
one another while rotation renames them; whoever finds no index takes the time at which the log was written last.
"""

import os
import struct
from bisect import bisect_right
from enum import StrEnum

from supervisor.dataclass import dataclass
from supervisor.files.opening import close
from supervisor.files.reading import pread
from supervisor.logs.line import LATEST

_RECORD = struct.Struct("<QdB7x")  # offset in the log, seconds since 1970, stream
_HEADER = struct.Struct("<8sQ8x")  # magic, inode of the log
_MAGIC = b"portsup\x01"
RECORD_SIZE = _RECORD.size


class Stream(StrEnum):
    """Where a line came from; `portsup` are our own remarks in a service's log."""

    STDOUT = "stdout"
    STDERR = "stderr"
    PORTSUP = "portsup"


_STREAMS = (Stream.STDOUT, Stream.STDERR, Stream.PORTSUP)
_NUMBERS = {stream.value: number for number, stream in enumerate(_STREAMS)}


@dataclass(frozen=True, slots=True)
class Entry:
    """From `offset` on the log was written at `time` (seconds since 1970) by `stream`."""

    offset: int
    time: float
    stream: str


def header(inode: int) -> bytes:
    """The first record of the index of the log with that inode."""
    return _HEADER.pack(_MAGIC, inode)


def append(descriptor: int, entry: Entry) -> None:
    """Write one record; a full disk leaves no half of one, and is otherwise ignored: the log is what counts."""
    try:
        written = os.write(descriptor, _RECORD.pack(entry.offset, entry.time, _NUMBERS[entry.stream]))
        if written < RECORD_SIZE:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
    except OSError:
        pass


def belongs_to(descriptor: int, inode: int) -> bool:
    """Whether the open index is that of the log with this inode."""
    return pread(descriptor, RECORD_SIZE, 0) == header(inode)


def continue_for(descriptor: int, inode: int, size: int) -> None:
    """Make an index, open for appending, that of the log with this inode and size; keeps what is right in it."""
    length = os.fstat(descriptor).st_size // RECORD_SIZE * RECORD_SIZE
    if not length or not belongs_to(descriptor, inode):
        os.ftruncate(descriptor, 0)
        if os.write(descriptor, header(inode)) < RECORD_SIZE:  # a full disk: half a header would be that of no log
            os.ftruncate(descriptor, 0)
        return
    # After a crash it may tell about bytes that the log never got.
    while length > RECORD_SIZE and _RECORD.unpack(pread(descriptor, RECORD_SIZE, length - RECORD_SIZE))[0] > size:
        length -= RECORD_SIZE
    os.ftruncate(descriptor, length)


class Index:
    """The index of one log, open for reading; the file may grow meanwhile."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __len__(self) -> int:
        return max(0, os.fstat(self.descriptor).st_size // RECORD_SIZE - 1)

    def __getitem__(self, position: int) -> Entry:
        if entries := self.read(position, 1):
            return entries[0]
        raise IndexError(position)

    def read(self, position: int, count: int) -> list[Entry]:
        """At most `count` entries from that position on."""
        data = pread(self.descriptor, count * RECORD_SIZE, (position + 1) * RECORD_SIZE)
        whole = memoryview(data)[: len(data) // RECORD_SIZE * RECORD_SIZE]
        return [
            Entry(offset, time if 0 <= time < LATEST else 0.0, _STREAMS[min(number, len(_STREAMS) - 1)])
            for offset, time, number in _RECORD.iter_unpack(whole)
        ]

    def position_of(self, offset: int) -> int:
        """The record that tells about the byte at `offset`, -1 if there is none."""
        return bisect_right(self, offset, key=lambda entry: entry.offset) - 1

    def close(self) -> None:
        """Give the descriptor back."""
        close(self.descriptor)
