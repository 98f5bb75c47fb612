"""Linux: the sockets of the machine, asked of the kernel, and whose they are, out of /proc."""

import contextlib
import math
import os
import socket
import struct
import time
from collections.abc import Collection, Iterator

from supervisor.system import netlink
from supervisor.system.contract import Listener
from supervisor.system.linux import pids, running_thread_of

_KCMP = {"x86_64": 312, "aarch64": 272}  # asm/unistd.h
_KCMP_FILES = 2  # linux/kcmp.h
MANY = 5000  # sockets
_SOCKSTAT = 4096  # bytes of /proc/net/sockstat, of which there are some hundred
_MOST_TABLES = 16  # of one process: each of its threads is held against all of them


def listening(ports: Collection[int] | None, but: Collection[int] = ()) -> list[Listener]:
    """Who listens on these TCP ports of this machine; None: on any port; without those that have an inode of `but`."""
    return netlink.sockets(ports, netlink.LISTEN, but)


def has_many_sockets() -> bool:
    """Whether this network namespace has so many TCP sockets in use that it takes long to ask which of them listen.

    The kernel looks at each that listens, whichever ports are asked for: a third of a microsecond.  How many are in use
    it counts in /proc/net/sockstat, proc_net(5).
    """
    count = 0
    for name in ("sockstat", "sockstat6"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            file = os.open(f"/proc/net/{name}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                count += int((b"\n" + os.read(file, _SOCKSTAT)).partition(b"\nTCP")[2].split(None, 3)[2])
            finally:
                os.close(file)
    return count > MANY


def sockets_on(ports: Collection[int]) -> list[Listener]:
    """Every TCP socket with one of these local ports, in any state."""
    return netlink.sockets(ports, netlink.EVERY_STATE)


def bound_only(ports: Collection[int]) -> list[Listener]:
    """The sockets that are bound to these ports and nothing else, told since Linux 6.8; empty before."""
    return netlink.sockets(ports, netlink.BOUND_INACTIVE)


def peer_of(connection: socket.socket) -> tuple[int, int]:
    """The pid and the user at the other end of a unix socket, SO_PEERCRED of unix(7)."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iii"))
    pid, uid, _ = struct.unpack("iii", told)
    return pid, uid


def owners_of(
    listeners: Collection[Listener], candidates: Collection[int] | None, until: float = math.inf
) -> dict[int, int]:
    """The pid that has each socket open, by inode; looks at `candidates`, or at every process we may look into.

    Takes microseconds for each descriptor of each of them, and gives what it has found at `until`, in monotonic
    seconds.  A socket that is missing belongs to a process we may not look into (of another user, unless we are root).
    Of several processes that share a socket the one with the lowest pid is named: as a rule the first started.  Raises
    OSError where no descriptor or memory is left to look with: that nobody is found means nothing then.
    """
    wanted = {f"socket:[{listener.inode}]": listener.inode for listener in listeners if listener.inode}
    owners: dict[int, int] = {}
    for pid in sorted(pids() if candidates is None else candidates):
        for number, target in enumerate(_descriptors(pid)):
            inode = wanted.get(target)
            if inode is not None:
                owners.setdefault(inode, pid)
            if len(owners) == len(wanted) or (number % 64 == 0 and time.monotonic() >= until):
                return owners
    return owners


@contextlib.contextmanager
def _unless_lacking() -> Iterator[None]:
    """Passes over processes that are gone, or that we may not look into."""
    try:
        yield
    except OSError as error:
        if error.errno in netlink.LACKING:
            raise


def _descriptors(pid: int) -> Iterator[str]:
    for thread in _tables(pid):
        yield from _descriptors_of_thread(thread)


def _tables(pid: int) -> Iterator[int]:
    """A thread for each table of descriptors that the threads of a process have: as a rule there is one, clone(2)."""
    threads: list[str] = []
    with _unless_lacking():
        threads = os.listdir(f"/proc/{pid}/task")
    seen = [running_thread_of(pid) if len(threads) > 1 else pid]
    yield seen[0]
    for each in map(int, threads):
        if len(seen) < _MOST_TABLES and each != pid and all(_differ(each, other) for other in seen):
            seen.append(each)
            yield each


def _differ(thread: int, other: int) -> bool:
    """Whether they name their open files by tables of their own, kcmp(2); no where that cannot be found out."""
    from supervisor.system import libc

    number = _KCMP.get(os.uname().machine)
    with contextlib.suppress(OSError):
        return number is not None and thread != other and libc.syscall(number, thread, other, _KCMP_FILES, 0, 0) != 0
    return False


def _descriptors_of_thread(thread: int) -> Iterator[str]:
    directory = f"/proc/{thread}/fd"
    with _unless_lacking(), os.scandir(directory) as entries:  # step by step: there may be a million
        for entry in entries:
            with contextlib.suppress(OSError):
                yield os.readlink(f"{directory}/{entry.name}")


def listening_ports_of(pids: Collection[int]) -> set[int]:
    """The TCP ports that these processes listen on."""
    listeners = listening(None)
    owners = owners_of(listeners, pids)
    return {listener.port for listener in listeners if listener.inode in owners}
