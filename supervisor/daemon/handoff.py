"""Answers the bind and listen calls of one process tree: its own port it gets from us, on a socket that outlives it."""

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Collection
from typing import Protocol

from supervisor import system
from supervisor.core.handoff import Bind, BindMode, Give, LetThrough, Place, Refuse, decide, parse_address
from supervisor.dataclass import dataclass, field
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.system import Listener
from supervisor.system.notifications import (
    Asked,
    Notifications,
    is_close_on_exec,
    memory_of,
    netns_cookie,
    netns_cookie_of_ours,
    socket_of,
)

AT_ONCE = 64  # calls answered in one turn of the loop
# Seconds from the bind of a socket that listens already until it counts as the program's, who need not call listen:
# haproxy and gunicorn look at SO_ACCEPTCONN first.
LISTENS_AFTER = 0.1
DRIFT_AFTER = 1.0  # seconds that a service may listen elsewhere only, before that is told
UNCLAIMED_FOR = 5.0  # seconds after the first listen until sockets that only an earlier process had are closed
LONGEST_ADDRESS = 128  # bytes, struct sockaddr_storage
MPTCP = 262  # IPPROTO_MPTCP: what Go asks for; plain TCP serves it as well


class Timer(Protocol):
    """What will be called later, unless it is cancelled."""

    def cancel(self) -> None: ...


class Loop(Protocol):
    """What is needed of an event loop: asyncio's, or the small one of `portsup exec`."""

    def add_reader(self, fd: int, callback: Callable[[], object], /) -> object: ...
    def remove_reader(self, fd: int, /) -> object: ...
    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer: ...


@dataclass(slots=True)
class Hearing:
    """Who is told what a process tree does with its ports; all are called from the event loop."""

    members: Callable[[], Collection[int]]
    on_end: Callable[[], None]
    on_moved: Callable[[int], None]
    on_other_port: Callable[[int], None]
    on_refused: Callable[[int], None]
    on_trouble: Callable[[str], None]
    on_listening: Callable[[], None] | None = None
    on_elsewhere: Callable[[Collection[int]], None] | None = None


