"""The sockets at which clients get to a process tree that is about to be asked to end, each of its workers' own, too.

As long as a descriptor of ours is open, nothing that the program closes takes a socket out of its group, whose places
a program of the kernel counts (`system.lead_to`), and nobody who waits there is refused.
"""

import contextlib
import socket
from collections.abc import Callable, Collection, Iterable, Iterator, Set

from supervisor import system
from supervisor.dataclass import dataclass, field
from supervisor.files.closing import close_shared
from supervisor.ports.handshakes import Handshakes
from supervisor.ports.seat import Claim, Seat, copy_of, inode_of, is_listening
from supervisor.ports.socket_options import is_shared, share, unshare

_handshakes = Handshakes()  # of the machine


@dataclass(slots=True, eq=False)
class Doors:
    """`held` are copies of the sockets by inode, which are open to clients, or `shut`.

    `are_all` tells that they are those of every process tree of the service, which end together.
    """

    held: dict[int, socket.socket] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    shut: dict[int, Callable[[socket.socket], None]] = field(default_factory=dict)  # what undoes it, by inode
    are_all: bool = False
    begun: set[int] | None = None  # handshakes that may end here: the ports of the clients
    looks: int | None = None  # at the table of connections, before the one that counts
    copied: dict[int, socket.socket] = field(default_factory=dict)  # of which sockets that are kept, by id
    port: int = 0  # theirs, once it was asked for
    going: list[Claim] = field(default_factory=list)  # the sockets of those that were asked to end before
    coming: int = 0  # of those who were last seen to wait, how many do not wait at what is held

    def hold_all(self, seats: Iterable[Seat], asked: Set[object] = frozenset()) -> None:
        """Those at some places of all process trees, also what has begun to listen since; raises OSError.

        Where queues move, not those of the trees that were `asked` to end before: who waits there gets to the others as
        soon as nobody has these open.
        """
        self.are_all, self.going, mine = True, [], set[int]()
        asked = asked if asked and system.moves_queues() else frozenset()
        for seat in seats:
            stay = seat.trees() - asked
            mine.update(*map(seat.inodes_of, stay))
            _hold(self, seat, stay, seat.inodes_of(None))
            self.going += [
                each for each in seat.claims if each.who in asked and each.listens and each.inode not in mine
            ]
        self.claims += [each for each in self.going if each not in self.claims]
        if (left := self.held.keys() - mine) and system.moves_queues():
            for inode in left:
                close_shared(self.held.pop(inode))

    def waiting(self) -> int:
        """How many wait in their queues, or had begun to connect when this was asked first, and are about to wait.

        As long as some are `going`, all whom no process has accepted.
        """
        self.coming = 0
        if not self.held:
            return 0
        if self.going:
            with contextlib.suppress(OSError):  # nobody can tell
                waiting = sum(not each.inode for each in system.connections_on(self._port()))
                self.coming = max(waiting - self._queued(), 0)
                return waiting
        if self.begun is None or (self.begun and not self._queued()):
            with contextlib.suppress(OSError):  # nobody can tell
                begun = _handshakes.on(self._port(), _handshakes.looks if self.looks is None else self.looks)
                self.begun = begun if self.begun is None else self.begun & begun
                self.looks = _handshakes.looks
        return len(self.begun or ()) + self._queued()  # last, as whoever was about to wait has got there meanwhile

    def _port(self) -> int:
        self.port = self.port or int(next(iter(self.held.values())).getsockname()[1])
        return self.port

    def _queued(self) -> int:
        return sum(system.waiting_in(sock) for sock in self.held.values() if is_listening(sock))

    def close(self) -> None:
        """Has nobody connect to them from now on; where they are all, whoever tries is refused."""
        opened = {inode: sock for inode, sock in self.held.items() if inode not in self.shut and is_listening(sock)}
        for inode, sock in opened.items():
            self.shut[inode] = self._shut(sock)
        if opened and (self.begun is None or self.are_all):  # also by one that has begun to listen since
            self.begun, self.looks = None, _handshakes.want(self._port())
        for claim in self.going:
            if claim.inode not in self.shut and (taken := claim.taken()) is not None:
                with _closing(taken):
                    self.shut[claim.inode] = self._shut(taken)

    def _shut(self, sock: socket.socket) -> Callable[[socket.socket], None]:
        with contextlib.suppress(OSError):
            if self.are_all:
                return system.hide(sock)
        return system.turn_away(sock, is_idle=self.begun is not None and not self.begun)

    def open(self) -> None:
        """Undoes `close`; also where the program alone has a socket by now."""
        for claim in self.claims:
            if claim.inode in self.shut and (sock := claim.taken()) is not None:
                with _closing(sock), contextlib.suppress(OSError):  # it listens no more
                    self.shut[claim.inode](sock)
        self.shut.clear()

    def are_open(self) -> bool:
        """Whether a process still has one of those that it has made, and it listens."""
        return any(claim.is_there() for claim in self.claims)

    def release(self) -> None:
        """Closes the copies: what the program closes is closed from now on."""
        if self.held:
            _handshakes.forget(self._port())
        for sock in self.held.values():
            close_shared(sock)
        self.held.clear()
        self.copied.clear()

    def release_past(self, seats: Collection[Seat], who: object) -> None:
        """The same when the process tree is gone, while clients get to the youngest of those who stay.

        Each that is closed changes the places of others in their group, where a client may then get to the next one.
        Not so on IPv6, where the youngest is the last in the list of the kernel, see `leading`.
        """
        stay = [(seat.others_of(who) or [sock for sock in (seat.kept.get(None),) if sock])[-1:] for seat in seats]
        first = [sock for each in stay for sock in each if sock.family == socket.AF_INET and is_shared(sock)]
        if len(self.held) < 2 or any(seat.held for seat in seats):  # where all are held, none is closed
            first = []
        for sock in first:
            unshare(sock)
        self.release()
        for sock in first:
            share(sock)


def doors_of(seats: Iterable[Seat], who: object) -> Doors:
    """Those at some places that a process tree has alone; raises OSError."""
    doors = Doors()
    try:
        for seat in seats:
            others = (seat.trees() | {None}) - {who}
            _hold(doors, seat, {who}, {inode for other in others for inode in seat.inodes_of(other)})
    except OSError:
        doors.release()
        raise
    return doors


@contextlib.contextmanager
def _closing(taken: socket.socket) -> Iterator[None]:
    try:
        yield
    finally:
        close_shared(taken)


def _hold(doors: Doors, seat: Seat, trees: Set[object], but: Set[int]) -> None:
    seen = doors.held.keys() | but
    known = {claim.inode for claim in doors.claims}
    for kept in [sock for who, sock in seat.kept.items() if who in trees and id(sock) not in doors.copied]:
        if is_listening(kept) and (inode := inode_of(kept)) not in seen:
            doors.held[inode] = copy_of(kept)
            doors.copied[id(kept)] = kept
            seen.add(inode)
    for claim in (each for each in seat.claims if each.who in trees and each.listens):
        if claim.inode not in known:
            doors.claims.append(claim)
        if claim.inode not in seen and (taken := claim.taken()) is not None:
            doors.held[claim.inode] = taken
            seen.add(claim.inode)
