"""The file behind the journal: rotated, and of no trouble to anybody when the disk is full."""

import contextlib
import errno
import json
import os
import time

from supervisor.core.journal import EventsLost
from supervisor.files.opening import explained
from supervisor.logs.line import rfc3339
from supervisor.logs.opening import open_log
from supervisor.logs.rotation import rotate

MAX_SIZE = 5 * 1024 * 1024  # bytes
BACKUPS = 3


class JournalFile:
    """Takes finished lines; one that cannot be written is counted, and told of as soon as writing works again.

    `trouble` says why writing does not work at the moment, and is empty when it does.
    """

    def __init__(self, path: str, max_size: int = MAX_SIZE, backups: int = BACKUPS) -> None:
        self.path = path
        self.lost = 0
        self.trouble = ""
        self._max_size = max_size
        self._backups = backups
        self._descriptor = -1
        self._unreported = 0
        self._is_torn = False  # a part of an event stands there that could not be taken back

    def write(self, line: str) -> None:
        """Append one line."""
        try:
            self._follow()
            if self._unreported:
                gap = {
                    "time": rfc3339(time.time()),
                    "level": "warning",
                    "event": EventsLost.event,
                    "count": self._unreported,
                }
                self._put("\n" * self._is_torn + json.dumps(gap))
                self._is_torn = False
                self._unreported = 0
            self._put(line)
            self.trouble = ""
        except OSError as error:
            self.trouble = explained(error)
            self.lost += 1
            self._unreported += 1

    debug = info = warning = error = critical = write  # what structlog calls

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1

    def _follow(self) -> None:
        """Be sure to write to the file that is at our path, and that it has room."""
        if self._descriptor >= 0:
            ours = os.fstat(self._descriptor)
            try:
                there = os.lstat(self.path)
            except FileNotFoundError:
                there = None
            if there is None or (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
                self.close()
            elif ours.st_size >= self._max_size:
                self.close()
                with contextlib.suppress(OSError):
                    rotate(self.path, self._backups)
        if self._descriptor < 0:
            self._descriptor = open_log(self.path, os.O_WRONLY)
            if os.fstat(self._descriptor).st_size >= self._max_size * (self._backups + 1):
                os.ftruncate(self._descriptor, 0)  # it cannot be moved away, and has as much as all parts may have

    def _put(self, line: str) -> None:
        data = f"{line}\n".encode(errors="replace")
        if (written := os.write(self._descriptor, data)) < len(data):
            try:
                os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)
            except OSError:
                self._is_torn = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
