"""Pipes, and how much they hold."""

import os

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def open_pipe() -> tuple[int, int]:
    """The reading and the writing end of a pipe; neither is inherited."""
    return os.pipe2(os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()


def widen(descriptor: int, size: int) -> bool:
    """Have a pipe hold `size` bytes; false where that can not be, and it stays as it is.

    F_SETPIPE_SZ of fcntl(2), Linux 2.6.35; what all pipes of a user hold is bounded by pipe-user-pages-soft, pipe(7).
    """
    command = getattr(fcntl, "F_SETPIPE_SZ", None)
    if command is None:
        return False
    try:
        fcntl.fcntl(descriptor, command, size)
    except OSError:
        return False
    return True
