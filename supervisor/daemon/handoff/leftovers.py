"""Closes the sockets of an earlier process that the present one does not ask for.

Not at once: a program that looks for a free port listens at other addresses first, and closes that again.  So what
counts is where it still listens after a while; until then it does not count as listening where an old one overlaps.
"""

import contextlib
import socket
from collections.abc import Callable, Collection

from supervisor import system
from supervisor.core.handoff import Give, Place
from supervisor.daemon.handoff.hearing import Hearing, Loop, Timer
from supervisor.daemon.handoff.looks import Aside, open_inodes, why_lost
from supervisor.ports.seat import is_listening
from supervisor.ports.service_sockets import ServiceSockets

OVERLAPPED_FOR = 0.2  # seconds from a listen until those are closed that are in its way
UNCLAIMED_FOR = 5.0  # the same for all others


class Leftovers:
    """What there is beside the sockets of process tree `who`."""

    def __init__(
        self, loop: Loop, sockets: ServiceSockets, who: object, hearing: Hearing, aside: Aside,
        on_room: Callable[[], None],
    ) -> None:  # fmt: skip
        self._loop = loop
        self._sockets = sockets
        self._who = who
        self._hearing = hearing
        self._aside = aside
        self._on_room = on_room
        self._timers: dict[float, Timer] = {}
        self._is_closed = False

    def look(self) -> bool:
        """It has begun to listen somewhere; no while it is not known whether that is for good, and somebody overlaps.

        Then `on_room` is called when there is room.
        """
        places = self._sockets.places(self._who)
        if self._is_closed or all(places.values()):
            return True
        for seconds in {OVERLAPPED_FOR, UNCLAIMED_FOR} - self._timers.keys():
            self._timers[seconds] = self._loop.call_later(seconds, lambda after=seconds: self._check(after))  # type: ignore[misc]
        return not any(self._overlapped_by(place) for place, _ in self._listening())

    def close(self) -> None:
        """It is over: what is left is for the next one."""
        self._is_closed = True
        for timer in self._timers.values():
            timer.cancel()

    def _listening(self) -> list[tuple[Place, int]]:
        """Where it has begun to listen, and the inode of each socket."""
        seats = self._sockets.seats().items()
        return [
            (place, each.inode)
            for place, seat in seats
            for each in seat.claims
            if each.listens and each.who == self._who
        ]

    def _overlapped_by(self, place: Place) -> list[Place]:
        seats = self._sockets.seats().items()
        return [other for other, seat in seats if not seat.trees() and other.overlaps(place)]

    def _check(self, after: float) -> None:
        del self._timers[after]
        mine = self._listening()

        def see() -> set[int]:
            inodes = {inode for _, inode in mine}
            with contextlib.suppress(OSError, RuntimeError):  # nobody can tell: as if it still had them
                return set(open_inodes(inodes, self._hearing.members()))
            return inodes

        def then(still_open: Collection[int]) -> None:
            if not self._is_closed:
                self._retire(after, {place for place, inode in mine if inode in still_open})

        self._aside(see, then)

    def _retire(self, after: float, listening: Collection[Place]) -> None:
        seats = self._sockets.seats()
        for place in listening:
            overlapped = self._overlapped_by(place)
            if lost := [each for each in overlapped if _has_queue(seats[each].sockets())]:
                self._hearing.on_dropped(why_lost(lost, place))
            self._sockets.retire(overlapped)
        if listening and after == UNCLAIMED_FOR:
            self._sockets.retire_unclaimed()
        if listening:
            self._on_room()


def make_room(
    sockets: ServiceSockets, theirs: socket.socket, who: object, decision: Give, hearing: Hearing
) -> None:  # fmt: skip
    """Close what is in the way of the socket of a process tree, once it is known that the tree has it no more.

    While that was found out, some of it may have been closed: all of it where the service was stopped.
    """
    retired = [place for place in decision.retired if place in sockets.places()]
    if decision.swaps or not _can_stay(sockets, retired, theirs, decision.place):
        if lost := sockets.kept().intersection(retired):
            hearing.on_dropped(why_lost(lost, decision.place))
        sockets.retire(retired)
    for place in [place for place in decision.doubtful if place in sockets.places()]:
        if place == decision.place or _is_left(sockets, place, theirs, who, decision):
            sockets.forget(place, who)
        else:
            sockets.retire((place,))


def _can_stay(sockets: ServiceSockets, places: Collection[Place], theirs: socket.socket, place: Place) -> bool:
    """Whether a program's socket can be bound to a place beside those left over at others, and nobody else gets in."""
    left = [(sock, other.address) for other in places for sock in sockets.seats()[other].sockets()]
    return not any(system.can_be_joined(*each) for each in ((theirs, place.address), *left))


def _is_left(sockets: ServiceSockets, place: Place, theirs: socket.socket, who: object, decision: Give) -> bool:
    """Whether what is at a place is left over still, and may stay: its process has closed there what it had bound."""
    kept = sockets.seats()[place].kept
    is_ours = len(kept) == 1 and kept.keys() <= {None, who}
    return is_ours and not decision.swaps and _can_stay(sockets, (place,), theirs, decision.place)


def _has_queue(sockets: Collection[socket.socket]) -> bool:
    return any(is_listening(sock) and system.waiting_in(sock) for sock in sockets)
