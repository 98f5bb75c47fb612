"""Who listens on some ports: asked of the kernel at once, or by a child of ours where that takes long.

The kernel looks through all listening sockets of the machine, and anybody can make them many.
"""

import socket
from collections.abc import Callable, Collection

from supervisor import system
from supervisor.annotations import Any
from supervisor.daemon.processes.inquiries import Inquiries
from supervisor.system import Listener

Told = Callable[[list[Listener] | None], None]


def look(ports: Collection[int], but: Collection[int], inquiries: Inquiries, told: Told) -> None:
    """Calls `told` with those who listen on these TCP ports, now or later; with None where that is not found out later.

    Sockets with the inodes `but` are left out.  Raises OSError where it is not found out now.
    """
    if not system.has_many_sockets():
        told(system.listening(ports, but))
        return
    wanted = frozenset(ports)

    def question() -> list[list[Any]]:
        return [
            [each.port, each.family, each.address, each.uid, each.inode, each.listening, each.pid, each.v6_only]
            for each in system.listening(wanted, but)
        ]

    def answer(found: list[list[Any]] | None) -> None:
        told(None if found is None else [_read(*each) for each in found])

    inquiries.ask(question, answer)


def look_once(ports: Collection[int], inquiries: Inquiries, told: Told) -> None:
    """The same for one who does not look again: `told` gets None also where it is not found out now."""
    has_told = False

    def tell(found: list[Listener] | None) -> None:
        nonlocal has_told
        has_told = True
        told(found)

    try:
        look(ports, (), inquiries, tell)
    except OSError:  # no descriptor or memory to look with
        if has_told:
            raise
        told(None)


def _read(port: int, family: int, *rest: Any) -> Listener:
    return Listener(port, socket.AddressFamily(family), *rest)