@dataclass(slots=True)
class Handoff:
    """One process tree under a filter; `sockets` are those of its port, None for a job without ports."""

    loop: Loop
    calls: Notifications
    sockets: ServiceSockets | None
    mode: BindMode
    hearing: Hearing
    offered: Place | None = None  # where it has had a socket from the start, which listens
    who: object = None  # whose claims on the sockets those of this tree are
    has_listened: bool = False
    _moved: int = 0
    _has_bound: bool = False
    _told: set[int] = field(default_factory=set)
    _elsewhere: set[int] = field(default_factory=set)
    _timers: list[Timer] = field(default_factory=list)

    def begin(self) -> None:
        """Answers from now on."""
        if self.offered is not None:
            self._listens()
        self.loop.add_reader(self.calls.fileno(), self._on_readable)

    def close(self) -> None:
        """Answers no more; what waits fails."""
        for timer in self._timers:
            timer.cancel()
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
        for _ in range(AT_ONCE):
            asked = self.calls.receive()
            if asked is None:
                break
            self._hear(asked)
            if self.calls.fileno() < 0:  # what was told led to the end of this
                return
        if self.calls.is_over():
            self.close()
            self.hearing.on_end()

    def _hear(self, asked: Asked) -> None:
        answered = False
        try:
            if self.sockets is not None:
                with socket_of(asked.thread, asked.fd) as theirs:
                    if _is_tcp(theirs) and self.calls.is_valid(asked):
                        answered = self._bind(asked, theirs, self.sockets) if asked.is_bind else self._listen(
                            asked, theirs, self.sockets)  # fmt: skip
        except OSError as error:
            # Gone meanwhile, or of a program that nobody may look into: the kernel has the last word.
            if self.calls.is_valid(asked):
                self.hearing.on_trouble(error.strerror or str(error))
        finally:
            if not answered:
                self.calls.let_through(asked)

    def _bind(self, asked: Asked, theirs: socket.socket, sockets: ServiceSockets) -> bool:
        """Whether the call has been answered."""
        if sockets.has(theirs):  # a signal came in between, and the call comes again
            self.calls.succeed(asked)
            return True
        found = parse_address(memory_of(asked.thread, asked.address, min(asked.length, LONGEST_ADDRESS)), theirs.family)
        if found is None or theirs.getsockname()[1] or not self.calls.is_valid(asked):
            return False
        address, port, scope = found
        bind = Bind(
            _place(theirs, address, scope), port, bool(theirs.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))
        )
        decision = decide(
            bind, sockets.port, self.mode, sockets.places(self.who), self._moved,
            has_bound=self._has_bound, held=sockets.held(self.who), offered=self.offered,
        )  # fmt: skip
        match decision:
            case LetThrough(elsewhere):
                if elsewhere and elsewhere not in self._told:
                    self._told.add(elsewhere)
                    self.hearing.on_other_port(elsewhere)
                return False
            case Refuse(number):
                self.calls.fail(asked, number)
                if port not in self._told:
                    self._told.add(port)
                    self.hearing.on_refused(port)
            case Give():
                self._give(asked, theirs, sockets, decision)
        return True

    def _give(self, asked: Asked, theirs: socket.socket, sockets: ServiceSockets, decision: Give) -> None:
        try:
            self._make_room(sockets, decision)
            ours = sockets.claim(decision.place, theirs, self.who)
            self.calls.replace(asked, ours.fileno(), close_on_exec=is_close_on_exec(asked.thread, asked.fd))
        except OSError as error:
            self.calls.fail(asked, error.errno or errno.EIO)
            return
        self.calls.succeed(asked)
        if sockets.listens(decision.place) and not self.has_listened:
            self._timers.append(self.loop.call_later(LISTENS_AFTER, self._listens))
        if not decision.moved_from:
            self._has_bound = True
        elif not self._moved:
            self._moved = decision.moved_from
            self.hearing.on_moved(decision.moved_from)

    def _make_room(self, sockets: ServiceSockets, decision: Give) -> None:
        sockets.retire(decision.retired)
        if not decision.doubtful:
            return
        listeners = [
            Listener(sockets.port, socket.AddressFamily(place.family), place.address, inode=sockets.inode(place))
            for place in decision.doubtful
        ]
        if system.owners_of(listeners, self.hearing.members()):
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        sockets.retire([place for place in decision.doubtful if place != decision.place])

    def _listen(self, asked: Asked, theirs: socket.socket, sockets: ServiceSockets) -> bool:
        is_ours, port = sockets.has(theirs), theirs.getsockname()[1]
        if is_ours:
            try:
                sockets.listen(theirs)
            except OSError as error:
                self.calls.fail(asked, error.errno or errno.EIO)
                return True
        self.calls.let_through(asked)  # what is left of it is the length of the queue
        if is_ours:
            self._listens()
        elif port and port != sockets.port and not self.has_listened:
            self._elsewhere.add(port)
            if len(self._elsewhere) == 1:
                self._timers.append(self.loop.call_later(DRIFT_AFTER, self._tell_of_drift))
        return True

    def _listens(self) -> None:
        if self.has_listened:
            return
        self.has_listened = True
        if self.sockets is not None and not all(self.sockets.places(self.who).values()):
            self._timers.append(self.loop.call_later(UNCLAIMED_FOR, self.sockets.retire_unclaimed))
        if self.hearing.on_listening is not None:
            self.hearing.on_listening()

    def _tell_of_drift(self) -> None:
        if not self.has_listened and self.hearing.on_elsewhere is not None:
            self.hearing.on_elsewhere(sorted(self._elsewhere))


def _is_tcp(sock: socket.socket) -> bool:
    """Whether it is a TCP socket of our own network namespace."""
    return (
        sock.family in (socket.AF_INET, socket.AF_INET6)
        and sock.type == socket.SOCK_STREAM
        and sock.proto in (socket.IPPROTO_TCP, MPTCP)
        and netns_cookie(sock) == netns_cookie_of_ours()
    )


def _place(sock: socket.socket, address: str, scope: int) -> Place:
    v6_only = False
    if sock.family == socket.AF_INET6 and address == "::":
        with contextlib.suppress(OSError):
            v6_only = bool(sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    return Place(int(sock.family), address, v6_only, scope)
