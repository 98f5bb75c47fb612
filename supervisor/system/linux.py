"""Linux: /proc, prctl, inotify."""

import contextlib
import os
import time
from collections.abc import Collection, Iterator, Sequence

from supervisor.system.contract import SignalQueue, Watch
from supervisor.system.identity import Identity
from supervisor.system.linux_namespace import boot_id, pid_namespace
from supervisor.system.posix import user_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

# Whether a service socket can be bound beneath the covers without giving them up.
SWAPS_UNDER_COVERS = True
TIES_PROCESSES = True
HAS_WATCHES = True
PAGE = os.sysconf("SC_PAGE_SIZE")  # bytes
_PF_EXITING = 0x4  # of the field `flags` of proc_pid_stat(5)
SOCKET_PATH_MAX = 107  # bytes, unix(7): sun_path has 108 with the closing NUL


def read_of(pid: int, name: str) -> bytes:
    """What /proc has on a process under this name; empty if it is gone, or another user's."""
    try:
        with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return b""


def stat_of(pid: int) -> list[bytes]:
    """The fields of proc_pid_stat(5) from the third on, the state; none if the process is gone."""
    # The command's name stands in parentheses and may hold anything, parentheses too: state is what follows the last.
    return read_of(pid, "stat").rpartition(b")")[2].split()


def is_over(fields: Sequence[bytes]) -> bool:
    """Whether the process with these fields of `stat_of` is gone, or only a zombie.

    The main thread alone may have ended, pthread_exit(3): then its state is that of a zombie, and the others still run
    with all the descriptors there are.  So it is for a moment whenever a process with threads is killed.
    """
    return len(fields) < 20 or (fields[0] in (b"Z", b"X") and int(fields[17]) <= 1)  # state, num_threads


def running_thread_of(pid: int) -> int:
    """The first thread of the process; another one where that has ended, and has neither descriptors nor memory."""
    if stat_of(pid)[:1] == [b"Z"]:
        with contextlib.suppress(OSError):
            return next((int(each) for each in os.listdir(f"/proc/{pid}/task") if int(each) != pid), pid)
    return pid


def identity_of(pid: int) -> Identity | None:
    """Which process has this pid now; None if there is none, or only a zombie."""
    fields = stat_of(pid)
    if is_over(fields):
        return None
    return Identity(pid, int(fields[19]), boot_id(), pid_namespace())


def is_alive(identity: Identity) -> bool:
    """Whether that very process still runs, as far as can be seen from here: not one of another PID namespace."""
    found = identity_of(identity.pid)
    if found is None or identity.namespace not in (0, found.namespace):
        return False
    return (found.start_time, found.boot) == (identity.start_time, identity.boot)


def environ_of(pid: int) -> dict[str, str]:
    """The environment the process was started with; empty where we may not read it."""
    found = read_of(pid, "environ") or read_of(running_thread_of(pid), "environ")
    pairs = (entry.partition(b"=") for entry in found.split(b"\0") if entry)
    return {os.fsdecode(key): os.fsdecode(value) for key, _, value in pairs}


def is_between_images(pid: int) -> bool:
    """Whether a process has an environment that cannot be read just now: exit(2) and execve(2) begin with that."""
    for _ in range(2):
        try:  # of a process without memory it is empty; Linux 6.18 gives ESRCH
            with contextlib.suppress(ProcessLookupError), open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
                if file.read(1):
                    return True
        except OSError:
            return False
        fields = stat_of(pid)
        if len(fields) < 49 or is_over(fields):
            return False
        if fields[48] == b"0":  # env_end: also one that was given no variables has an address there
            return True
    return False


def is_ending(pid: int) -> bool:
    """Whether a process has begun to exit and may still have descriptors: those are closed after its memory is."""
    fields = stat_of(running_thread_of(pid))
    return len(fields) > 6 and bool(int(fields[6]) & _PF_EXITING)


def is_busy(pid: int) -> bool:
    """Whether the first thread of a process computes, or waits for a processor or a disk."""
    return stat_of(pid)[:1] in ([b"R"], [b"D"])


def process_name(pid: int) -> str:
    """What people call the process, such as `node`; empty if it is gone."""
    name = os.fsdecode(read_of(pid, "comm").strip())
    program = os.path.basename(process_command(pid).partition(" ")[0])
    # The kernel keeps 15 bytes (prctl(2), PR_SET_NAME), and Node calls its main thread by what it is, not by name.
    if program and (name.endswith("MainThread") or (len(name) >= 15 and program.startswith(name))):
        return program
    return name


def is_traced(pid: int) -> bool:
    """Whether a debugger has hold of the process, proc(5), TracerPid."""
    lines = read_of(pid, "status").splitlines()
    return any(line.split()[1] != b"0" for line in lines if line.startswith(b"TracerPid:"))


