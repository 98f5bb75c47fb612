"""Which locks on files are ours, as the kernel's table of locks has it.

The table is of the whole machine, and every user can make it long: with 20,000 locks of others it took 60 ms to read,
measured on Linux 6.18.  So only its beginning is read, and not for a while after even that took long.
"""

import contextlib
import os
import time
from collections.abc import Callable, Collection

__all__ = ["flocked_by_us"]

LOCKS = "/proc/locks"
MOST = 1 << 18  # bytes of the table that are read: 4,500 locks
LONG = 0.01  # seconds of processor time after which it is not read for a while
PAUSE = 600.0  # seconds
_CHUNK = 1 << 16


class LockTable:
    """Reads the table at `path`; `clock` tells the time, `cpu_clock` how much this thread was on a processor."""

    def __init__(
        self, path: str = LOCKS, clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:  # fmt: skip
        self._path = path
        self._clock = clock
        self._cpu_clock = cpu_clock
        self._closed_until = 0.0

    def flocked_by_us(self) -> Collection[tuple[int, int]]:
        """Device and inode of files that this process has an exclusive flock on, proc_locks(5).

        Not there are those of file systems whose device the kernel calls otherwise than stat(2) does, and those that
        stand farther behind than is read.
        """
        if self._clock() < self._closed_until:
            return ()
        begun = self._cpu_clock()
        found = set(_of_us(self._beginning()))
        if self._cpu_clock() - begun >= LONG:  # locks of other PID namespaces are walked past, and not shown
            self._closed_until = self._clock() + PAUSE
        return found

    def _beginning(self) -> bytes:
        table = b""
        with contextlib.suppress(OSError), open(self._path, "rb", buffering=0) as file:
            while len(table) < MOST and (chunk := file.read(_CHUNK)):
                table += chunk
        return table[: table.rfind(b"\n") + 1]


def _of_us(table: bytes) -> list[tuple[int, int]]:
    ours, found = b"%d" % os.getpid(), []
    for line in table.splitlines():
        # 1: FLOCK  ADVISORY  WRITE 4711 fe:01:3433993 0 EOF
        fields = line.split()
        if len(fields) > 5 and fields[1] == b"FLOCK" and fields[3:5] == [b"WRITE", ours]:
            major, minor, inode = fields[5].split(b":")
            found.append((os.makedev(int(major, 16), int(minor, 16)), int(inode)))
    return found


flocked_by_us = LockTable().flocked_by_us
