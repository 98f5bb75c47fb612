"""Pipes, and how much they hold."""

import os
import sys

if sys.platform == "win32":
    from supervisor.system.windows_streams import close_pipe, open_pipe, read_into, read_pipe, read_rest

    def widen(descriptor: int, size: int) -> bool:
        """False: what a pipe holds is said when it is made."""
        return False

    def keep_from_waiting(descriptor: int) -> None:
        """It does not wait."""

else:
    import fcntl

    read_pipe = read_rest = os.read  # what has come, b"" at the end; the second one once its writers are gone
    close_pipe = os.close

    def read_into(descriptor: int, room: memoryview) -> int:
        """Reads into memory that is there; how many bytes, 0 at the end."""
        return os.readv(descriptor, [room])

    def open_pipe() -> tuple[int, int]:
        """The reading and the writing end of a pipe; neither is inherited."""
        return os.pipe2(os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()

    def keep_from_waiting(descriptor: int) -> None:
        """Have reads raise BlockingIOError where nothing has come."""
        os.set_blocking(descriptor, False)

    def widen(descriptor: int, size: int) -> bool:
        """Have a pipe hold `size` bytes; false where that cannot be, and it stays as it is.

        F_SETPIPE_SZ of fcntl(2), Linux 2.6.35; what all pipes of a user hold is bounded by pipe-user-pages-soft,
        pipe(7).
        """
        command = getattr(fcntl, "F_SETPIPE_SZ", None)
        if command is None:
            return False
        try:
            fcntl.fcntl(descriptor, command, size)
        except OSError:
            return False
        return True


__all__ = ["close_pipe", "keep_from_waiting", "open_pipe", "read_into", "read_pipe", "read_rest", "widen"]
