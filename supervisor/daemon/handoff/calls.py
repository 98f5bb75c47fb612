"""Answers the bind and listen calls of one process tree: its sockets are bound beneath the covers, and outlive it.

What takes long is done by `Aside`, off the loop; the calls that come meanwhile wait.
"""

import errno
import socket
from collections.abc import Callable, Collection
from functools import partial

from supervisor import system
from supervisor.core.handoff import Bind, BindMode, Give, LetThrough, Part, Place, Refuse, decide
from supervisor.daemon.handoff.elsewhere import Elsewhere, look_later
from supervisor.daemon.handoff.hangups import HangUps
from supervisor.daemon.handoff.hearing import Hearing, Loop, Timers
from supervisor.daemon.handoff.leftovers import Leftovers, make_room
from supervisor.daemon.handoff.listening_workers import ListeningWorkers
from supervisor.daemon.handoff.looks import Aside, Seen, asked_address, at_once, claim_of, look
from supervisor.dataclass import dataclass, field, replace
from supervisor.ports.place import place_of_socket
from supervisor.ports.seat import copy_of, inode_of, is_listening
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.ports.stand_ins import for_worker
from supervisor.system.held_calls import Asked, HeldCalls, NoSocket, is_tcp_of_ours
from supervisor.system.registrations import Uses, put_in_place

AT_ONCE = 64  # calls answered in one turn of the loop
# Seconds from the bind of a socket that listens already until it counts as the program's: haproxy need not call listen.
LISTENS_AFTER = 0.1
ROOM_AFTER = 0.1  # seconds until the loop is asked again to watch the calls


