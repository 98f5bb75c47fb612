"""Sockets that listen already when a process binds, and get another process to accept from them.

Where clients wait that cannot move, who binds first gets their socket.  Some keep their port by one that is bound and
never listens, for workers that have their own.  So the first worker that listens gets that socket, too.  When it ends,
nobody accepts there any more, though the other one has it still: it is shut down, and only bound again.
"""

import socket

from supervisor.core.handoff import Part, is_for_worker, part_after_listen
from supervisor.dataclass import replace
from supervisor.ports.seat import Claim, Seat


def for_worker(seat: Seat, who: object) -> socket.socket | None:
    """What process tree `who` was given at a bind, and nobody may accept from: for who begins to listen next."""
    mine = [each for each in seat.claims if each.who == who and each.listens and each.is_shared]
    due = (each.inode for each in mine if is_for_worker(each.part, has_it=each.is_there()))
    return next(filter(None, map(seat.find, due)), None)


def note_listen(seat: Seat, claim: Claim) -> None:
    """A process has called `listen` with a socket that listened already."""
    for at, each in enumerate(seat.claims):
        if each.who == claim.who and each.inode == claim.inode:
            part = part_after_listen(each.part, is_same=each.process == claim.process)
            seat.claims[at] = replace(each, part=part)


def alone_with(seat: Seat, who: object, process: int) -> set[int]:
    """The sockets from which this process of a tree accepts alone, whoever else has them."""
    mine = [each for each in seat.claims if each.who == who and each.process == process]
    return {each.inode for each in mine if each.part is Part.STANDS_IN}
