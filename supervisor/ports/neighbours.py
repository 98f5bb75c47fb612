"""What there is at the other places of a port than one."""

import contextlib
import socket
from collections.abc import Iterator, Mapping

from supervisor.core.handoff import Place
from supervisor.ports.seat import Seat


def left_in_the_way(seats: Mapping[Place, Seat], place: Place) -> list[socket.socket]:
    """Those of ours that overlap a place, and that no process has asked for."""
    left = [seat for other, seat in seats.items() if other != place and other.overlaps(place)]
    return [sock for seat in left if not seat.trees() for sock in seat.sockets()]


@contextlib.contextmanager
def others_than(seats: Mapping[Place, Seat], place: Place) -> Iterator[list[socket.socket]]:
    """Those at other places, the program's own too, which are taken from it meanwhile."""
    others = [seat for other, seat in seats.items() if other != place]
    with contextlib.ExitStack() as taken:
        bound = (claim.taken(listening=False) for seat in others for claim in seat.claims if not claim.listens)
        own = [taken.enter_context(sock) for sock in bound if sock is not None]
        yield [*own, *(sock for seat in others for sock in seat.sockets())]
