"""What psutil tells on every system; Linux has shorter ways of its own."""

import contextlib
import math
import socket
from collections.abc import Collection
from typing import Any

import psutil

from supervisor.system.contract import FOREVER, Listener, Usage
from supervisor.system.identity import Identity

TIES_PROCESSES = False
HAS_WATCHES = False
_NOT_TOLD = (psutil.Error, OSError)
_MOST_LOOKS = 5  # at all processes, for orphans: where some end all the time


def identity_of(pid: int) -> Identity | None:
    """Which process has this pid now; None if there is none, or only a zombie."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Identity(pid, process.create_time())
    except _NOT_TOLD:
        return None


def is_alive(identity: Identity) -> bool:
    """Whether that very process still runs."""
    found = identity_of(identity.pid)
    # The system computes the time from a boot time that it may correct by a little (psutil, create_time).
    return found is not None and abs(found.start_time - identity.start_time) < 0.5


def pid_namespace() -> int:
    """0: there are none on this system."""
    return 0


def would_see(identity: Identity) -> bool:
    """Whether that process could be seen from here if it were alive: there are no namespaces."""
    return True


def process_trouble() -> str:
    """Why what the system tells of processes means nothing, "" as it always does here."""
    return ""


def environ_of(pid: int) -> dict[str, str]:
    """The environment the process was started with; empty where we may not read it."""
    try:
        return dict(psutil.Process(pid).environ())
    except _NOT_TOLD:
        return {}


def is_between_images(pid: int) -> bool:
    """Whether a process has an environment that cannot be read just now: nobody tells here."""
    return False


def is_ending(pid: int) -> bool:
    """Whether a process has begun to exit: nobody tells here."""
    return False


def is_busy(pid: int) -> bool:
    """Whether a process computes: nobody asks here."""
    return False


def process_name(pid: int) -> str:
    """What people call the process, such as `node`; empty if it is gone."""
    try:
        return str(psutil.Process(pid).name())
    except _NOT_TOLD:
        return ""


def is_traced(pid: int) -> bool:
    """Whether a debugger has hold of the process; False, as it is not told here."""
    return False


def process_user(pid: int) -> str:
    """The user the process runs as; empty if it is gone."""
    try:
        return str(psutil.Process(pid).username())
    except _NOT_TOLD:
        return ""


def process_command(pid: int) -> str:
    """The command line, words separated by blanks; empty where we may not read it."""
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except _NOT_TOLD:
        return ""


def pids_with_environ(key: str, value: str) -> list[int]:
    """The processes whose environment has `key` set to `value`; those of other users only where the system tells."""
    return [pid for pid in psutil.pids() if environ_of(pid).get(key) == value]


def parent_of(pid: int) -> int:
    """The parent of a process; 0 for one that is gone."""
    try:
        return psutil.Process(pid).ppid()
    except _NOT_TOLD:
        return 0


def mark_room() -> int:
    """Below which number marks have to be: there are none here."""
    return 0


def mark_limit(mark: int) -> tuple[int, int, int] | None:
    """The limit that marks a child: none."""
    return None


def marks_of(pid: int) -> tuple[int, ...]:
    """The marks of a process: none."""
    return ()


def pids_with_marks() -> dict[int, tuple[int, ...]]:
    """Every process that has any."""
    return {}


def children_of(pid: int) -> list[int]:
    """The direct children, zombies included."""
    return _children(pid, recursive=False)


def descendants_of(pid: int) -> list[int]:
    """Children, their children and so on, parents first."""
    return _children(pid, recursive=True)


def _children(pid: int, *, recursive: bool) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=recursive)]
    except _NOT_TOLD:
        return []


def orphans_of(pid: int) -> list[int]:
    """Processes that may have come from `pid` and have lost their parent: nobody hands them to us.

    They have process 1 as their parent, or one above us that asked for orphans, as on Linux.  Where a process ends
    while they are looked at, those are looked at once more that have begun since, or have lost their parent.
    """
    above = {1}
    while (pid := parent_of(pid)) and pid not in above:
        above.add(pid)
    found: dict[int, None] = {}
    parents: dict[int, int] = {}
    for _ in range(_MOST_LOOKS):
        there = set(listed := psutil.pids())
        unknown = [each for each in listed if each not in parents or parents[each] not in there]
        now = {each: parent_of(each) for each in unknown}
        found |= {each: None for each, parent in now.items() if each not in above and parent in above}
        parents |= now
        if all(parent or psutil.pid_exists(each) for each, parent in now.items()):
            break
    return list(found)


def open_end_of(pid: int) -> int | None:
    """None: nothing tells of the end of a process that is no child of ours."""
    return None


def prepare_spawning() -> None:
    """Nothing to load here."""


def set_child_subreaper() -> bool:
    """There are none on this system: orphans go to process 1."""
    return False


def set_parent_death_signal(signal: int) -> None:
    """The system has no such thing: the guardian and the next start clean up instead."""


def sockets_of_machine() -> list[Listener]:
    """Every TCP socket of the machine with its owner; raises OSError where only root may ask."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied as error:
        raise PermissionError("the system tells only root") from error
    return [_listener(found.family, found.laddr, found.status, found.pid or 0) for found in connections if found.laddr]


def sockets_of(pids: Collection[int]) -> list[Listener]:
    """The TCP sockets of these processes, as far as we may look into them."""
    found: list[Listener] = []
    for pid in pids:
        try:
            connections = psutil.Process(pid).net_connections("tcp")  # its name since psutil 6.0
        except _NOT_TOLD:
            continue
        found.extend(_listener(one.family, one.laddr, one.status, pid) for one in connections if one.laddr)
    return found


def _listener(family: int, address: tuple[Any, ...], status: str, pid: int) -> Listener:
    is_listening = status == psutil.CONN_LISTEN
    return Listener(int(address[1]), socket.AddressFamily(family), str(address[0]), listening=is_listening, pid=pid)


def owners_of(
    listeners: Collection[Listener], candidates: Collection[int] | None, until: float = math.inf
) -> dict[int, int]:
    """Empty: sockets have no inode here, and each `Listener` has its `pid`."""
    return {}


def listening_ports_of(pids: Collection[int]) -> set[int]:
    """The TCP ports that these processes listen on."""
    return {found.port for found in sockets_of(pids) if found.listening}


def is_alone_within(pid: int, limit: int) -> bool:
    """False: whether a process has children is found out by looking at all there are."""
    return False


def memory_above(pids: Collection[int], limit: int) -> int:
    """The bytes of memory that these processes have resident together, 0 if that is no more than `limit`."""
    total = 0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            total += psutil.Process(pid).memory_info().rss
    return total if total > limit else 0


def usage_of(pids: Collection[int], until: float = FOREVER) -> Usage:
    """What these processes use together; pages that they share count in each, so `until` saves nothing."""
    cpu, memory, count = 0.0, 0, 0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            times = process.cpu_times()
            memory += process.memory_info().rss
            cpu += times.user + times.system
            count += 1
    return Usage(cpu, memory, count)


def age_of(identity: Identity) -> float | None:
    """None: the start of a process is known by the wall clock only."""
    return None


def bound_only(ports: Collection[int]) -> list[Listener]:
    """Empty: the system tells of no socket that is bound and nothing else."""
    return []


def is_opaque(pid: int) -> bool:
    """Whether we may not see what a process has open: nobody can tell here."""
    return False
