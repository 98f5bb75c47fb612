"""Which instances run.  Light to import: every quick command starts here."""

import os

from supervisor import system
from supervisor.dataclass import dataclass
from supervisor.files.opening import Refused, close, open_file
from supervisor.ports.record import readable_json
from supervisor.ports.runtime import RuntimeDir, error_in
from supervisor.system import Identity
from supervisor.system.identity import is_finite
from supervisor.words import instances as words


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What the one who starts an instance tells about it; all paths are absolute."""

    run_id: str
    directory: str
    file: str
    over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceInfo:
    """A running instance of a stack; `started_at` is in seconds since 1970, `is_ending` once it has begun to stop.

    It belongs to `file`; what is laid over that, in `over`, only says how it runs.
    """

    stack: str
    instance: int
    owner: Identity
    run_id: str
    directory: str
    file: str
    socket: str
    started_at: float
    is_ending: bool = False
    over: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """What was read for it, in order, without the files that its services extend."""
        return (self.file, *self.over)

    @property
    def pid(self) -> int:
        """The process that holds the instance's lock, a number of its own PID namespace."""
        return self.owner.pid

    @property
    def pid_here(self) -> int | None:
        """The same for processes of our PID namespace; None where it runs in another one, as in a container."""
        return self.owner.seen_from(system.pid_namespace())

    @property
    def whose(self) -> str:
        """The process in words."""
        return self.owner.words_from(system.pid_namespace())

    def as_json(self) -> dict[str, object]:
        """The value that `from_json` reads back; `pid` is in it for people."""
        fields = ("stack", "instance", "pid", "run_id", "directory", "file", "socket", "started_at")
        plain = {name: getattr(self, name) for name in fields}
        return plain | {"owner": self.owner.as_json(), "ending": self.is_ending, "over": list(self.over)}

    @classmethod
    def from_json(cls, value: object) -> "InstanceInfo | None":
        """The instance that was written, None for anything else."""
        match value:
            case {
                "stack": str(stack),
                "instance": int(instance),
                "owner": owner,
                "run_id": str(run_id),
                "directory": str(directory),
                "file": str(file),
                "socket": str(socket),
                "started_at": int() | float() as started_at,
                **rest,
            } if instance > 0 and is_finite(started_at) and (identity := Identity.from_json(owner)):
                is_ending = rest.get("ending") is True
                given = rest.get("over")  # an older portsup writes none
                over = tuple(path for path in given if isinstance(path, str)) if isinstance(given, list) else ()
                return cls(stack, instance, identity, run_id, directory, file, socket, started_at, is_ending, over)
        return None


def running(runtime: RuntimeDir) -> list[InstanceInfo]:
    """Every instance whose lock is held, by stack and number; one that is just starting may be missing.

    Raises PortsupError if nobody may look, at one of them either: it runs, and nobody is told that none does.
    """
    try:
        names = os.listdir(runtime.instances)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise error_in(words.NOT_SEEN, runtime.instances, error) from error
    found = []
    for name in names:
        path = os.path.join(runtime.instances, name)
        if name.endswith(".lock") and is_held(path):
            info = InstanceInfo.from_json(_record_at(path.removesuffix(".lock") + ".json"))
            if info is not None:
                found.append(info)
    return sorted(found, key=lambda info: (info.stack, info.instance))


def _record_at(path: str) -> object:
    try:
        return readable_json(path)
    except OSError as error:
        raise error_in(words.NOT_SEEN, path, error) from error


def is_held(path: str) -> bool:
    """Whether somebody has the lock on the file at `path`; the record beside it is not asked.

    True as well where that cannot be found out, for lack of descriptors say: nobody may take it for free then.
    """
    try:
        descriptor = open_file(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError as error:  # in the place of a file that anybody could lock may be something else
        return not isinstance(error, Refused | NotADirectoryError)
    try:
        return system.is_flocked(descriptor)
    except OSError:
        return True
    finally:
        close(descriptor)
