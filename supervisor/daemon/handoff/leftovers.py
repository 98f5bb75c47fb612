"""Closes the sockets of an earlier process that the present one does not ask for.

Not at once: a program that looks for a free port listens at other addresses first, and closes that again.  So what
counts is where it still listens after a while; until then it does not count as listening where an old one overlaps.
Where none does, it counts as soon as it has gone on and listens still: a look is over at once.
"""

import contextlib
import socket
from collections.abc import Callable, Collection
from functools import partial

from supervisor import system
from supervisor.core.handoff import Give, Place
from supervisor.daemon.handoff.hearing import Hearing, Loop, Timer
from supervisor.daemon.handoff.looks import Aside, open_inodes, why_lost
from supervisor.ports.seat import Claim, is_listening
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.system.held_calls import is_at_work

OVERLAPPED_FOR = 0.2  # seconds from a listen until those are closed that are in its way
UNCLAIMED_FOR = 5.0  # the same for all others
LOOKS_FOR = 0.002  # seconds from a listen until a socket is closed again that was only to look whether the port is free
STARTS_FOR = 0.1  # seconds for which one that works without a pause may have had no time yet to close it
ENDS_WITHIN = 0.1  # seconds after which one that has closed all goes on without; what ends closes all a moment before


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
        self._look_timer: Timer | None = None
        self.has_begun = False  # it listens, or did so until it ended, as far as is known by now
        self._is_for_good = False
        self._is_closed = False

    def look(self) -> bool:
        """It has begun to listen somewhere; no while it is not known whether that is for good.

        Then `on_room` is called once it is, and nobody overlaps.
        """
        if self._is_closed:
            return True
        if not all(self._sockets.places(self._who).values()):
            for seconds in {OVERLAPPED_FOR, UNCLAIMED_FOR} - self._timers.keys():
                self._timers[seconds] = self._loop.call_later(seconds, lambda after=seconds: self._check(after))  # type: ignore[misc]
        mine = self._listening()
        self.has_begun = bool(mine)
        if any(self._overlapped_by(place) for place, _ in mine):
            return False
        if any(not each.process for _, each in self._claims()):  # given from the start: no program can look with that
            self._is_for_good = True
        if mine and not self._is_for_good and self._look_timer is None:
            self._look_after(LOOKS_FOR)
        return self._is_for_good or not mine

    def close(self) -> None:
        """It is over: what is left is for the next one."""
        self._is_closed = True
        for timer in (*self._timers.values(), *filter(None, (self._look_timer,))):
            timer.cancel()

    def _look_after(self, seconds: float, passed: float = 0.0) -> None:
        self._look_timer = self._loop.call_later(seconds, lambda: self._see_whether_for_good(passed + seconds))

    def _see_whether_for_good(self, passed: float) -> None:
        claims = [each for _, each in self._claims()]
        if passed < STARTS_FOR and any(is_at_work(each.process) for each in claims):
            self._look_after(LOOKS_FOR, passed)
        elif any(each.is_there() for each in claims):
            self._is_for_good = True
            self._on_room()
        else:
            mine = self._listening()
            self._aside(partial(self._still_open, mine), partial(self._found_open, mine))

    def _found_open(self, mine: list[tuple[Place, int]], still_open: Collection[int]) -> None:
        self._look_timer = None
        if self._is_closed:
            return
        if still_open:
            self._is_for_good = True
            self._on_room()
        elif self._listening() != mine:  # it has begun to listen with another one meanwhile
            self._look_after(LOOKS_FOR)
        else:
            if before := self._timers.get(ENDS_WITHIN):
                before.cancel()
            self._timers[ENDS_WITHIN] = self._loop.call_later(ENDS_WITHIN, self._goes_on)

    def _goes_on(self) -> None:
        del self._timers[ENDS_WITHIN]
        self.has_begun = self._look_timer is not None or self._is_for_good

    def _claims(self) -> list[tuple[Place, Claim]]:
        """Where it has begun to listen, and with what."""
        seats = self._sockets.seats().items()
        every = ((place, each) for place, seat in seats for each in seat.claims)
        return [(place, each) for place, each in every if each.listens and each.who == self._who]

    def _listening(self) -> list[tuple[Place, int]]:
        """The same, with the inode of each socket."""
        return [(place, each.inode) for place, each in self._claims()]

    def _still_open(self, mine: list[tuple[Place, int]]) -> set[int]:
        inodes = {inode for _, inode in mine}
        with contextlib.suppress(OSError, RuntimeError):  # nobody can tell: as if it still had them
            return set(open_inodes(inodes, self._hearing.members()))
        return inodes

    def _overlapped_by(self, place: Place) -> list[Place]:
        seats = self._sockets.seats().items()
        return [other for other, seat in seats if not seat.trees() and other.overlaps(place)]

    def _check(self, after: float) -> None:
        del self._timers[after]
        mine = self._listening()

        def then(still_open: Collection[int]) -> None:
            if not self._is_closed:
                self._retire(after, {place for place, inode in mine if inode in still_open})

        self._aside(partial(self._still_open, mine), then)

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
