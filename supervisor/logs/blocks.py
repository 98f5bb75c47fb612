"""The lines of a log file in blocks, forwards and backwards, so that a search holds no more than one of them."""

from collections.abc import Iterator
from itertools import accumulate

from supervisor.core.escapes import is_plain, tamed
from supervisor.dataclass import dataclass
from supervisor.files.reading import pread
from supervisor.logs.part import LONGEST_MESSAGE

SIZE = 1 << 18  # bytes; a line that is longer than a block is given in pieces


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that stand one after the other; the first begins at `offset`."""

    offset: int
    data: bytes  # with the newline at its end, where it has one

    def raw(self) -> list[bytes]:
        """The lines as they were written, without their newlines."""
        lines = self.data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        return lines

    def texts(self) -> list[str]:
        """The lines as people see them: without control codes."""
        text = self.data.decode(errors="replace")
        if not is_plain(self.data):
            text = tamed(text)
        lines = text.split("\n")
        if not lines[-1] and self.data.endswith(b"\n"):
            lines.pop()
        return lines

    def offsets(self) -> list[int]:
        """Where each line begins in the file."""
        return list(accumulate((len(line) + 1 for line in self.raw()[:-1]), initial=self.offset))


def forwards(descriptor: int, start: int, end: int) -> Iterator[Block]:
    """From `start`, where a line begins, to `end`."""
    rest = b""
    while start + len(rest) < end:
        read = pread(descriptor, min(SIZE, end - start - len(rest)), start + len(rest))
        if not read:
            break  # emptied meanwhile
        data = rest + read
        cut = data.rfind(b"\n") + 1
        if cut:
            yield Block(start, data[:cut])
        elif len(data) >= LONGEST_MESSAGE:
            cut = len(data)
            yield Block(start, data)
        start += cut
        rest = data[cut:]
    if rest:
        yield Block(start, rest)


def backwards(descriptor: int, end: int) -> Iterator[Block]:
    """From `end` to the beginning of the file, the last block first."""
    while end > 0:
        start = max(0, end - SIZE)
        data = pread(descriptor, end - start, start)
        if start > 0:
            cut = data.find(b"\n", 0, len(data) - 1) + 1  # a line that was begun before the block is left to the next
            start, data = start + cut, data[cut:]
        if not data:
            break  # emptied meanwhile
        yield Block(start, data)
        end = start
