"""What the services use of the machine at this moment; looked at when somebody asks, and never by itself."""

import socket
import time
from collections.abc import Callable, Collection

from supervisor import system
from supervisor.control.messages import Resources, Socket
from supervisor.daemon.service.slot import Child, Slot
from supervisor.system import Listener

WITHIN = 3.0  # seconds that a look may take; who asks waits for 10 s, and a busy machine needs the rest


def measured(
    slots: Collection[Slot], members: Callable[[Slot, Child], Collection[int]], within: float = WITHIN
) -> dict[str, Resources | None]:
    """By service: processor seconds, bytes of memory, processes and listening TCP sockets of its process trees.

    None for a service without a process.  Looking at large ones takes a while, so this is for a child of ours.  After
    `within` seconds it goes without what takes longest, and says of whom: `partial`.  The smallest come first.
    """
    until = time.monotonic() + within
    listeners = system.listening(None)
    trees = {
        slot.of: {pid for each in slot.replicas for child in each.children() for pid in members(each, child)}
        for slot in slots
    }
    found: dict[str, Resources | None] = dict.fromkeys(trees)
    for name, pids in sorted(trees.items(), key=lambda each: len(each[1])):
        if not pids:
            continue
        usage = system.usage_of(pids, until)
        listens = _listens(pids, listeners, until)
        is_partial = time.monotonic() >= until
        found[name] = Resources(usage.cpu_s, usage.memory, usage.processes, listens, is_partial)
    return found


def _listens(pids: Collection[int], listeners: Collection[Listener], until: float) -> tuple[Socket, ...]:
    owners = system.owners_of(listeners, pids, until)
    found = {(each.port, _host(each), owners.get(each.inode) or each.pid) for each in listeners}
    return tuple(Socket(host, port, pid) for port, host, pid in sorted(found) if pid in pids)


def _host(listener: Listener) -> str:
    return f"[{listener.address}]" if listener.family == socket.AF_INET6 else listener.address
