"""What runs that are over have left: processes, records, sockets, endpoints files.  Living ones are left alone."""

import contextlib
import os
from collections.abc import Iterator

from supervisor import system
from supervisor.dataclass import dataclass
from supervisor.files.replacement import written_for
from supervisor.ports.instances import InstanceInfo, is_held
from supervisor.ports.lockfile import FileLock
from supervisor.ports.record import Record, read_json
from supervisor.ports.runs import dead_runs, stacks_of_runs
from supervisor.ports.runtime import RuntimeDir
from supervisor.process import leftovers, tree
from supervisor.words import findings as words

_ENDPOINTS = ".endpoints.json"


@dataclass(frozen=True, slots=True)
class Orphan:
    """A process that a portsup started which is dead by now."""

    pid: int
    name: str
    service: str  # empty where it is not known
    stack: str
    run_id: str


@dataclass(frozen=True, slots=True)
class StaleFile:
    """A file of the runtime directory that means nothing any more; `lock` is the lock file that must be free."""

    path: str
    what: str
    lock: str


def orphans(runtime: RuntimeDir) -> list[Orphan]:
    """The processes of dead runs that are still there, of those runs that left a record.

    None where the system shows the processes of another PID namespace.
    """
    if system.process_trouble():
        return []
    left, stacks = leftovers.left_of(sorted(dead_runs(runtime))), stacks_of_runs(runtime)
    return [
        Orphan(pid, system.process_name(pid), system.environ_of(pid).get(tree.SERVICE, ""), stacks.get(run, ""), run)
        for pid, run in sorted(left.items())
    ]


def stale_files(runtime: RuntimeDir) -> Iterator[StaleFile]:
    """Records whose lock is free, sockets and endpoints files of instances that do not run, and halves of such files.

    A record of a PID namespace that we cannot look into stays: by it the next `up` there finds what was left.
    """
    for name in _names(runtime.ports):
        if name.endswith(".json"):
            path, lock = os.path.join(runtime.ports, name), os.path.join(runtime.ports, name[:-5] + ".lock")
            record = Record.read(path)
            if record is not None and not is_held(lock) and system.would_see(record.owner):
                yield StaleFile(path, words.record_of_port(record.port, record.service, record.stack), lock)
    for name in _names(runtime.instances):
        path, lock = os.path.join(runtime.instances, name), os.path.join(runtime.instances, name[:-5] + ".lock")
        if name.endswith(".json") and not is_held(lock):
            info = InstanceInfo.from_json(read_json(path))
            if info is not None and system.would_see(info.owner):
                yield StaleFile(path, words.record_of_instance(info.instance, info.stack), lock)
    yield from _unfinished(runtime)
    for name in _names(runtime.path):
        # `shop-1.sock`, `shop-1.endpoints.json`, `shop-1@web.notify.sock`: all of them are of instance `shop-1`.
        for ending, what in (
            (".notify.sock", words.NOTIFY_SOCKET),
            (".sock", words.CONTROL_SOCKET),
            (_ENDPOINTS, words.ENDPOINTS_FILE),
        ):
            if name.endswith(ending):
                whose = name.removesuffix(ending)
                lock = os.path.join(runtime.instances, whose.partition("@")[0] + ".lock")
                if not is_held(lock):
                    yield StaleFile(os.path.join(runtime.path, name), words.file_of(what, whose), lock)
                break


def _unfinished(runtime: RuntimeDir) -> Iterator[StaleFile]:
    """What holders of a lock had begun to write when they were killed."""
    for directory, locks in (
        (runtime.ports, runtime.ports), (runtime.instances, runtime.instances), (runtime.path, runtime.instances)
    ):  # fmt: skip
        for name in _names(directory):
            whole = written_for(name)
            if whole is None or not whole.endswith(".json"):
                continue
            lock = os.path.join(locks, whole.removesuffix(_ENDPOINTS).removesuffix(".json") + ".lock")
            if os.path.exists(lock) and not is_held(lock):
                yield StaleFile(os.path.join(directory, name), words.unfinished(whole), lock)


def remove(file: StaleFile) -> bool:
    """Takes the lock, looks again, and removes the file (a record is left blank); whether it is gone."""
    lock = FileLock(file.lock)
    try:
        if not lock.acquire():
            return False
    except OSError:
        return False
    try:
        if file.path.endswith((".sock", _ENDPOINTS)) or written_for(os.path.basename(file.path)) is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(file.path)
        else:
            Record.clear(file.path)
    except OSError:
        return False
    finally:
        lock.release()
    return True


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []
