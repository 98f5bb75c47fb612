"""Locks on files that end with their process, however it ends."""

import contextlib
import errno
import os
import time
from collections.abc import Callable

from supervisor import system
from supervisor.core.reasons import LockGone
from supervisor.errors import REFUSALS
from supervisor.files.opening import close, open_file, open_known
from supervisor.words.directories import not_lockable

# How often and how far apart a lock is tried whose holder is unknown: somebody may only be looking whether it is held.
_ATTEMPTS, _PAUSE = 25, 0.002


def _try_lock(descriptor: int) -> bool:
    try:
        return system.try_lock(descriptor)
    except OSError as error:  # which is not that somebody else has it
        raise OSError(error.errno or errno.ENOLCK, not_lockable(error.strerror or str(error))) from error


_held: set[tuple[int, str]] = set()  # the locks of this process: its pid and their paths


def locks_of_ours() -> set[str]:
    """The paths of the lock files whose locks this process holds; a forked child holds none."""
    me = os.getpid()
    return {path for pid, path in _held if pid == me}


class FileLock:
    """An exclusive OS lock on the file at `path`: flock(2), on Windows LockFile.

    The file is never unlinked, because the next two lockers could each lock a different inode; and the lock is given
    back by closing the descriptor, never by LOCK_UN, which in a forked child would free the lock of the parent.
    """

    __slots__ = ("_descriptor", "_inode", "_pid", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor = -1
        self._inode = (0, 0)
        self._pid = 0

    @property
    def is_held(self) -> bool:
        """Whether this process took the lock and did not give it back; `loss` tells if it is still worth anything."""
        return self._descriptor >= 0 and self._pid == os.getpid()

    def acquire(self, is_holder_known: Callable[[], bool] = lambda: True) -> bool:
        """Take the lock without waiting; False if somebody else has it.

        `is_holder_known` is asked when the lock is held: as long as it says False, a few more attempts are made
        within 50 ms, because a reader that looks whether a lock is held takes it for an instant.
        Raises OSError where the file cannot be opened or locked.
        """
        for attempt in range(_ATTEMPTS):
            if self._acquire_once():
                return True
            if is_holder_known():
                break
            if attempt + 1 < _ATTEMPTS:
                time.sleep(_PAUSE)
        return False

    def _acquire_once(self) -> bool:
        while True:
            descriptor = open_file(self.path, os.O_RDWR | os.O_CREAT)
            try:
                if not _try_lock(descriptor):
                    close(descriptor)
                    return False
                locked = os.fstat(descriptor)
                inode = (locked.st_dev, locked.st_ino)
                if inode == _inode_at(self.path):
                    self._descriptor, self._inode, self._pid = descriptor, inode, os.getpid()
                    _held.add((self._pid, self.path))
                    return True
            except BaseException:
                close(descriptor)
                raise
            close(descriptor)  # replaced between open and lock: that was a lock on a file nobody finds

    def loss(self) -> LockGone | None:
        """Why the lock no longer keeps others out, None as long as it does.

        One that was only unlocked is taken again, unless somebody else was faster.  Each lock is asked by itself:
        /proc/locks, which would tell of all at once, is never read, because to open it took 8 to 17 ms on Linux 6.18,
        in which nobody on the machine gets or gives back a lock (file_rwsem in fs/locks.c).
        """
        if not self.is_held:
            return LockGone("given-back")
        if not system.HAS_JOBS:
            return self._loss_of_path() or self.loss_of_lock()
        try:
            # Read-only: closing a file that was open for writing is an event that would wake every shield.
            second = open_known(self.path, self._inode)
        except OSError:
            return self._loss_of_path()
        if second is None:
            return self._loss_of_path()
        try:
            if _try_lock(second):
                return LockGone("unlocked", self.path)
        except OSError:
            return None  # NFS refuses to lock what is open read-only
        finally:
            close(second)
        return None

    def loss_of_lock(self) -> LockGone | None:
        """The same of the lock alone, wherever its file is.

        flock(2) by the descriptor that has the lock changes nothing, and takes one that it has no more.
        """
        if system.HAS_JOBS:
            return self.loss()
        try:
            return None if _try_lock(self._descriptor) else LockGone("unlocked", self.path)
        except OSError:  # no proof that somebody else has it
            return None

    def _loss_of_path(self) -> LockGone | None:
        """What is there that cannot be opened or is another file; None where it is ours.

        Then we are out of descriptors, or somebody took our right to read: no proof that others can lock it.
        """
        try:
            found = _inode_at(self.path)
        except OSError as error:
            if error.errno in REFUSALS:
                return None  # no memory, a disk that fails: no proof either
            return LockGone("unreadable", self.path, error.strerror or "")
        if found is None:
            directory = os.path.dirname(self.path)
            if not os.path.isdir(directory):
                return LockGone("no-directory", directory)
            return LockGone("deleted", self.path)
        return LockGone("replaced", self.path) if found != self._inode else None

    def touch(self) -> None:
        """Make the file look fresh, so that no tmp cleaner takes it for forgotten."""
        with contextlib.suppress(OSError):
            os.utime(self._descriptor if os.utime in os.supports_fd else self.path)

    def release(self) -> None:
        """Give the lock back; in a forked child only the child's copy of the descriptor is closed."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            close(descriptor)
            _held.discard((self._pid, self.path))


def _inode_at(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino
