"""What a service prints, taken from its pipes without ever waiting and without looking at single lines."""

from enum import StrEnum

from supervisor.system.pipes import close_pipe, keep_from_waiting, read_into, read_rest, widen

READ_SIZE = 1 << 16  # what a pipe holds, pipe(7)
WIDE_SIZE = 1 << 18  # that of a process that prints faster than it is read: a quarter of the turns for the same output
FULL_READS = 16  # so many in a row tell of one
READ_IN_NEED = 1 << 12  # when many print much at the same time: so that each is read in each turn
LONGEST_LINE = 1 << 16

# What all pipes are read into: to be given fresh memory for each read takes longer than the read.
_ROOM = bytearray(LONGEST_LINE + WIDE_SIZE)
_VIEW = memoryview(_ROOM)
Lines = bytes | memoryview  # a memoryview is of this room, and so lasts until the next read of whatever pipe


class Stream(StrEnum):
    """Which pipe a line came from."""

    STDOUT = "stdout"
    STDERR = "stderr"


def contains(lines: memoryview, text: bytes) -> bool:
    """Whether the lines that the last read of all gave have this text in them."""
    return _ROOM.find(text, 0, len(lines)) >= 0


class LineSplitter:
    """Cuts a flow of bytes after its last newline and keeps the rest for the next time.

    A line longer than LONGEST_LINE is given in pieces, so that what is kept stays small.
    """

    __slots__ = ("rest",)

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """All that is complete: b"" or lines with their newlines (or a piece of an endless line)."""
        end = data.rfind(b"\n") + 1
        if end == 0:
            self.rest += data
            return self.flush() if len(self.rest) >= LONGEST_LINE else b""
        complete = data if end == len(data) else data[:end]
        if self.rest:
            complete = self.rest + complete
        self.rest = data[end:]
        return complete

    def flush(self) -> bytes:
        """The unfinished line, which is forgotten."""
        rest, self.rest = self.rest, b""
        return rest


class Capture:
    """One of the two pipes of a service; owns the descriptor, and has the pipe hold at most `widest` bytes."""

    def __init__(self, descriptor: int, stream: Stream, widest: int = WIDE_SIZE) -> None:
        keep_from_waiting(descriptor)
        self.descriptor = descriptor
        self.stream = stream
        self.fresh: Lines = b""  # what the last `read` or `drain` took, whole lines or not
        self._splitter = LineSplitter()
        self._size = READ_SIZE
        self._widest = widest
        self._full_reads = 0

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self.descriptor

    def read(self, limit: int | None = None) -> Lines | None:
        """The lines that came, at most `limit` bytes if that is given, b"" if none is complete; None when nobody can
        write any more.

        Call `close` after None: it has what stood on the last line.
        """
        self.fresh = b""
        size = self._size if limit is None else limit
        rest = self._splitter.rest
        begin = len(rest)
        try:
            count = read_into(self.descriptor, _VIEW[begin : begin + size])
        except BlockingIOError:
            return b""
        except OSError:  # EIO of a terminal whose other side is gone
            return None
        if self._size < self._widest:
            self._full_reads = self._full_reads + 1 if count == READ_SIZE else 0
            if self._full_reads == FULL_READS and widen(self.descriptor, self._widest):
                self._size = self._widest
        if not count:
            return None
        _VIEW[:begin] = rest
        last = begin + count
        self.fresh = _VIEW[begin:last]
        end = _ROOM.rfind(b"\n", begin, last) + 1
        if end == 0 and last >= LONGEST_LINE:
            end = last
        self._splitter.rest = bytes(_VIEW[end:last])
        return _VIEW[:end]

    def drain(self, limit: int = 1 << 20) -> bytes:
        """What is in the pipe right now, at most about `limit` bytes, the unfinished last line included.

        For the moment after the process ended: whoever inherited the pipe may keep it open, and write, forever.
        """
        chunks: list[bytes] = []
        fresh = b""
        taken = 0
        while taken < limit:
            try:
                data = read_rest(self.descriptor, READ_SIZE)
            except OSError:
                break
            if not data:
                break
            taken += len(data)
            fresh += data
            chunks.append(self._splitter.feed(data))
        chunks.append(self._splitter.flush())
        self.fresh = fresh
        return b"".join(chunks)

    def close(self) -> bytes:
        """Give the descriptor back; gives the unfinished last line."""
        if self.descriptor >= 0:
            close_pipe(self.descriptor)
            self.descriptor = -1
        return self._splitter.flush()
