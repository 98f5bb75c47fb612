"""The OS lock on one port number, and the record that explains it."""

import contextlib
import os
import time

from supervisor import system
from supervisor.core.reasons import LockGone
from supervisor.errors import LockLost, PortsupError
from supervisor.ports.holders import Holder, who_holds
from supervisor.ports.lockfile import FileLock
from supervisor.ports.record import Owner, Record, Stamp, is_as_written, stamp_of
from supervisor.ports.runtime import RuntimeDir, error_in
from supervisor.system import Identity
from supervisor.words import locks
from supervisor.words.reasons import text_of


class PortTaken(PortsupError):
    """Somebody else has the lock of a port; `holder` tells who."""

    def __init__(self, port: int, holder: Holder) -> None:
        super().__init__(locks.not_locked(port), text_of(holder.why))
        self.holder = holder


class PortLock:
    """The lock of one port, among all programs that use these locks; nothing is bound.

    ```python
    with PortLock(6030, "sandra-ia") as lock:
        ...                   # every other PortLock(6030) raises PortTaken meanwhile
        lock.check()          # raises LockLost if somebody deleted or replaced the lock file
    ```
    It ends with its process, however that ends: flock(2), on Windows LockFile.  A forked child does not have it.
    `PortPool` adds what keeps other programs off the port.
    """

    __slots__ = ("_file", "_has_record", "_known", "_lacks_record", "_mark", "_owner", "_runtime", "_since", "port")

    def __init__(
        self, port: int, name: str = "", runtime: RuntimeDir | None = None, *, owner: Owner | None = None
    ) -> None:
        """`name` is told to those who find the port taken; `owner` is the same in full.

        Raises PortsupError if the runtime directory cannot be used.
        """
        self.port = port
        self._runtime = runtime or RuntimeDir.open()
        self._owner = owner or Owner(name, 0, name, "", own_identity())
        self._file = FileLock(self._runtime.port_lock(port))
        self._has_record = False
        self._lacks_record = False  # somebody has removed it
        self._known: Stamp | None = None  # of a record that takes nothing from us, as it was then
        self._mark = 0  # of our own record
        self._since = 0.0

    @property
    def is_held(self) -> bool:
        """Whether this process took the lock and did not give it back; `check` tells if it still keeps others out."""
        return self._file.is_held

    @property
    def has_record(self) -> bool:
        """Whether the record says that the port is ours, as far as the last look told."""
        return self._has_record and not self._lacks_record

    def acquire(self) -> None:
        """Take the lock without waiting; raises PortTaken, or PortsupError if the file cannot be locked at all."""
        if self.is_held:
            return
        try:
            if not self.try_lock():
                raise PortTaken(self.port, who_holds(self.port, self._runtime))
            self.write_record()
        except OSError as error:
            self.release()
            raise error_in(locks.not_locked(self.port), self._file.path, error) from error

    def try_lock(self, *, is_patient: bool = True) -> bool:
        """Take the lock without a record yet; False if somebody else has it.  Raises OSError.

        Where `is_patient`, one that has left no record gets 50 ms: it may only look whether the lock is held.
        """
        return self._file.acquire(is_holder_known=lambda: not is_patient or _is_owner_alive(self.record()))

    def record(self) -> Record | None:
        """What the record of this port says now, whoever wrote it."""
        return Record.read(self._runtime.port_record(self.port))

    def write_record(self) -> None:
        """Say in the record that the port is ours; raises OSError."""
        self._since = self._since or time.time()
        self._mark = Record.of(self.port, self._owner, self._since).write(self._runtime.port_record(self.port))
        self._has_record, self._lacks_record = True, False

    def loss(self, *, in_full: bool = True) -> LockGone | None:
        """Why the lock no longer keeps others out, None as long as it does: the file was deleted or replaced, its
        directory is gone, the record names another owner that is alive, or somebody else has taken the lock.

        Not `in_full`, no file is looked at: for who is told of all that happens to these.
        """
        why = self._file.loss() if in_full else self._file.loss_of_lock()
        if why is not None or not in_full:
            return why
        path = self._runtime.port_record(self.port)
        stamp = stamp_of(path)
        if stamp is not None and stamp == self._known:
            return None
        if self._mark and is_as_written(path, self._mark):
            self._known = stamp
            return None
        record = self.record()
        if record is None or record.owner == self._owner.identity:
            self._known = stamp
            self._lacks_record = record is None and not os.path.lexists(path)
            return None
        if not system.is_alive(record.owner):
            return None
        by = record.owner.words_from(system.pid_namespace())
        return LockGone("taken-over", path, by, record.service, record.stack, record.instance)

    def check(self) -> None:
        """Raises LockLost if the lock no longer keeps others out."""
        why = self.loss()
        if why is not None:
            raise LockLost(locks.not_kept(self.port, ""), text_of(why))

    def heartbeat(self) -> None:
        """Keep lock and record fresh, so that no tmp cleaner takes them for forgotten; put back a missing record."""
        self._file.touch()
        if self._has_record:
            try:
                os.utime(self._runtime.port_record(self.port))
            except OSError:
                with contextlib.suppress(OSError):  # a full disk: the lock counts, the record only explains
                    self.write_record()

    def release(self) -> None:
        """Give the lock back; the record is emptied, both files stay.  May be called twice."""
        if self._has_record and self.is_held:
            Record.clear(self._runtime.port_record(self.port), self._owner.identity, self._mark)
        self._has_record, self._since, self._mark = False, 0.0, 0
        self._file.release()

    def __enter__(self) -> "PortLock":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def own_identity() -> Identity:
    """This process; without the time of its start where the system cannot tell that now."""
    return system.identity_of(os.getpid()) or Identity(os.getpid(), 0)


def _is_owner_alive(record: Record | None) -> bool:
    return record is not None and system.is_alive(record.owner)