@dataclass(slots=True)
class Handoff:
    """One process tree under a filter; `sockets` are those of its port, None for a job without ports."""

    loop: Loop
    calls: HeldCalls
    sockets: ServiceSockets | None
    mode: BindMode
    hearing: Hearing
    offered: Place | None = None  # where it has had a socket from the start, which listens
    who: object = None  # whose claims on the sockets those of this tree are
    aside: Aside = at_once
    hang_ups: HangUps | None = None  # where none are, nothing is kept for a next process
    may_go_on: Callable[[], bool] = lambda: True
    has_listened: bool = False
    _is_looking: bool = False  # the next call waits
    _unheard: set[int] = field(default_factory=set)  # sockets whose bind was done, but nobody heard the answer
    _not_given: set[int] = field(default_factory=set)  # those that could not have the port, or were replaced
    workers: ListeningWorkers | None = None  # those that are looked after
    elsewhere: Elsewhere | None = None  # once it has listened on another port before its own
    leftovers: Leftovers | None = None  # once it has listened on its own
    _moved: int = 0
    _has_bound: bool = False
    _told: set[int] = field(default_factory=set)
    _timers: Timers = field(default_factory=Timers)

    def begin(self) -> None:
        """Answers from now on; raises OSError where the loop cannot watch the calls."""
        self.loop.add_reader(self.calls.fileno(), self._on_readable)
        if self.offered is not None:
            self._listens()

    def close(self) -> None:
        """Answers no more; what waits fails."""
        self._timers.cancel()
        for watch in (self.workers, self.elsewhere, self.leftovers):
            if watch is not None:
                watch.close()
        if self.calls.fileno() >= 0:
            self.loop.remove_reader(self.calls.fileno())
            self.calls.close()

    def is_over(self) -> bool:
        """Whether every process of the tree is gone."""
        return self.calls.is_over()

    def expect(
        self, on_listening: Callable[[], None], on_elsewhere: Callable[[Collection[int]], None] | None = None
    ) -> None:
        """Calls one of these when the service listens on its port, or has listened on others only for a while."""
        self.hearing.on_listening, self.hearing.on_elsewhere = on_listening, on_elsewhere
        if self.has_listened:
            on_listening()

    def _on_readable(self) -> None:
        for number in range(AT_ONCE):
            if not self.may_go_on() and number:  # the rest waits for the next turn
                return
            if (asked := self.calls.receive()) is None:
                break
            self._hear(asked)
            if self.calls.fileno() < 0 or self._is_looking:  # what was told led to the end of this
                return
        if self.calls.is_over():
            self.close()
            self.hearing.on_end()

    def _hear(self, asked: Asked) -> None:
        answered = False
        try:
            if asked.is_filter:
                self.hearing.on_filter()
            elif self.sockets is not None:
                with self.calls.socket_of(asked) as theirs:
                    if is_tcp_of_ours(theirs) and self.calls.is_valid(asked):
                        answer = self._bind if asked.is_bind else self._listen
                        answered = answer(asked, theirs, self.sockets)
        except OSError as error:
            if not isinstance(error, NoSocket) and self.calls.is_valid(asked):  # nobody may look into that program
                self.hearing.on_unseen(error.strerror or str(error))
        finally:
            if not answered:
                self.calls.let_through(asked)

    def _bind(self, asked: Asked, theirs: socket.socket, sockets: ServiceSockets) -> bool:
        """Whether the call is answered, or will be."""
        if theirs.getsockname()[1]:  # a second bind: the kernel says EINVAL, unless the first one was not heard
            return inode_of(theirs) in self._unheard and self._succeed(asked, theirs)
        found = asked_address(asked, theirs.family)
        if found is None or not self.calls.is_valid(asked):
            return False
        address, port, scope = found
        is_shared = bool(theirs.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))
        place = place_of_socket(theirs, address, scope)
        joins = sockets.joins(theirs, address) and not sockets.strands(place, self.who)
        is_worker = is_shared and (seat := sockets.seats().get(place)) is not None and seat.is_shared_by(self.who)
        bind = Bind(place, port, is_shared, is_worker, system.keeps_own(theirs), joins)
        decision = decide(
            bind, sockets.port, self.mode, sockets.places(self.who), self._moved, has_bound=self._has_bound,
            held=sockets.held(self.who), kept=sockets.kept(), shared=sockets.shared(), offered=self.offered,
        )  # fmt: skip
        match decision:
            case LetThrough(elsewhere):
                if elsewhere and elsewhere not in self._told:
                    self._told.add(elsewhere)
                    self.hearing.on_other_port(elsewhere)
                return False
            case Refuse(number):
                self._refuse(asked, theirs, number)
                if port not in self._told:
                    self._told.add(port)
                    self.hearing.on_refused(port)
            case Give():
                self._look_and_give(asked, theirs, sockets, decision)
        return True

    def _look_and_give(self, asked: Asked, theirs: socket.socket, sockets: ServiceSockets, decision: Give) -> None:
        give = partial(self._give, asked, sockets, decision)
        if decision.doubtful or decision.swaps:
            inodes = sockets.inodes_of(decision.doubtful, self.who)
            self._look(asked, theirs, give, inodes, swaps=decision.swaps)
        else:
            give(theirs, Seen())

    def _look(
        self, asked: Asked, theirs: socket.socket, act: Callable[[socket.socket, Seen], object],
        inodes: Collection[int] = (), *, swaps: bool,
    ) -> None:  # fmt: skip
        copy = copy_of(theirs)
        self._is_looking = True
        self.loop.remove_reader(self.calls.fileno())

        def then(seen: Seen) -> None:
            self._is_looking = False
            with self.calls.letting_go(copy):
                if self.calls.fileno() >= 0 and self.calls.is_valid(asked):
                    act(copy, seen)
            self._go_on()

        self.aside(lambda: look(asked.thread, copy, inodes, self.hearing.members, swaps=swaps), then)

    def _go_on(self) -> None:
        if self.calls.fileno() < 0:
            return
        try:
            self.loop.add_reader(self.calls.fileno(), self._on_readable)
        except OSError:  # no memory, or too many watches (epoll_ctl(2)): the calls wait until there is room
            self._timers.set(self.loop, ROOM_AFTER, self._go_on)

    def _give(self, asked: Asked, sockets: ServiceSockets, decision: Give, theirs: socket.socket, seen: Seen) -> None:
        try:
            seen.insist()
            make_room(sockets, theirs, self.who, decision, self.hearing)
            lent = self._place(asked, theirs, sockets, decision, seen)
        except OSError as error:
            self._refuse(asked, theirs, error.errno or errno.EIO)
            return
        self._succeed(asked, theirs)
        if lent is not None and is_listening(lent) and not self.has_listened:
            self._timers.set(self.loop, LISTENS_AFTER, self._listens)
        if not decision.moved_from:
            self._has_bound = True
        elif not self._moved:
            self._moved = decision.moved_from
            self.hearing.on_moved(decision.moved_from)

    def _place(
        self, asked: Asked, theirs: socket.socket, sockets: ServiceSockets, decision: Give, seen: Seen
    ) -> socket.socket | None:
        """Bind the socket of a call; ours, where that has taken its place."""
        claim, uses = replace(claim_of(self.who, asked, theirs), part=Part.BOUND), seen.uses
        if uses is None or (uses.obstacle and decision.place != self.offered and system.keeps_own(theirs)):
            if uses is not None and not sockets.joins(theirs, decision.place.address):  # else it may, when it listens
                self.hearing.on_dropped(uses.obstacle)
            sockets.bind(decision.place, theirs, claim)
            return None
        return self._swap(asked, uses, theirs, sockets.lend(decision.place, theirs, claim))

    def _swap(self, asked: Asked, uses: Uses, theirs: socket.socket, ours: socket.socket) -> socket.socket:
        put_in_place(self.calls, asked, uses, theirs, ours)
        self._not_given.add(inode_of(theirs))  # another process may have it still
        return ours

    def _succeed(self, asked: Asked, theirs: socket.socket) -> bool:
        (self._unheard.discard if self.calls.succeed(asked) else self._unheard.add)(inode_of(theirs))
        return True

    def _refuse(self, asked: Asked, theirs: socket.socket, number: int) -> None:
        self._not_given.add(inode_of(theirs))
        self.calls.fail(asked, number)

    def _listen(self, asked: Asked, theirs: socket.socket, sockets: ServiceSockets) -> bool:
        port = theirs.getsockname()[1]
        if not port:
            return self._listen_unbound(asked, theirs)
        if port != sockets.port:
            self._listens_elsewhere(port)
            return False
        if not is_listening(theirs) and sockets.is_due(place_of_socket(theirs), self.who):
            self._look(asked, theirs, partial(self._begin, asked, sockets), swaps=True)
        else:
            self._begin(asked, sockets, theirs, Seen())
        return True

    def _begin(self, asked: Asked, sockets: ServiceSockets, theirs: socket.socket, seen: Seen) -> None:
        """Have it listen, with the socket of an earlier process where clients wait that cannot move to its own."""
        try:
            seen.insist()
            claim, uses = claim_of(self.who, asked, theirs), seen.uses
            if uses is not None and not uses.obstacle:
                theirs = self._swap(asked, uses, theirs, sockets.lend(place_of_socket(theirs), theirs, claim))
                claim = claim_of(self.who, asked, theirs)
            if is_listening(theirs) and (uses is None or not uses.obstacle):
                # By us: another process may shut it down before the call would get there.  What waits has to have room.
                theirs.listen(max(asked.backlog, socket.SOMAXCONN))
                sockets.note_listen(claim)
            elif not sockets.listen(theirs, claim, asked.backlog, may_lose=uses is not None):
                self._look(asked, theirs, partial(self._begin, asked, sockets), swaps=True)
                return
            elif uses is not None and for_worker(sockets.seats()[place_of_socket(theirs)], self.who) is None:
                self.hearing.on_dropped(uses.obstacle)
        except OSError as error:
            self.calls.fail(asked, error.errno or errno.EIO)
            return
        self.calls.succeed(asked)
        self._listens()

    def _listen_unbound(self, asked: Asked, theirs: socket.socket) -> bool:
        """The kernel would choose a port at random, on all addresses."""
        if inode_of(theirs) in self._not_given:  # nobody may take that for what was asked for
            self.calls.fail(asked, errno.EADDRINUSE)
            return True
        if self.mode is BindMode.STRICT:
            self._refuse(asked, theirs, errno.EACCES)
            self.hearing.on_refused(0)
            return True
        look_later(self.loop, self._timers, self.calls, theirs, self._is_elsewhere)
        return False

    def _is_elsewhere(self, port: int) -> None:
        self.hearing.on_other_port(port)
        self._listens_elsewhere(port)

    def _listens_elsewhere(self, port: int) -> None:
        if not self.has_listened:
            self.elsewhere = self.elsewhere or Elsewhere(self.loop, self.hearing, self.aside)
            self.elsewhere.add(port)

    def _watch_listeners(self, sockets: ServiceSockets) -> None:
        if self.workers is None and (hang_ups := self.hang_ups) is not None:
            self.workers = ListeningWorkers(self.loop, sockets, self.who, self.hearing.members, self.aside, hang_ups)
        if self.workers is not None:
            self.workers.look()

    def _listens(self) -> None:
        if self.sockets is not None:
            self._watch_listeners(self.sockets)
            who, hearing, aside = self.who, self.hearing, self.aside
            self.leftovers = self.leftovers or Leftovers(self.loop, self.sockets, who, hearing, aside, self._listens)
            if not self.leftovers.look():
                return
        if self.has_listened:
            return
        self.has_listened = True
        if self.elsewhere is not None:
            self.elsewhere.close()
        if self.hearing.on_listening:
            self.hearing.on_listening()
