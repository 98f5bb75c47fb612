"""Clients that connect while a process is about to be stopped: they wait for the next process.

Nothing that the program can see is changed before it is certain that nobody uses it: sockets of ours join the group of
its own (SO_REUSEPORT), and a program of the kernel leads everybody there who connects.  So there is no moment at which
a client can be accepted by a process that is asked to end.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Collection, Mapping, Sequence

from supervisor import system
from supervisor.core.handoff import Part, Place
from supervisor.dataclass import dataclass
from supervisor.ports.adrift import finish, pass_by
from supervisor.ports.leading import hand_out_freely, lead_past, lead_past_first, lead_past_last, lead_to, lead_to_last
from supervisor.ports.openings import Openings
from supervisor.ports.seat import Seat, copy_of, inode_of, is_listening
from supervisor.ports.socket_options import is_shared, share, unshare

_TCP_DEFER_ACCEPT = 9  # linux/tcp.h


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
                seat.opened += lead_to(seat.kept[None], seat.sockets())

    def stand_by(self, who: object, *, is_last: bool = False) -> bool:
        """Have clients wait elsewhere, if they can, while a process tree ends that another one will follow.

        It may close or shut down its sockets long before it is gone: what waits then moves to one of ours.  Where no
        queue moves, all who connect go elsewhere from now on; False as long as somebody waits for the tree, which it
        has to accept before it is asked to end.  `is_last` tells that the others have begun to listen before it.
        """
        moves, new = bool(system.moves_queues()), []
        for place, seat in self.seats.items():
            with contextlib.suppress(OSError):  # then they wait where they are
                before, others = seat.kept.get(who), seat.others_of(who)
                if before is None or not is_listening(before) or (moves and None in seat.kept):
                    continue
                if any(sock is before for sock in others) or (others and moves):
                    if moves:
                        lead_past(seat.all_of_others(who))
                    seat.release(who)
                    continue
                if not others and None not in seat.kept:
                    if system.can_be_joined(before, place.address) or not (moves or _counts(before)):
                        continue
                    seat.kept[None] = self.openings.beside(place, before, seat.sockets(), self.inodes())
                    if moves:
                        lead_past([copy_of(seat.kept[None])])
                if others and is_last:
                    seat.opened += lead_past_last(seat.sockets())
                elif not moves:
                    new.append(others[-1] if others else seat.kept[None])
                    seat.opened += lead_to_last(new[-1], seat.sockets())
        with contextlib.suppress(OSError):  # nobody can tell
            port = self.openings.port
            return not new or not _are_elsewhere(port, new, but=system.handshakes_on((port,)).get(port, ()))
        return True

    def get_past(self, who: object, inodes: Collection[int]) -> None:
        """Those who connect get to none of the sockets of a process tree until `get_anywhere`.

        `inodes` are those that listened before the others did.  Not so on IPv6 while they get to one of ours.
        """
        for seat in self.seats.values():
            ours, others = seat.kept.get(None), seat.others_of(who)
            with contextlib.suppress(OSError):  # then they may
                if others:
                    lead_past_first(others[-1], inodes)
                elif ours is not None and ours.family == socket.AF_INET and is_shared(ours):
                    unshare(ours)
                    seat.alone.append(ours)

    def get_anywhere(self, who: object) -> None:
        """Undoes that."""
        for seat in self.seats.values():
            if others := seat.others_of(who):
                hand_out_freely(others[-1])
            if not seat.adrift:
                finish(seat)

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
            seat.shut()
            seat.drop_spent()
            if system.moves_queues() or not system.waiting_in(ours):
                seat.release(None)
            else:
                share(ours)
                system.lead_to(ours, 0)


def leave_to_others(seat: Seat, who: object, gone: set[int], *, holds: bool) -> None:
    """A worker of a process tree has these sockets no more: where one of them is kept, another worker's is instead.

    What was kept or held of them is adrift then if it `holds` who waits there.
    """
    kept = seat.kept.get(who)
    if kept is not None and inode_of(kept) in gone:
        if (heir := seat.heir(who, gone)) is None:  # it was the last one
            gone.discard(inode_of(kept))
        else:
            is_bound = any(each.inode == inode_of(kept) and each.part is Part.STANDS_IN for each in seat.claims)
            seat.keep(who, heir, casts_off=holds or is_bound)
    seat.cast_off(who, gone)
    (pass_by if holds else finish)(seat)
    seat.forget(who, gone)


def leave_to_next(
    seat: Seat, place: Place, who: object, openings: Openings, inodes: Callable[[], Collection[int]], *, holds: bool
) -> None:  # fmt: skip
    """A process tree has ended: what was kept for it is there for the next one, unless others listen.

    What nobody needs is adrift then if it `holds` who waits there.  Raises OSError.
    """
    kept = seat.kept.get(who)
    listened = seat.listens_for(who)
    is_lent = any(kept is sock for other, sock in seat.kept.items() if other != who)
    others = seat.others_of(who)
    seat.cast_off(who)
    if holds and not is_lent and (others or None in seat.kept):
        seat.cast_off_kept(who)
    (pass_by if holds else finish)(seat)
    seat.forget(who)
    if kept is None:
        pass
    elif others:
        end_beside(seat, who, others[-1])
    elif is_lent:
        seat.release(who)
        if listened and not is_listening(kept):  # it was shut down by the one, and is needed still
            openings.begin(kept, socket.SOMAXCONN, (), inodes())
    elif None in seat.kept:
        end_as_last(seat, who)
    elif is_listening(kept):
        kept.listen(socket.SOMAXCONN)  # in place of what the process had said
        seat.leave(who)
    else:
        with contextlib.suppress(OSError):
            if listened:  # it was shut down
                seat.kept[None] = openings.beside(place, kept, seat.sockets(), inodes())
        seat.release(who)


def listen_again(
    seat: Seat, place: Place, who: object, openings: Openings, inodes: Callable[[], Collection[int]]
) -> None:  # fmt: skip
    """A process tree has shut down what is kept for it: another worker's is kept then, or one of ours listens.

    What other trees have as well listens again itself: they accept from it.
    """
    kept = seat.kept[who]
    others = [sock for sock in seat.sockets() if sock is not kept]
    is_lent = any(kept is sock for other, sock in seat.kept.items() if other != who)
    with contextlib.suppress(OSError):  # then clients are refused until the next process
        if is_lent:
            openings.begin(kept, socket.SOMAXCONN, others, inodes())
            return
        seat.forget(who, {inode_of(kept)})
        if heir := seat.heir(who, ()):
            seat.keep(who, heir)
        elif not seat.listens():
            seat.kept[None] = openings.beside(place, kept, seat.sockets(), inodes())


def end_beside(seat: Seat, who: object, other: socket.socket) -> None:
    """A process tree has ended while another one has its own socket at the place."""
    if None in seat.kept and system.moves_queues():  # the others end, too
        seat.spend(who)
    else:
        seat.release(who)
        seat.shut()
        hand_out_freely(other)


def end_as_last(seat: Seat, who: object) -> None:
    """The last process tree at a place has ended, and a socket of ours is there for the next one."""
    if system.moves_queues():  # first, so that whoever came to those that are closed moves
        hand_out_freely(seat.kept[None])
    seat.drop_spent()
    seat.release(who)
    seat.shut()
    hand_out_freely(seat.kept[None])


def joins(theirs: socket.socket, address: str, *, is_replica: bool) -> bool:
    """Whether a socket can be bound beside one that listens at an address, and get its clients once it listens, too.

    Where no queue moves, replicas have one socket, because any of them may end at any time.
    """
    is_safe = bool(system.moves_queues()) or (_counts(theirs) and not is_replica)
    return is_safe and not system.can_be_joined(theirs, address)


def _counts(listening: socket.socket) -> bool:
    """Whether it can be told soon who has connected: not where the kernel waits for data first, TCP_DEFER_ACCEPT."""
    return not listening.getsockopt(socket.IPPROTO_TCP, _TCP_DEFER_ACCEPT)


def strands(left: Collection[socket.socket], port: int, of_replicas: Collection[socket.socket] = ()) -> bool:
    """Whether somebody waits at sockets that are `left` on a port, or is about to, and cannot move to another one.

    At those `of_replicas` somebody may at any time.  Raises OSError.
    """
    return bool(left or of_replicas) and not system.moves_queues() and (bool(of_replicas) or _are_elsewhere(port, ()))


def take_over(listening: socket.socket, left: Sequence[socket.socket], port: int) -> bool:
    """Have all who connect get to the socket that has begun to listen last, in place of those that are `left`.

    False if somebody came to these before who cannot move; then it does not listen any more.
    """
    if not left or system.moves_queues():
        return True
    with contextlib.suppress(OSError):  # then nobody can tell
        lead_to_last(listening, left)
        if _are_elsewhere(port, (listening,)):
            listening.shutdown(socket.SHUT_RD)
            return False
    return True


def _are_elsewhere(port: int, here: Collection[socket.socket], but: Collection[int] = ()) -> bool:
    """Whether some clients of a port wait at other sockets than these, or their handshake is under way.

    Those with the ports `but` are not asked for.
    """
    coming = [each for each in system.connections_on(port) if not each.inode and each.peer_port not in but]
    return len(coming) > sum(map(system.waiting_in, here))
