"""Taking an instance number: numbers are locks too."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable
from itertools import chain, count

from supervisor import system
from supervisor.core.instance import Pools, max_instances, overlap
from supervisor.core.reasons import LockGone
from supervisor.dataclass import replace
from supervisor.errors import InstanceTaken
from supervisor.ports.instances import InstanceInfo, RunInfo, is_held, running
from supervisor.ports.lockfile import FileLock
from supervisor.ports.port_lock import own_identity
from supervisor.ports.record import Stamp, read_json, stamp_of, write_json, write_json_over
from supervisor.ports.runs import is_over
from supervisor.ports.runtime import RuntimeDir, error_in
from supervisor.system import Identity
from supervisor.words import instances as words
from supervisor.words import overlaps

ENDING_WITHIN = 60.0  # seconds that an instance which is stopping is waited for; a grace period is 10


class InstanceLock:
    """The number of an instance, ours until `release` or the end of the process."""

    def __init__(self, info: InstanceInfo, lock: FileLock, runtime: RuntimeDir, stale_run_id: str) -> None:
        self.info = info
        self.stale_run_id = stale_run_id  # of a dead portsup that had this number: reap what it left; else empty
        self.on_release: Callable[[], None] = lambda: None  # called while the number is still ours
        self._lock = lock
        self._runtime = runtime
        self._known: Stamp | None = None  # of a record that takes nothing from us, as it was then
        self.lacks_record = False  # somebody had removed it at the last look

    @classmethod
    def take(
        cls,
        stack: str,
        pools: Pools,
        stride: int,
        wanted: int | None,
        runtime: RuntimeDir,
        info: RunInfo,
        on_wait: Callable[[InstanceInfo], None] = lambda _: None,
        numbers: Iterable[int] = (),
    ) -> "InstanceLock":
        """The lowest free number, or `wanted`; `pools` are the ports of instance 1 by service.

        `numbers` are tried first, in their order.

        An instance of the same file that has begun to stop is waited for, at most ENDING_WITHIN seconds; `on_wait` is
        told about it.
        Raises InstanceTaken if `wanted` is running, or if the number cannot exist beside the lower ones.
        """
        fitting = max_instances(pools, stride)
        for number in chain(numbers, count(1)) if wanted is None else (wanted,):
            if number < 1:
                raise words.below_one(stack, number)
            if number > fitting:
                raise words.no_room(stack, number, overlaps.overlap(overlap(pools, stride, number)))
            taken = cls._try(stack, number, runtime, info)
            if taken is None and (ending := _ending(runtime, stack, number, info)):
                on_wait(ending)
                taken = cls._try_until_ended(stack, number, runtime, info)
            if taken is not None:
                return taken
        raise _taken(stack, number, runtime)

    @classmethod
    def _try_until_ended(cls, stack: str, number: int, runtime: RuntimeDir, info: RunInfo) -> "InstanceLock | None":
        patience = time.monotonic() + ENDING_WITHIN
        while (taken := cls._try(stack, number, runtime, info)) is None and time.monotonic() < patience:
            if _ending(runtime, stack, number, info) is None:  # somebody else was faster, and runs there now
                return cls._try(stack, number, runtime, info)
            time.sleep(0.05)
        return taken

    @classmethod
    def _try(cls, stack: str, number: int, runtime: RuntimeDir, info: RunInfo) -> "InstanceLock | None":
        control = runtime.socket(stack, number)
        record = runtime.instance_record(stack, number)
        lock = FileLock(runtime.instance_lock(stack, number))
        try:
            if not lock.acquire(is_holder_known=lambda: _is_owner_alive(record)):
                return None
            stale = _owner(record)
            stale_run_id = stale[0] if stale and is_over(runtime, stale[0]) else ""
            owner = own_identity()
            mine = InstanceInfo(
                stack, number, owner, info.run_id, info.directory, info.file, control, time.time(), over=info.over
            )
            write_json(record, mine.as_json())
        except OSError as error:
            lock.release()
            raise error_in(words.not_locked(number, stack), lock.path, error) from error
        return cls(mine, lock, runtime, stale_run_id)

    @property
    def number(self) -> int:
        """Which instance we are, counted from 1."""
        return self.info.instance

    @property
    def record(self) -> str:
        """Path of the record."""
        return self._runtime.instance_record(self.info.stack, self.info.instance)

    @property
    def path(self) -> str:
        """Path of the lock file."""
        return self._lock.path

    @property
    def others(self) -> tuple[InstanceInfo, ...]:
        """The other running instances of this stack, lowest number first."""
        others = (info for info in running(self._runtime) if info.stack == self.info.stack)
        return tuple(info for info in others if info.instance != self.info.instance)

    def announce_end(self) -> None:
        """Tell whoever wants this number next that it will soon be free."""
        info = replace(self.info, is_ending=True)
        with contextlib.suppress(OSError):
            write_json_over(self.record, info.as_json())  # everything waits for our end, and a new file takes longer
            self.info = info

    def announce_files(self, over: tuple[str, ...]) -> None:
        """Tell which files are laid over the first from now on."""
        if over != self.info.over:
            self._tell(replace(self.info, over=over))

    def _tell(self, info: InstanceInfo) -> None:
        with contextlib.suppress(OSError):
            write_json(self.record, info.as_json())
            self.info = info  # `release` knows the record by it

    def loss(self) -> LockGone | None:
        """Why the number is no longer ours, None as long as it is."""
        why = self._lock.loss()
        if why is not None:
            return why
        stamp = stamp_of(self.record)
        if stamp is not None and stamp == self._known:
            return None
        found = _owner(self.record)
        if found is None or found[1] == self.info.owner:
            self._known = stamp
            self.lacks_record = found is None and not os.path.lexists(self.record)
        elif system.is_alive(found[1]):
            return LockGone("taken-over", self.record, words.process(found[1].pid))
        return None

    def heartbeat(self) -> None:
        """Keep lock and record fresh, and put back a record that is missing."""
        self._lock.touch()
        try:
            os.utime(self.record)
        except OSError:
            with contextlib.suppress(OSError):  # a full disk: the lock counts, the record only explains
                write_json(self.record, self.info.as_json())

    def release(self) -> None:
        """Give the number back; the record goes, the lock file stays."""
        if self._lock.is_held:
            self.on_release()
            if read_json(self.record) == self.info.as_json():
                with contextlib.suppress(OSError):
                    os.unlink(self.record)
        self._lock.release()


def _ending(runtime: RuntimeDir, stack: str, number: int, info: RunInfo) -> InstanceInfo | None:
    """The instance of the same file that has this number and is about to give it back."""
    found = InstanceInfo.from_json(read_json(runtime.instance_record(stack, number)))
    if found is None or not found.is_ending or found.file != info.file:
        return None
    return found if is_held(runtime.instance_lock(stack, number)) else None


def _taken(stack: str, number: int, runtime: RuntimeDir) -> InstanceTaken:
    for info in running(runtime):
        if (info.stack, info.instance) == (stack, number):
            return words.number_taken(stack, number, info.directory, info.whose)
    return words.number_taken(stack, number, None, "")


def _owner(record: str) -> tuple[str, Identity] | None:
    match read_json(record):
        case {"run_id": str(run_id), "owner": value} if identity := Identity.from_json(value):
            return run_id, identity
    return None


def _is_owner_alive(record: str) -> bool:
    found = _owner(record)
    return found is not None and system.is_alive(found[1])
