"""All that portsup runs on this machine for this user, and what runs that are over have left."""

import os
import time

from supervisor.dataclass import dataclass
from supervisor.doctor import leftovers
from supervisor.logs.state_dir import check_state
from supervisor.ports.folders import Folders
from supervisor.ports.instances import InstanceInfo, running
from supervisor.ports.runs import dead_runs
from supervisor.ports.runtime import RuntimeDir
from supervisor.process.leftovers import reap_run
from supervisor.process.view import require_view
from supervisor.words import leftovers as words


@dataclass(frozen=True, slots=True)
class Instance:
    """A running instance, or a folder that keeps a number for its next one.

    stack: name of the stack
    instance: its number
    folder: where it was started
    files: what was read for it; empty where nothing runs
    pid: its daemon; None where nothing runs, or in another PID namespace
    uptime_s: for how long it has been running
    """

    stack: str
    instance: int
    folder: str
    files: tuple[str, ...] = ()
    pid: int | None = None
    uptime_s: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return bool(self.files)


@dataclass(frozen=True, slots=True)
class LeftProcess:
    """A process that a portsup started which is dead by now."""

    pid: int
    name: str
    service: str  # empty where it is not known
    stack: str


@dataclass(frozen=True, slots=True)
class LeftFile:
    """A file that means nothing any more, and what it was."""

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What runs that are over have left.

    processes: those that still run
    files: records, sockets and endpoints files
    numbers: those that folders keep which are gone
    trouble: why it is not known which numbers there are
    """

    processes: tuple[LeftProcess, ...]
    files: tuple[LeftFile, ...]
    numbers: tuple[Instance, ...]
    trouble: str = ""


def instances() -> list[Instance]:
    """What runs, and the folders that have run something, by folder; raises PortsupError if nobody may look."""
    found = [_of(info) for info in running(RuntimeDir.find())]
    known = {(each.stack, each.instance) for each in found}
    at_rest = [
        Instance(each.stack, each.number, each.folder)
        for each in Folders(check_state()).all()
        if (each.stack, each.number) not in known and each.exists
    ]
    return sorted(found + at_rest, key=lambda each: (each.folder, each.stack, each.instance))


def running_instance(stack: str, number: int) -> InstanceInfo | None:
    """The instance of that stack with that number; None where it does not run."""
    known = running(RuntimeDir.find())
    return next((info for info in known if (info.stack, info.instance) == (stack, number)), None)


def left_over() -> Leftovers:
    """What `remove_left_over` would end and remove; raises PortsupError if nobody may look."""
    require_view(words.UNSEEN)
    runtime = RuntimeDir.find()
    folders = Folders(check_state())
    return Leftovers(
        tuple(LeftProcess(each.pid, each.name, each.service, each.stack) for each in leftovers.orphans(runtime)),
        tuple(LeftFile(file.path, file.what) for file in leftovers.stale_files(runtime)),
        tuple(Instance(each.stack, each.number, each.folder) for each in folders.all() if not each.exists),
        folders.trouble,
    )


def remove_left_over() -> int:
    """Ends and removes it, and gives how many numbers were forgotten; raises PortsupError for what did not work."""
    require_view(words.UNSEEN)
    runtime = RuntimeDir.find()
    processes, files = leftovers.orphans(runtime), list(leftovers.stale_files(runtime))
    kept = []
    for run_id in sorted({each.run_id for each in processes} & dead_runs(runtime)):
        kept += [words.alive(each.pid) for each in reap_run(run_id) if not each.gone]
    # Records last: as long as one tells of a run, the next `up` knows its processes.
    if not kept:
        kept = [words.file_kept(file.path) for file in files if not leftovers.remove(file)]
    if kept:
        raise words.still_there(kept)
    folders = Folders(check_state())
    if all(each.exists for each in folders.all()):
        return 0
    try:
        return folders.forget_gone()
    except OSError as error:
        raise words.numbers_kept(folders.path, error.strerror or error) from None


def _of(info: InstanceInfo) -> Instance:
    age = round(max(0.0, time.time() - info.started_at), 3)
    folder = os.fspath(info.directory)
    return Instance(info.stack, info.instance, folder, tuple(map(str, info.files)), info.pid_here, age)
