"""What the daemon says to the terminal that started it, without ever waiting for that terminal.

The other end of both pipes is the small process that stays in the foreground (process/guardian.py): a terminal that is
stopped with Ctrl-S, or a reader that sleeps, blocks that process and never the daemon.
"""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Sequence

from supervisor.annotations import Protocol
from supervisor.control.json_form import as_json
from supervisor.control.progress import Late
from supervisor.core.escapes import tamed, tamed_bytes
from supervisor.dataclass import dataclass, replace
from supervisor.process.pulse import Pulse
from supervisor.process.readers import Readers
from supervisor.words.console import left_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.daemon.console.service_manager import ServiceManager

MAX_UNREAD = 4 * 1024 * 1024  # bytes that wait for a slow terminal before lines are left out
ASK_AGAIN = 0.1  # seconds until the loop is asked again to say when there is room
LONGEST_LIVE = 300  # characters; six such lines are below PIPE_BUF in JSON
MARKS = {"note": "\x1b[36m", "warning": "\x1b[33m", "error": "\x1b[31m"}
RESET = "\x1b[0m"
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


class Stream(Protocol):
    """Where whole lines go; what does not fit is left out, and said."""

    def write(self, data: bytes, /) -> None: ...
    def flush(self, seconds: float, /) -> None: ...
    def close(self) -> None: ...


