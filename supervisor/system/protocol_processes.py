"""The contract, as far as it is about processes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from supervisor.system.contract import FOREVER, Usage
from supervisor.system.identity import Identity


class Processes(Protocol):
    """Who the processes of this machine are, how they are related, and what they use."""

    SIGKILL: int
    SIGCONT: int
    SIGCHLD: int

    def identity_of(self, pid: int) -> Identity | None:
        """Which process has this pid now; None if there is none, or only a zombie."""

    def is_alive(self, identity: Identity) -> bool:
        """Whether that very process still runs."""

    def age_of(self, identity: Identity) -> float | None:
        """Seconds since the process started, by a clock that nobody sets; None where there is none."""

    def parent_of(self, pid: int) -> int:
        """The parent of a process; 0 for one that is gone, or whose parent we do not see."""

    def children_of(self, pid: int) -> list[int]:
        """The direct children, zombies included."""

    def descendants_of(self, pid: int) -> list[int]:
        """Children, their children and so on, parents first."""

    def orphans_of(self, pid: int) -> list[int]:
        """Processes that may have come from `pid` and have lost their parent, where nobody hands them to us."""

    def pids_with_environ(self, key: str, value: str) -> list[int]:
        """The processes whose environment has `key` set to `value`, as far as we may read it."""

    def environ_of(self, pid: int) -> dict[str, str]:
        """The environment that the process was started with; empty where we may not read it."""

    def process_name(self, pid: int) -> str:
        """What people call the process, such as `node`; empty if it is gone."""

    def process_command(self, pid: int) -> str:
        """The command line, words separated by blanks; empty where we may not read it."""

    def process_user(self, pid: int) -> str:
        """The user that the process runs as; empty if it is gone."""

    def process_trouble(self) -> str:
        """Why what the system tells of processes means nothing here, "" if it does."""

    def pid_namespace(self) -> int:
        """What tells the numbers of processes that we use from those of others; 0 where there are no others."""

    def would_see(self, identity: Identity) -> bool:
        """Whether that process, and what it started, could be seen from here if it were alive."""

    def is_alone_within(self, pid: int, limit: int) -> bool:
        """Whether a process has no children and at most so many bytes of memory, by a quick look; False if unsure."""

    def is_between_images(self, pid: int) -> bool:
        """Whether a process has an environment that cannot be read just now, as it ends or becomes another program."""

    def is_ending(self, pid: int) -> bool:
        """Whether a process has begun to exit and may still have descriptors."""

    def is_busy(self, pid: int) -> bool:
        """Whether the first thread of a process computes, or waits for a processor or a disk."""

    def is_opaque(self, pid: int) -> bool:
        """Whether we may not see what a process has open."""

    def is_traced(self, pid: int) -> bool:
        """Whether a debugger has hold of the process."""

    def open_end_of(self, pid: int) -> int | None:
        """A descriptor that becomes readable when this process ends; None where there is none."""

    def kill_exactly(self, pid: int, end: int | None) -> None:
        """SIGKILL to the process of `open_end_of`; raises ProcessLookupError and PermissionError."""

    def send_signal(self, pid: int, number: int) -> None:
        """A signal to one process; raises ProcessLookupError and PermissionError."""

    def usage_of(self, pids: Collection[int], until: float = FOREVER) -> Usage:
        """What these processes use together; after `until`, in monotonic seconds, shared pages count in each."""

    def memory_above(self, pids: Collection[int], limit: int) -> int:
        """The bytes of memory that these processes have together, 0 if that is no more than `limit`."""

    def mark_limit(self, mark: int) -> tuple[int, int, int] | None:
        """The resource, the soft and the hard limit that mark a child; None where there are no marks."""

    def mark_room(self) -> int:
        """Below which number the marks of our children have to be; 0 where there are none."""

    def marks_of(self, pid: int) -> tuple[int, ...]:
        """The mark of a process first, then that of the portsup above; nothing for one that is gone or has none."""

    def pids_with_marks(self) -> dict[int, tuple[int, ...]]:
        """Every process that has any."""


class Children(Protocol):
    """How processes are started, and how those end that we have started."""

    HAS_JOBS: bool  # whether jobs take the place of fork, sessions and signals
    TIES_PROCESSES: bool  # whether orphans come to a process that asks for them, and a signal tells of a parent's end

    def prepare_spawning(self) -> None:
        """Load what a child needs between fork and exec: importing there could deadlock."""

    def follow_children(self, loop: Any, tell: Callable[[], object]) -> None:
        """Has `tell` called in the loop whenever a child has ended."""

    def unfollow_children(self, loop: Any) -> None:
        """Tells nobody any more."""

    def collect_child(self) -> tuple[int, int] | None:
        """A child that has ended, and its wait status; None where nobody has."""

    def exit_code_of(self, status: int) -> int:
        """The exit code that a status of `collect_child` tells of; less than 0 for a signal."""

    def set_child_subreaper(self) -> bool:
        """Make orphans among our descendants our children; whether it worked."""

    def set_parent_death_signal(self, signal: int) -> None:
        """Have the system signal this process when its parent dies, where it can."""

    def guard_ourselves(self) -> None:
        """From now on all that we start ends with us, however we end; with HAS_JOBS."""

    def start_in_job(
        self,
        path: str,
        argv: Sequence[str],
        environment: Mapping[str, str],
        directory: str,
        streams: tuple[int | None, int, int],
    ) -> int:
        """The pid of a new process in a job and a process group of its own; raises OSError; with HAS_JOBS."""

    def start_in_background(self, argv: Sequence[str], variables: Mapping[str, str]) -> Any:
        """A process that outlives us, with a console that nobody sees; raises OSError; with HAS_JOBS."""

    def job_members(self, main: int) -> set[int]:
        """The living processes of the job that was made for this child; with HAS_JOBS."""

    def end_job(self, main: int) -> set[int]:
        """End all processes of the job of this child at once; who they were; with HAS_JOBS."""

    def descriptor_limit(self) -> int:
        """How many files a process of ours may have open when it asks for all it can get."""

    def raise_descriptor_limit(self) -> int:
        """Raise the soft limit of open files to the hard one; the old one, -1 where there is none."""

    def highest_limit(self, number: int) -> int:
        """The highest limit of this resource that a child may get."""

    def room_for_words(self, stack: int) -> int:
        """How many bytes the arguments and the environment of a program may take, by the size of its stack."""
