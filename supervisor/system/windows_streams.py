"""Pipes that an event loop can wait for: select of Windows knows sockets only, so a thread carries what comes.

A pipe here is the writing end of an anonymous pipe, for a program, and a socket that gets what is written there.
"""

import contextlib
import json
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Collection
from typing import Any

from supervisor.system.contract import SignalQueue
from supervisor.system.windows_processes import SIGCHLD, follow_ends

assert sys.platform == "win32"

_SIZE = 1 << 16
_REST_WITHIN = 2.0  # seconds for what a program that is gone has written, and that is still on its way

_sockets: dict[int, socket.socket] = {}


def open_pipe() -> tuple[int, int]:
    """What to wait for and read from, by `read_pipe`, and the descriptor of the writing end."""
    source, theirs = os.pipe()
    ours, carried = socket.socketpair()
    ours.setblocking(False)
    _sockets[ours.fileno()] = ours
    _begin(lambda: _carry(source, carried))
    return ours.fileno(), theirs


def _begin(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


def _carry(source: int, target: socket.socket) -> None:
    with contextlib.suppress(OSError), target:
        while data := os.read(source, _SIZE):
            target.sendall(data)
    with contextlib.suppress(OSError):
        os.close(source)


def read_pipe(number: int, size: int) -> bytes:
    """What has come, b"" at the end; raises BlockingIOError where nothing has."""
    return _sockets[number].recv(size)


def read_into(number: int, room: memoryview) -> int:
    """The same into memory that is there; how many bytes, 0 at the end."""
    return _sockets[number].recv_into(room)


def read_rest(number: int, size: int) -> bytes:
    """The same from a pipe whose writers are gone: waits for what is on its way."""
    _sockets[number].settimeout(_REST_WITHIN)
    return _sockets[number].recv(size)


def close_pipe(number: int) -> None:
    """No more is read."""
    _sockets.pop(number).close()


def answer_of(question: Callable[[], Any]) -> tuple[int, int]:
    """0, and a pipe with what `question` gives, in JSON: a thread asks, as there is no fork; raises OSError."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    _sockets[ours.fileno()] = ours

    def ask() -> None:
        with contextlib.suppress(OSError), theirs:
            theirs.sendall(json.dumps(question()).encode())

    _begin(ask)
    return 0, ours.fileno()


def open_signals(numbers: Collection[int]) -> SignalQueue:
    """A queue of these signals, which do nothing else from now on, and of the ends of children as SIGCHLD."""
    return _Signals(numbers)


class _Signals(SignalQueue):
    def __init__(self, numbers: Collection[int]) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        for number in numbers:
            if number == SIGCHLD:
                follow_ends(lambda: self._note(SIGCHLD))
            else:
                signal.signal(number, lambda *_: None)  # the wake-up descriptor has its number
        signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)

    def _note(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self._theirs.send(bytes([number]))

    def fileno(self) -> int:
        return self._ours.fileno()

    def read(self) -> list[tuple[int, bool]]:
        try:
            return [(number, False) for number in dict.fromkeys(self._ours.recv(4096))]
        except BlockingIOError:
            return []

    def close(self) -> None:
        signal.set_wakeup_fd(-1)
        self._ours.close()
        self._theirs.close()


def open_writer(fd: int, most: int, left_out: Callable[[int], bytes]) -> "Writer":
    """Writes to a stream that may be slow, without waiting; `most` bytes wait, the rest is left out, and said."""
    return Writer(fd, most, left_out)


class Writer:
    """The writing end of a stream that may be slow: a thread writes, and what does not fit is left out, and said."""

    def __init__(self, fd: int, most: int, left_out: Callable[[int], bytes]) -> None:
        self._fd = fd
        self._most = most
        self._words = left_out
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._size = self._left_out = 0
        self._lock = threading.Lock()
        self._is_done = threading.Event()
        self._is_open = True
        _begin(self._write)

    def write(self, data: bytes) -> None:
        """Sends whole lines, or leaves them out when too much waits already."""
        if not self._is_open:
            return
        with self._lock:
            if self._size and self._size + len(data) > self._most:
                self._left_out += data.count(b"\n")
                return
            if self._left_out:
                data = self._words(self._left_out) + data
                self._left_out = 0
            self._size += len(data)
        self._waiting.put(data)

    def flush(self, seconds: float) -> None:
        """Sends what still waits, for at most so many seconds; for the very end only, because it blocks."""
        if self._is_open:
            self._is_open = False
            self._waiting.put(None)
        self._is_done.wait(seconds)

    def close(self) -> None:
        """No more is said."""
        self._is_open = False
        self._waiting.put(None)

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # nobody is there any more
            while (data := self._waiting.get()) is not None:
                view = memoryview(data)
                while view:
                    view = view[os.write(self._fd, view) :]
                with self._lock:
                    self._size -= len(data)
        self._is_open = False
        with contextlib.suppress(OSError):
            os.close(self._fd)
        self._is_done.set()
