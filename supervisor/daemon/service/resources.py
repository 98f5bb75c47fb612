"""What the services use of the machine at this moment; looked at when somebody asks, and never by itself."""

import socket
from collections.abc import Callable, Collection

from supervisor import system
from supervisor.control.messages import Resources, Socket
from supervisor.daemon.service.slot import Child, Slot
from supervisor.system import Listener


def measured(slots: Collection[Slot], members: Callable[[Slot, Child], Collection[int]]) -> dict[str, Resources | None]:
    """By service: processor seconds, bytes of memory, processes and listening TCP sockets of its process trees.

    None for a service without a process.  Looking at large processes takes a while, so this is for a child of ours.
    """
    found: dict[str, Resources | None] = {}
    listeners = system.listening(None)
    for slot in slots:
        pids = {pid for child in slot.children() for pid in members(slot, child)}
        usage = system.usage_of(pids) if pids else None
        listens = _listens(pids, listeners)
        found[slot.spec.name] = None
        if usage is not None:
            found[slot.spec.name] = Resources(usage.cpu_s, usage.memory, usage.processes, listens)
    return found


def _listens(pids: Collection[int], listeners: Collection[Listener]) -> tuple[Socket, ...]:
    owners = system.owners_of(listeners, pids)
    found = {(each.port, _host(each), owners.get(each.inode) or each.pid) for each in listeners}
    return tuple(Socket(host, port, pid) for port, host, pid in sorted(found) if pid in pids)


def _host(listener: Listener) -> str:
    return f"[{listener.address}]" if listener.family == socket.AF_INET6 else listener.address
