"""Closes descriptors that come from somebody else, without waiting for what they have made of them.

close(2) of a TCP socket with SO_LINGER waits until the peer has read everything, socket(7), and that of a file of FUSE
until a program of its owner answers.  A pipe is closed at once.
"""

import _thread
import contextlib
import os
import socket
from _queue import SimpleQueue  # all else of `queue` is left out
from collections.abc import Iterable, Iterator

MOST = 256  # descriptors that wait to be closed; then no more are to be taken


class Closer:
    """Closes pipes at once and all else in a thread, which there is from the first of them on."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[int | None] = SimpleQueue()
        self._worker: dict[str, object] = {}  # the thread that has begun
        self._closed = 0  # by the thread
        self._given = 0  # to it

    @property
    def waiting(self) -> int:
        """How many are not closed yet."""
        return self._given - self._closed

    @property
    def is_full(self) -> bool:
        """Whether too many wait."""
        return self.waiting >= MOST

    def close(self, descriptors: Iterable[int]) -> None:
        """Closes these, now or later."""
        for descriptor in descriptors:
            if _is_pipe(descriptor):
                os.close(descriptor)
                continue
            self._given += 1
            self._queue.put(descriptor)
            if not self._worker:
                # No room for one just now, or none to begin with: the next descriptor tries again.  The `start` of
                # threading would wait until it has begun.
                with contextlib.suppress(RuntimeError, MemoryError):
                    _thread.start_new_thread(self._work, ())

    @contextlib.contextmanager
    def letting_go(self, shared: socket.socket) -> Iterator[socket.socket]:
        """Closes our copy of a socket at the end of the block; one that is connected as those that were sent."""
        try:
            yield shared
        finally:
            self.let_go(shared)

    def let_go(self, shared: socket.socket) -> None:
        """Closes our copy of a socket; one that is connected as those that were sent."""
        if shared.fileno() >= 0 and _is_connected(shared):
            self.close([shared.detach()])
        else:
            shared.close()

    def end(self) -> None:
        """No more come; those that wait are still closed."""
        self._queue.put(None)

    def _work(self) -> None:
        me = object()
        if self._worker.setdefault("", me) is not me:  # there are two, and one is enough
            return
        while (descriptor := self._queue.get()) is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)
            self._closed += 1


def _is_connected(shared: socket.socket) -> bool:
    try:
        if shared.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return False  # most listen, and the answer of an error takes longer than all the rest
        shared.getpeername()
    except OSError:
        return False
    return True


def _is_pipe(descriptor: int) -> bool:
    """Whether it is an anonymous pipe; fstat(2) would ask the program behind a file of FUSE."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:[")
    except OSError:
        return False


_closer = Closer()


def close_shared(shared: socket.socket) -> None:
    """Closes our copy of a socket that a service has too, or had, without waiting for what it has made of it."""
    _closer.let_go(shared)
