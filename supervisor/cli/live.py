"""A few lines at the bottom of a terminal that change in place: whom a command waits for, and how long still.

Own code, and not `rich`: that takes longer to import than most of these commands run, wants the whole terminal for
itself, and has no answer for lines that come from a pipe as bytes.  What is needed is one escape sequence up and one
that clears.  Nothing is switched off or hidden meanwhile, the cursor neither, so that nothing has to be put right
when this process is killed.
"""

import os
import sys

from supervisor.cli.render import duration, is_terminal, printable, wants_color
from supervisor.core.escapes import tamed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TextIO

    from supervisor.control.progress import Late

    Size = Callable[[], tuple[int, int]]

LEAST_COLUMNS, LEAST_LINES = 40, 8  # below that plain lines are read more easily
_WIDE_FROM = 0x1100  # the first characters that take two columns, Unicode's EastAsianWidth.txt


def is_live(choice: str, stream: "TextIO | None") -> bool:
    """Whether lines on `stream` may change in place: on a terminal that can, and if nobody wants plain text."""
    if not is_terminal(stream) or stream is None or choice == "never" or not wants_color("auto", stream):
        return False
    if (stream.encoding or "").lower().replace("-", "") != "utf8" or not os.environ.get("TERM"):
        return False
    columns, lines = size_of(stream.fileno())
    return columns >= LEAST_COLUMNS and lines >= LEAST_LINES


def size_of(fd: int) -> tuple[int, int]:
    """Columns and lines of a terminal; 80 by 24 when it does not say."""
    try:
        columns, lines = os.get_terminal_size(fd)
    except OSError:
        columns, lines = 0, 0
    return columns or 80, lines or 24


def words_of(waiting: "Iterable[Late]") -> list[str]:
    """The lines for what the daemon says of those that somebody waits for."""
    return [f"{duration(one.since_s):>6}  {printable(one.words)}" for one in waiting]


class Block:
    """The lines at the bottom.  Pure: its methods give the bytes that change the terminal.

    The cursor stands below the lines, at the start of a line.  Never more lines are cleared than were drawn: where a
    terminal that was made narrower breaks them anew, a rest of them stays rather than that something else goes.
    """

    def __init__(self, size: "Size") -> None:
        self._size = size
        self._lines: tuple[str, ...] = ()
        self._drawn = 0
        self._is_mid_line = False  # somebody else's line has no end yet

    def show(self, lines: "Sequence[str]") -> bytes:
        """Puts these lines in the place of those before."""
        self._lines = tuple(lines)
        return self._erase() + self._draw()

    def around(self, text: bytes) -> bytes:
        """Puts `text` above the lines, as if they were not there."""
        if not text:
            return b""
        erased = self._erase()
        self._is_mid_line = not text.endswith(b"\n")
        return erased + text + self._draw()

    def forget(self) -> None:
        """Leaves what is drawn where it is: something else stands below it now, as after Ctrl-Z and `fg`."""
        self._drawn = 0

    def _erase(self) -> bytes:
        up, self._drawn = self._drawn, 0
        return b"\r\x1b[%dA\x1b[J" % up if up else b""

    def _draw(self) -> bytes:
        if not self._lines or self._is_mid_line:
            return b""
        columns, height = self._size()
        shown = self._lines[: max(0, height - 2)] if columns >= LEAST_COLUMNS else ()
        self._drawn = len(shown)
        return "".join(f"{cut(line, columns - 1)}\n" for line in shown).encode(errors="replace")


def cut(line: str, columns: int) -> str:
    """`line` in at most so many columns, with `~` where something is missing."""
    used = 0
    for position, char in enumerate(line):
        used += 2 if ord(char) >= _WIDE_FROM else 1
        if used > columns:
            kept = line[:position]
            while kept and sum(2 if ord(each) >= _WIDE_FROM else 1 for each in kept) > columns - 1:
                kept = kept[:-1]
            return kept + "~"
    return line


class Screen:
    """What the process in front of the daemon shows: a block below all that comes, in the terminal of stderr."""

    def __init__(self, source: int, target: int, others: "Iterable[int]" = ()) -> None:
        """`source` is the pipe on which the daemon says whom it waits for; `others` may be the same terminal."""
        self.source = source
        self.target = target
        terminal = os.fstat(target).st_rdev
        self._targets = {target, *(fd for fd in others if os.isatty(fd) and os.fstat(fd).st_rdev == terminal)}
        self._block = Block(lambda: size_of(target))
        _forget_when_resumed(self._block)

    def news(self, data: bytes) -> bytes:
        """What to write when this came from `source`; nothing came: the daemon has closed it."""
        import json

        from supervisor.control.json_form import read
        from supervisor.control.progress import Late

        try:
            told = json.loads(data.rstrip(b"\n").rpartition(b"\n")[2]) if data else []
            waiting = [read(Late, each) for each in told]
        except ValueError:  # the rest of a line
            return b""
        return self._block.show(words_of(waiting))

    def around(self, target: int, data: bytes) -> bytes:
        """What to write to `target` for this to be shown."""
        return self._block.around(data) if target in self._targets else data


class Stderr:
    """The lines of a command that waits itself; on exit they are gone, also by Ctrl-C."""

    def __init__(self, choice: str) -> None:
        self.is_live = is_live(choice, sys.stderr)
        self._block = Block(lambda: size_of(2))

    def __enter__(self) -> "Stderr":
        if self.is_live:
            _forget_when_resumed(self._block)
        return self

    def __exit__(self, *_: object) -> None:
        self.show([])

    def show(self, lines: "Sequence[str]") -> None:
        """Puts these lines in the place of those before, if anything is live."""
        if self.is_live:
            self._write(self._block.show(lines))

    def say(self, text: str) -> None:
        """Words that stay, above the lines."""
        from supervisor.cli.complaint import say

        if self.is_live:
            self._write(self._block.around(f"{tamed(text, keeps_colours=True)}\n".encode(errors="replace")))
        else:
            say(text)

    def _write(self, data: bytes) -> None:
        if data and sys.stderr is not None:
            try:
                sys.stderr.flush()
                os.write(sys.stderr.fileno(), data)
            except OSError:  # nobody to talk to
                pass


def _forget_when_resumed(block: Block) -> None:
    import signal

    signal.signal(signal.SIGCONT, lambda *_: block.forget())
