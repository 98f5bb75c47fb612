"""Takes what one process of a service prints from its two pipes to its log file, the foreground and the log probe."""

import asyncio
import os
import time
from collections.abc import Callable

from supervisor.daemon.stalls import doing, has_time
from supervisor.logs.redactor import Redactor
from supervisor.logs.service_log import ServiceLog
from supervisor.process.output import READ_IN_NEED, READ_SIZE, WIDE_SIZE, Capture, Lines, Stream, contains
from supervisor.system.pipes import open_pipe
from supervisor.words import activities

Consumer = Callable[[Stream, bytes], None]  # gets what was printed, whole lines or not, with its pipe
Show = Callable[[Stream, Lines, float], None]  # gets them with the pipe they came from, and seconds since 1970


class Output:
    """The two pipes of one process.  They end with the process, not with whoever inherited them."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, service: str, log: ServiceLog, show: Show, redactor: Redactor
    ) -> None:
        self._loop = loop
        self._service = service
        self._log = log
        self._show = show
        self._redactor = redactor
        self._held: dict[Stream, bytes] = {}  # ends of pieces of endless lines: a secret may begin there
        self.also: Consumer | None = None  # a probe that waits for a text, secrets and all
        self._on_fault: Callable[[Exception], object] | None = None
        self._captures: list[Capture] = []
        self._theirs: list[int] = []
        # A file is larger than it may be by what is read at once.
        widest = WIDE_SIZE if log.limits.max_size >= 4 * WIDE_SIZE else READ_SIZE
        try:
            for stream in (Stream.STDOUT, Stream.STDERR):
                ours, theirs = open_pipe()
                self._captures.append(Capture(ours, stream, widest))
                self._theirs.append(theirs)
        except OSError:
            self.close()
            raise

    @property
    def theirs(self) -> tuple[int, int]:
        """The ends that the process gets as its stdout and stderr."""
        stdout, stderr = self._theirs
        return stdout, stderr

    def begin(self, on_fault: Callable[[Exception], object] | None = None) -> None:
        """The process has its ends now: closes ours of them, and reads whenever something comes.

        `on_fault` is told of an exception that nobody expected; then it reads no more.
        """
        self._on_fault = on_fault
        self._close_theirs()
        for capture in self._captures:
            self._loop.add_reader(capture.fileno(), self._read, capture)

    def finish(self) -> None:
        """The process is gone: takes what is left, and closes the pipes even if somebody else has them too."""
        self._close_theirs()
        for capture in self._captures:
            self._loop.remove_reader(capture.fileno())
            self._take(capture, capture.drain(), is_end=True)
            capture.close()
        self._captures.clear()

    close = finish

    def _close_theirs(self) -> None:
        for fd in self._theirs:
            os.close(fd)
        self._theirs.clear()

    def _read(self, capture: Capture) -> None:
        try:
            self._read_on(capture)
        except Exception as error:
            if self._on_fault is None:
                raise
            self._loop.remove_reader(capture.fileno())
            self._on_fault(error)

    def _read_on(self, capture: Capture) -> None:
        doing(self._loop, activities.TAKING_OUTPUT, self._service)
        lines = capture.read(None if has_time(self._loop) else READ_IN_NEED)
        if lines is None:
            self._loop.remove_reader(capture.fileno())
            self._captures.remove(capture)
            self._take(capture, capture.close(), is_end=True)
        else:
            self._take(capture, lines)

    def _take(self, capture: Capture, lines: Lines, *, is_end: bool = False) -> None:
        shown = lines
        if (self._redactor or self._held) and not self._is_harmless(capture.stream, lines):
            shown = self._without_secrets(capture.stream, bytes(lines), is_end)
        if shown:
            now = time.time()
            self._log.write(capture.stream, shown, now)
            self._show(capture.stream, shown, now)
        if is_end:
            self._log.end_line()
        if capture.fresh and self.also is not None:
            self.also(capture.stream, bytes(capture.fresh))

    def _is_harmless(self, stream: Stream, lines: Lines) -> bool:
        """Whether these are whole lines just read without a secret in them: most are, and need not be copied."""
        return (
            isinstance(lines, memoryview) and bool(lines) and lines[-1] == ord("\n")
            and stream not in self._held and not any(contains(lines, secret) for secret in self._redactor.secrets)
        )  # fmt: skip

    def without_secrets(self, line: bytes) -> bytes:
        """What may be shown of a line."""
        return self._redactor.hide(line, is_whole=True)[0] if self._log.limits.redact else line

    def _without_secrets(self, stream: Stream, lines: bytes, is_end: bool) -> bytes:
        """What may be shown of the lines; of a piece of an endless line the end waits for the next piece."""
        lines = self._held.pop(stream, b"") + lines
        if not self._log.limits.redact:
            return lines
        shown, held = self._redactor.hide(lines, is_whole=is_end)
        if held:
            self._held[stream] = held
        return shown
