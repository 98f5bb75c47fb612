"""`portsup` in a terminal of its own, as a person has it: with Ctrl-C, and a window that can be closed."""

import contextlib
import os
import pty
import select
import signal
import time
from collections.abc import Callable

from tests.live.stack import Live


class Terminal:
    """A pseudo terminal with one `portsup` command in its foreground."""

    def __init__(self, stack: Live, *words: str) -> None:
        command = stack.command(*words)
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            os.chdir(stack.folder)
            os.execve(command[0], command, stack.env)
        self.text = ""
        self._is_open = True
        self._status: int | None = None

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            try:
                self.ends(within=5)
            except AssertionError:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        self.close()

    def says(self, words: str, within: float = 20.0) -> None:
        """Waits until these words are on the screen."""
        deadline = time.monotonic() + within
        while words not in self.text:
            assert time.monotonic() < deadline, f"no {words!r} within {within:g} s on the screen:\n{self.text}"
            assert self._read(0.1) or self._status is None, f"ended without {words!r}:\n{self.text}"

    def until(self, check: Callable[[], bool], within: float = 20.0) -> None:
        """Reads on until that holds of what was written."""
        deadline = time.monotonic() + within
        while not check():
            assert time.monotonic() < deadline, f"not within {within:g} s; on the screen:\n{self.text}"
            self._read(0.1)

    def press(self, keys: bytes) -> None:
        """Types keys; b"\\x03" is Ctrl-C."""
        os.write(self._screen, keys)

    def close(self) -> None:
        """Closes the window."""
        if self._is_open:
            self._is_open = False
            os.close(self._screen)

    def ends(self, within: float = 20.0) -> int:
        """Waits for the end of the command; the exit code."""
        deadline = time.monotonic() + within
        while self._status is None:
            assert time.monotonic() < deadline, f"no end within {within:g} s:\n{self.text}"
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = status
            elif not self._read(0.02):
                time.sleep(0.02)
        self._read(0.1)
        return os.waitstatus_to_exitcode(self._status)

    def _read(self, seconds: float) -> bool:
        if not self._is_open or not select.select([self._screen], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._screen, 65536)
        except OSError:  # EIO: nobody has the other end any more
            return False
        self.text += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)
