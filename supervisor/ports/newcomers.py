"""Clients that connect while a process is about to be stopped for want of clients: they wait for the next process.

Nothing that the program can see is changed before it is certain that nobody uses it: sockets of ours join the group of
its own (SO_REUSEPORT), and a program of the kernel leads everybody there who connects.  So there is no moment at which
a client can be accepted by a process that is asked to end.
"""

import errno
import os
import socket
from collections.abc import Callable, Collection, Mapping

from supervisor import system
from supervisor.core.handoff import Place
from supervisor.dataclass import dataclass
from supervisor.ports.openings import Openings
from supervisor.ports.seat import Seat, is_listening


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Of the sockets on one port."""

    seats: Mapping[Place, Seat]
    openings: Openings
    inodes: Callable[[], Collection[int]]

    def keep(self, who: object) -> None:
        """Has all who connect from now on wait at sockets of ours, not at those of the process tree `who`.

        Raises OSError where that cannot be: then `let_in` puts things back.
        """
        for place, seat in self.seats.items():
            theirs = seat.kept.get(who)
            if theirs is None or not is_listening(theirs):
                continue
            if None not in seat.kept:
                if system.can_be_joined(theirs, place.address):
                    raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
                seat.kept[None] = self.openings.beside(place, theirs, seat.sockets(), self.inodes())
            ours = seat.kept[None]
            address, port = ours.getsockname()[:2]
            group = [each for each in system.listening((port,)) if each.address == address]
            system.lead_to(ours, len(group) - 1)  # the last one that has joined

    def waiting(self) -> int:
        """How many wait at sockets of ours."""
        return sum(system.waiting_in(seat.kept[None]) for seat in self.seats.values() if None in seat.kept)

    def let_in(self, who: object) -> None:
        """The process tree `who` goes on after all: it gets those who wait at sockets of ours.

        Where no queue can be moved, whoever waits already waits for the next process, which comes as soon as may be.
        """
        for seat in self.seats.values():
            ours = seat.kept.get(None)
            if ours is None or who not in seat.kept:
                continue
            hand_out_freely(ours)
            if system.moves_queues() or not system.waiting_in(ours):
                seat.release(None)
            else:
                system.lead_to(ours, 0)


def hand_out_freely(listening: socket.socket) -> None:
    """The kernel hands out connections in the group of `listening` as it likes, and moves its queues if it can."""
    system.lead_anywhere(listening)
    system.have_queue_moved(listening)
