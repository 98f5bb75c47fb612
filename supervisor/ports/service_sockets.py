"""The sockets that a service listens on, of which we hold a descriptor each, so that they outlive its process.

A program binds a socket of its own beneath the covers, daemon/handoff/calls.py.  Once it listens, it does so for good:
who connects while no process accepts waits in the queue.  The next process has a socket of its own again.  When that
listens, the old one is closed, and all that waits there moves to the new one (`moves_queues`).  Where the system cannot
do that, the next process gets the old socket in the place of its own.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Collection, Mapping
from functools import partial

from supervisor import system
from supervisor.core.handoff import Part, Place
from supervisor.dataclass import replace
from supervisor.ports.adrift import pass_by
from supervisor.ports.leading import lead_freely
from supervisor.ports.neighbours import left_in_the_way, others_than
from supervisor.ports.newcomers import (
    Newcomers,
    joins,
    leave_to_next,
    leave_to_others,
    listen_again,
    strands,
    take_over,
)
from supervisor.ports.openings import Openings
from supervisor.ports.place import place_of, place_of_socket
from supervisor.ports.reservation import Reservation
from supervisor.ports.seat import Claim, Seat, copy_of, inode_of, is_listening
from supervisor.ports.socket_options import copy_options, share
from supervisor.ports.stand_ins import for_worker, note_listen


class ServiceSockets:
    """The sockets on one port; `port` stays reserved by its owner."""

    def __init__(self, reservation: Reservation) -> None:
        self.port = reservation.port
        self._reservation = reservation
        self._seats: dict[Place, Seat] = {}
        self._sockets = Openings(reservation, partial(others_than, self._seats))
        self.on_adrift: Callable[[], None] | None = None  # there are clients where no process is, which we can accept
        self._is_closed = False
        self._spreads = False
        self._may_hold = True

    def spread(self) -> None:
        """Have the kernel spread clients over the sockets of several process trees; else the youngest gets them all."""
        self._spreads = True
        for sock in (sock for seat in self._seats.values() for sock in seat.sockets()):
            if is_listening(sock):
                share(sock)

    def places(self, who: object = None) -> Mapping[Place, bool]:
        """Those that are taken, and whether the process tree `who` has asked for them."""
        return {place: who is not None and who in seat.trees() for place, seat in self._seats.items()}

    def held(self, who: object = None) -> frozenset[Place]:
        """The places that another process tree than `who` has asked for."""
        return frozenset(place for place, seat in self._seats.items() if seat.trees() - {who})

    def kept(self) -> frozenset[Place]:
        """The places where one of ours listens."""
        return frozenset(place for place, seat in self._seats.items() if seat.listens())

    def shared(self) -> frozenset[Place]:
        """The places where every socket has SO_REUSEPORT on."""
        return frozenset(place for place, seat in self._seats.items() if seat.is_shared())

    def inodes(self) -> frozenset[int]:
        """All that are known, as the kernel's tables name them."""
        return frozenset(inode for seat in self._seats.values() for inode in seat.inodes())

    def seats(self) -> Mapping[Place, Seat]:
        """What there is at each place; only to look at."""
        return self._seats

    def inodes_of(self, places: Collection[Place], who: object) -> set[int]:
        """Those that a process tree has asked for at some places."""
        return {inode for place in places for inode in self._seats[place].inodes_of(who)}

    def bind(self, place: Place, theirs: socket.socket, claim: Claim) -> None:
        """Bind a program's own socket; raises OSError where that cannot be.

        Also for a process that binds only while it is ended, when these are closed.
        """
        self._insist_on_being_open()
        seat = self._seats.get(place) or Seat()
        self._sockets.bind(theirs, place, [*seat.sockets(), *left_in_the_way(self._seats, place)])
        if not claim.is_shared:  # those are counted when they listen: some only dial from the port
            seat.add(claim)
            self._seats[place] = seat

    def lend(self, place: Place, like: socket.socket, claim: Claim) -> socket.socket:
        """Our own socket at a place, for a program that gets it instead of `like`, with the options of that.

        Raises OSError.
        """
        self._insist_on_being_open()
        seat = self._seats.get(place) or Seat()
        who = claim.who
        worker = None if claim.part is Part.BOUND else for_worker(seat, who)
        found = worker or seat.due_to(who)
        if found is not None and not is_listening(found) and not seat.others_of(who):
            seat.close()  # a process has shut it down
            found = None
        if found is None:
            found = self._sockets.bound(place, like)
        else:
            copy_options(like, found)
        # Not before it is bound, or else others of our user could join.
        shared = like.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
        if not seat.trees() - {who}:  # whoever has it too may be about to accept, and counts on not being blocked
            os.set_blocking(found.fileno(), os.get_blocking(like.fileno()))
        if worker is None:
            seat.give(who, found)
        seat.forget(who, {claim.inode})
        part = claim.part if worker is None else Part.STANDS_IN
        seat.add(replace(claim, inode=inode_of(found), listens=is_listening(found), part=part))
        self._seats[place] = seat
        return found

    def offer(self, host: str, who: object = None) -> socket.socket:
        """The socket of `host` for a process that gets it from the start: it listens, and blocks as a new one does.

        `host` is an address or a name of this machine; "::" serves both families.  Raises OSError.
        """
        place = place_of(host)
        seat = self._seats.get(place)
        own = [] if seat is None else [sock for sock in (seat.due_to(who), *seat.sockets()) if sock is not None]
        found = next(filter(is_listening, own), None)
        if seat is None or found is None:  # or a process has shut it down
            held = self.held(who)
            self.retire([other for other in self._seats if other.overlaps(place) and other not in held])
            seat = self._seats[place] = Seat()
            found = self._sockets.listening(place)
        if not seat.trees() - {who}:
            os.set_blocking(found.fileno(), True)
        seat.give(who, found)
        seat.add(Claim(who, inode_of(found), listens=True))
        return found

    def await_clients(self, host: str) -> list[socket.socket]:
        """The listening sockets that are left over for the next process; one at `host` if there is none.

        Raises OSError.
        """
        self._insist_on_being_open()
        left = [sock for seat in self._seats.values() if (sock := seat.kept.get(None)) is not None]
        if found := [sock for sock in left if is_listening(sock)]:
            return found
        place = place_of(host)
        self.retire([other for other in self._seats if other.overlaps(place)])
        made = self._sockets.listening(place)
        self._seats[place] = Seat(kept={None: made})
        return [made]

    def joins(self, theirs: socket.socket, address: str) -> bool:
        """Whether a socket at an address can listen beside the one that is left there, and take over from it."""
        return joins(theirs, address, is_replica=self._spreads)

    def strands(self, place: Place, who: object) -> bool:
        """Whether clients wait at a place for process tree `who`, and cannot move; for replicas, whether they may."""
        seat = self._seats.get(place, Seat())
        return strands(seat.left_to(who), self.port, seat.others_of(who) if self._spreads else ())

    def is_due(self, place: Place, who: object) -> bool:
        """Whether a process of tree `who` that begins to listen at a place gets one of ours there."""
        seat = self._seats.get(place)
        return self.strands(place, who) or (seat is not None and for_worker(seat, who) is not None)

    def listen(self, theirs: socket.socket, claim: Claim, backlog: int, *, may_lose: bool = False) -> bool:
        """Have a socket that is bound to our port listen, and take over what waits at its place; raises OSError.

        False if somebody waits who cannot move; with `may_lose` that one is refused.
        """
        self._insist_on_being_open()
        place = place_of_socket(theirs)
        seat = self._seats.get(place) or Seat()
        lent = seat.find(claim.inode)
        beside = [*(sock for sock in seat.sockets() if sock is not lent), *left_in_the_way(self._seats, place)]
        if None in seat.kept and is_listening(seat.kept[None]):
            # Where the queue is full, a client with a SYN cookie is dropped unheard, and may wait for ever: tcp(7).
            backlog = max(backlog, socket.SOMAXCONN)
        with contextlib.ExitStack() as undo:  # what cannot be kept does not begin to listen
            copy = undo.enter_context(copy_of(theirs)) if lent is None else None
            if self._spreads:
                share(theirs)
            self._sockets.begin(theirs, backlog, beside, self.inodes())
            undo.pop_all()
        if not seat.listens_for(claim.who):
            system.have_queue_moved(theirs)
        self._seats[place] = seat
        left = seat.left_to(claim.who) if copy is not None else []
        if copy is not None and not may_lose and not take_over(theirs, left, self.port):
            copy.close()
            return False
        seat.add(replace(claim, listens=True))
        if copy is not None:
            seat.hold(claim.who, is_all=self._holds())
            if self._holds():
                seat.cast_off_kept(None)
            seat.keep(claim.who, copy)
            seat.release(None)
            pass_by(seat)
        if left:
            lead_freely(theirs)
        self._rescue()
        return True

    def note_listen(self, claim: Claim) -> None:
        """A process has called `listen` with a socket that listened already."""
        for seat in self._seats.values():
            note_listen(seat, claim)

    def newcomers(self) -> Newcomers:
        """Who connects from now on, and is to wait for the next process.

        What was shut down a moment ago is seen to first: the loop may be told of it later.
        """
        for who in {who for seat in self._seats.values() for who in seat.kept if who is not None}:
            self.shut_down(who)
        return Newcomers(self._seats, self._sockets, self.inodes)

    def worker_ended(self, who: object, process: int, is_open: Callable[[int], bool]) -> None:
        """One of the processes of a tree is gone: where the socket that is kept was its own, another's is kept instead.

        `is_open` tells of an inode whether a process of the tree still has it.
        """
        for seat in self._seats.values():
            mine = {each.inode for each in seat.claims if each.who == who and each.process == process}
            leave_to_others(seat, who, {inode for inode in mine if not is_open(inode)}, holds=self._holds())
        self._rescue()

    def kept_of(self, who: object) -> list[socket.socket]:
        """What we have of the sockets of a process tree."""
        return [sock for seat in self._seats.values() for sock in seat.ours_of(who)]

    def shut_down(self, who: object) -> None:
        """A process tree may have shut down what is kept for it: somebody listens then, see `listen_again`.

        Who waited there is gone, unless a queue moves and somebody else listens.
        """
        for place, seat in self._seats.items():
            kept = seat.kept.get(who)
            if kept is not None and not is_listening(kept) and seat.listens_for(who):
                listen_again(seat, place, who, self._sockets, self.inodes)

    def process_ended(self, who: object = None) -> None:
        """The process tree `who` is gone: its sockets are left over for the next one, with all the queue there is."""
        for place, seat in tuple(self._seats.items()):
            leave_to_next(seat, place, who, self._sockets, self.inodes, holds=self._holds())
            if not seat.kept and not seat.claims:
                self.retire((place,))
        self._rescue()

    def hold_no_more(self) -> None:
        """From now on a worker's queue ends with it, but for that of the youngest."""
        self._may_hold = False
        for seat in self._seats.values():
            seat.hold_no_more()

    def _holds(self) -> bool:
        return self._may_hold and self.on_adrift is not None and not system.moves_queues()

    def _rescue(self) -> None:
        if self.on_adrift is not None and any(seat.adrift for seat in self._seats.values()):
            self.on_adrift()

    def retire(self, places: Collection[Place]) -> None:
        """Close the sockets of some places; who waits there is refused."""
        for place in places:
            self._seats.pop(place).close()

    def forget(self, place: Place, who: object) -> None:
        """A process tree has closed what it had at a place; what waits there goes on waiting."""
        seat = self._seats[place]
        seat.forget(who)
        if who in seat.kept and None not in seat.kept:
            seat.leave(who)

    def retire_unclaimed(self) -> None:
        """Close those that no process has asked for."""
        self.retire([place for place, seat in self._seats.items() if not seat.trees()])

    def close(self) -> None:
        """Close all of ours, for good; a process that has one keeps it."""
        self._is_closed = True
        self.retire(tuple(self._seats))
        self._reservation.cover_again()

    def _insist_on_being_open(self) -> None:
        if self._is_closed:
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