class Pipe:
    """The writing end of a pipe to the foreground; what does not fit is left out, and said."""

    def __init__(self, fd: int, loop: asyncio.AbstractEventLoop) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._loop = loop
        self._waiting = bytearray()
        self._left_out = 0
        self._is_open = True

    def write(self, data: bytes) -> None:
        """Sends whole lines now or later, or leaves them out when too much waits already."""
        if not self._is_open:
            return
        if self._waiting:
            if len(self._waiting) + len(data) > MAX_UNREAD:
                self._left_out += data.count(b"\n")
                return
            self._waiting += data
            return
        sent = self._send(data)
        if sent < len(data):
            self._waiting += data[sent:]
            self._await_room()

    def flush(self, seconds: float) -> None:
        """Sends what still waits, for at most so many seconds; for the very end only, because it blocks."""
        if not self._is_open:
            return
        self._loop.remove_writer(self._fd)
        deadline = self._loop.time() + seconds
        while self._is_open and self._waiting and self._loop.time() < deadline:
            if not (sent := self._send(bytes(self._waiting))):
                import select

                waiting = select.poll()
                waiting.register(self._fd, select.POLLOUT)
                waiting.poll(max(0.0, deadline - self._loop.time()) * 1000)
            del self._waiting[:sent]

    def close(self) -> None:
        """No more is said; the foreground sees the end of the pipe."""
        if self._is_open:
            self._is_open = False
            self._loop.remove_writer(self._fd)
            os.close(self._fd)
        self._waiting.clear()

    def _send(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError:  # nobody is there any more
            self.close()
            return len(data)

    def _await_room(self) -> None:
        try:
            self._loop.add_writer(self._fd, self._on_writable)
        except OSError:  # no memory to be told of it, epoll_ctl(2)
            self._loop.call_later(ASK_AGAIN, self._try_again)

    def _try_again(self) -> None:
        if self._is_open and self._waiting:
            self._await_room()

    def _on_writable(self) -> None:
        del self._waiting[: self._send(bytes(self._waiting[:65536]))]
        if not self._is_open or self._waiting:
            return
        self._loop.remove_writer(self._fd)
        if self._left_out:
            lines, self._left_out = self._left_out, 0
            self.write(left_out(lines))


@dataclass(frozen=True, slots=True)
class Show:
    """How we are seen by whoever started us, and by what means."""

    is_coloured: bool = False
    has_prefix: bool = True
    done: int | None = None  # a pipe that is told how a start in the background ended
    pulse: Pulse | None = None  # our sign of life, where the foreground watches it
    live: int | None = None  # a pipe to the foreground, which shows in place whom we wait for
    manager: tuple[socket.socket, float] | None = None  # the line to a service manager, and its seconds between beats
    readers: Readers | None = None  # who reads it in the foreground; None where nobody has to


class Foreground:
    """The foreground: log lines for its stdout, portsup's own words for its stderr."""

    def __init__(self, out: Stream | None, err: Stream | None, show: Show) -> None:
        self._live = show.live
        self._out = out
        self._err = err
        self._done = show.done
        self.pulse = show.pulse
        self.manager = None if show.manager is None else _service_manager(*show.manager)  # it started us
        self._readers = show.readers
        self._is_coloured = show.is_coloured
        self._has_prefix = show.has_prefix
        self._prefixes: dict[str, bytes] = {}

    def introduce(self, names: Sequence[str]) -> None:
        """Fixes the prefix of each service, all of one width."""
        width = max((len(name) for name in names), default=0)
        for number, name in enumerate(names):
            text = f"{name:<{width}} | "
            if self._is_coloured:
                text = f"\x1b[{COLOURS[number % len(COLOURS)]}m{text}{RESET}"
            self._prefixes[name] = text.encode() if self._has_prefix else b""

    def log(self, service: str, chunk: bytes | memoryview) -> None:
        """Shows whole lines of a service's output, without what would do more to a terminal than to colour a text."""
        if self._out is not None:
            if service not in self._prefixes:  # one of several replicas, of which there are more or fewer now
                self.introduce((*self._prefixes, service))
            prefix = self._prefixes[service]
            body = tamed_bytes(bytes(chunk), keeps_colours=self._is_coloured)
            body = body[:-1] if body.endswith(b"\n") else body
            self._out.write(prefix + body.replace(b"\n", b"\n" + prefix) + b"\n")

    def say(self, words: str, level: str = "info") -> None:
        """Shows portsup's own words, on the foreground's stderr."""
        if self._err is None:
            return
        words = tamed(words)
        if level != "info":
            colour = MARKS[level] if self._is_coloured else ""
            words = f"{colour}{level}:{RESET if colour else ''} {words}"
        self._err.write(words.encode(errors="replace") + b"\n")

    @property
    def is_read(self) -> bool:
        """Whether somebody reads what is said, where somebody has to."""
        return self._readers is None or not self._readers.have_left

    @property
    def is_attached(self) -> bool:
        """Whether there is still somebody in the foreground to whom something can be said."""
        return self._err is not None

    @property
    def is_live(self) -> bool:
        """Whether the foreground shows whom we wait for all the time, each time in place of what it showed before."""
        return self._live is not None

    def show(self, waiting: Sequence[Late]) -> None:
        """Shows whom we wait for, instead of those that were shown before."""
        if self._live is None:
            return
        told = [as_json(replace(each, words=each.words[:LONGEST_LIVE])) for each in waiting]
        line = json.dumps(told).encode() + b"\n"
        with contextlib.suppress(OSError):  # a line is written as a whole, pipe(7), or it is old when there is room
            os.write(self._live, line)

    def beats(self) -> "list[Pulse | ServiceManager]":
        """Those who want to know again and again that we are alive."""
        return [each for each in (self.pulse, self.manager) if each is not None]

    def ready(self, exit_code: int) -> None:
        """Tells whoever started us in the background how the start ended."""
        if self._done is not None:
            for _ in range(2):  # once more where it failed: whoever waits for this waits as long as the stack runs
                with contextlib.suppress(OSError):
                    os.write(self._done, b"%d\n" % exit_code)
                    break
            os.close(self._done)
            self._done = None

    def detach(self) -> None:
        """Lets the foreground go; what is said from now on goes to the journal only."""
        for pipe in (self._out, self._err):
            if pipe is not None:
                pipe.flush(2.0)
                pipe.close()
        self._out = self._err = None
        if self._live is not None:
            os.close(self._live)
            self._live = None
        if self.manager is not None:
            self.manager.close()


def let_go_of(fd: int) -> None:
    """Puts /dev/null in the place of a descriptor, so that whoever reads its other end sees the end."""
    try:
        null = os.open(os.devnull, os.O_RDWR)
    except OSError:  # no descriptor or memory for it: the standard input of a daemon is the same, and takes none
        os.dup2(0, fd)
        return
    os.dup2(null, fd)
    os.close(null)


def _service_manager(line: socket.socket, every: float) -> "ServiceManager":
    from supervisor.daemon.console.service_manager import ServiceManager

    return ServiceManager(line, every)
