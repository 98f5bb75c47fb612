"""What a system answers that cannot hand a port over: see `beneath` and `migration` for the one that can."""

import socket
from collections.abc import Callable, Collection


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


def have_queue_moved(listening: socket.socket) -> None:
    """Nothing here can do that."""


def handoff_support() -> str:
    """Why ports cannot be handed over to programs here."""
    return "it needs Linux"
