"""What a system answers that cannot hand a port over: see `beneath` and `migration` for the one that can."""

import errno
import os
import socket
from collections.abc import Callable, Collection, Sequence

from supervisor.system.contract import Connection, Departures


def slip_beneath(
    covers: Collection[socket.socket], beside: Collection[socket.socket], service: socket.socket, address: str,
    port: int, act: Callable[[], None], others: Collection[socket.socket] = (),
) -> bool:  # fmt: skip
    """Never called: the system knows no way beneath covers, see SWAPS_UNDER_COVERS."""
    raise NotImplementedError


def keeps_own(service: socket.socket) -> bool:
    """Whether a program's own socket can be bound beneath covers."""
    return False


def can_be_joined(service: socket.socket, address: str) -> bool:
    """Whether a second socket cannot be bound to the address of a first without the kernel letting others in, too."""
    return True


def moves_queues() -> str:
    """What moves the queue of a listener that is closed to another one: nothing."""
    return ""


def have_queue_moved(listening: "socket.socket") -> None:
    """Nothing here can do that."""


def handoff_support() -> str:
    """Why ports cannot be handed over to programs here."""
    return "it needs Linux"


def connections_on(port: int) -> list[Connection]:
    """Nobody asks where nobody can be told that a client has left."""
    return []


def open_departures(port: int) -> Departures:
    """The system does not tell that a connection is gone."""
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def handshakes_on(ports: Collection[int]) -> dict[int, set[int]]:
    """The ports of clients that have begun to connect to local ports: the system does not tell."""
    return {}


def user_of_peer(connection: socket.socket) -> int | None:
    """Whose the other end of a connection of this machine is: nobody asks here."""
    return None


def waiting_in(listening: socket.socket) -> int:
    """How many connections wait in the queue of a listening socket: the system does not tell."""
    return 0


def lead_to(listening: socket.socket, place: int) -> None:
    """Nothing here can do that."""
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def lead_to_some(chosen: Sequence[socket.socket]) -> bool:
    """Nothing here can do that."""
    return False


def lead_anywhere(listening: socket.socket) -> None:
    """The system does so."""


def hide(listening: socket.socket) -> Callable[[socket.socket], None]:
    """Nothing here can do that."""
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def turn_away(listening: socket.socket, *, is_idle: bool = False) -> Callable[[socket.socket], None]:
    """Nothing here can do that."""
    return lambda _: None