def process_user(pid: int) -> str:
    """The user the process runs as; empty if it is gone."""
    # Not the owner of /proc/PID: that is root for a process that cannot be dumped, proc(5).
    for line in read_of(pid, "status").splitlines():
        if line.startswith(b"Uid:"):
            return user_name(int(line.split()[2]))
    return ""


def is_opaque(pid: int) -> bool:
    """Whether we may not see what a process has open: it is of another user, or forbids it (PR_SET_DUMPABLE)."""
    try:
        os.listdir(f"/proc/{pid}/fd")
    except PermissionError:
        return True
    except OSError:
        pass
    return False


def process_command(pid: int) -> str:
    """The command line, words separated by blanks; empty for kernel threads and the gone."""
    return os.fsdecode(read_of(pid, "cmdline").replace(b"\0", b" ").strip())


def pids() -> Iterator[int]:
    """Every process of this machine that we see."""
    return (int(entry) for entry in os.listdir("/proc") if entry.isdigit())


def age_of(identity: Identity) -> float | None:
    """Seconds since the process started, by a clock that nobody sets (CLOCK_BOOTTIME, clock_gettime(2))."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - identity.start_time / os.sysconf("SC_CLK_TCK")


def reserved_ports() -> dict[int, str]:
    """Ports that a part of the system uses, and which one: none on Linux."""
    return {}


def pids_with_environ(key: str, value: str) -> list[int]:
    """The processes whose environment has `key` set to `value`; those of other users only for root."""
    wanted = os.fsencode(f"{key}={value}")
    return [pid for pid in pids() if wanted in read_of(pid, "environ").split(b"\0")]


def children_of(pid: int) -> list[int]:
    """The direct children, zombies included."""
    children: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    for thread in threads:
        listed = read_of(pid, f"task/{thread}/children")
        children.extend(int(child) for child in listed.split())
    if not children and not os.path.exists(f"/proc/{pid}/task/{pid}/children"):  # without CONFIG_PROC_CHILDREN
        parent = str(pid).encode()
        return [child for child in pids() if stat_of(child)[1:2] == [parent]]
    return children


def descendants_of(pid: int) -> list[int]:
    """Children, their children and so on, parents first."""
    found = children_of(pid)
    seen = set(found)
    for child in found:  # grows while it is walked
        new = [each for each in children_of(child) if each not in seen]
        found += new
        seen.update(new)
    return found


def prepare_spawning() -> None:
    """Load what a child needs between fork and exec: importing there could deadlock."""
    from supervisor.system import prctl  # noqa: F401


def open_signals(numbers: "Collection[int]") -> SignalQueue:
    """A queue of these signals, which do nothing else from now on."""
    from supervisor.system.signalfd import SignalFd  # late: ctypes is heavy

    return SignalFd(numbers)


def set_child_subreaper() -> bool:
    """Make orphans among our descendants our children, prctl(2), PR_SET_CHILD_SUBREAPER; whether it worked."""
    from supervisor.system import prctl

    return prctl.prctl(prctl.PR_SET_CHILD_SUBREAPER, 1)


def set_parent_death_signal(signal: int) -> None:
    """Have the kernel signal this process when its parent *thread* dies, prctl(2), PR_SET_PDEATHSIG.

    Called in the child, after `prepare_spawning` in its parent; the caller checks getppid afterwards, because the
    parent may have died just before.
    """
    from supervisor.system import prctl

    prctl.prctl(prctl.PR_SET_PDEATHSIG, signal)


def moves_queues() -> str:
    """What moves the queue of a closed listener to another one of its group: "bpf", "sysctl", or "" for nothing.

    See `migration`; the sysctl may change at any time.
    """
    from supervisor.system import migration  # late: ctypes is heavy

    return "bpf" if migration.moves_by_program() else "sysctl" if migration.moves_by_sysctl() else ""


def have_queue_moved(listening: "socket.socket") -> None:
    """Have the queues of the group of this socket move, where that is not the kernel's setting already."""
    from supervisor.system import migration

    migration.attach(listening)


def lead_to_some(chosen: "Sequence[socket.socket]") -> bool:
    """Have all who connect get to some of a group, whichever others are closed; False where that cannot be had."""
    from supervisor.system import migration

    return migration.lead_to_some(chosen)


def handoff_support() -> str:
    """Why ports cannot be handed over to programs here (see `seccomp`), "" if they can."""
    from supervisor.system import seccomp

    return seccomp.why_not()


def first_unprivileged_port() -> int:
    """The lowest port that an ordinary user may bind, ip(7), ip_unprivileged_port_start (Linux 4.11)."""
    with contextlib.suppress(OSError, ValueError), open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as file:
        return int(file.read())
    return 1024


def open_watch() -> Watch | None:
    """A watch over files, None where the kernel has none to give (fs.inotify.max_user_instances, open files)."""
    try:
        from supervisor.system.inotify import Inotify

        return Inotify()
    except OSError:
        return None
