"""Leads clients to the processes of services, byte for byte: those that waited where no process is any more.

Each is a connection of ours to the address that the client has called, from the address that it has called from.
What the one end does to its connection, the other end learns as it would without us.
"""

import asyncio
import contextlib
import errno
import resource
import socket
from collections.abc import Callable

from supervisor import system
from supervisor.core.relay import Way, most_at_once, plain
from supervisor.dataclass import replace
from supervisor.ports.adrift import reset

_BIND_ADDRESS_NO_PORT = 24  # linux/in.h: the port is chosen when it connects
SPENT_AFTER = 0.1  # seconds from the end of what a process says until it is looked whether it has its end still
AT_LEAST_EVERY = 60.0  # the same after some looks, each after twice as long


class Relays:
    """All of an instance."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._relays: set[_Relay] = set()
        _ = system.user_of_peer  # loads what tells it, now that somebody comes back where that cannot be had

    def begin(self, client: socket.socket) -> bool:
        """Connects a client to where it wanted to; it is cut off if nobody is there.  Whether there is room for it."""
        if len(self._relays) >= most_at_once(resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
            return False
        try:
            server = _connected(client)
        except OSError:
            return False
        relay = _Relay(self._loop, client, server, self._relays.discard)
        self._relays.add(relay)
        return relay.begin()

    def close(self) -> None:
        """Ends all."""
        for relay in tuple(self._relays):
            relay.cut()


class _Relay:
    """Of one client; `_ends` are it and the process, `_ways` what each of them says."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, client: socket.socket, server: socket.socket,
        on_end: Callable[["_Relay"], None],
    ) -> None:  # fmt: skip
        self._loop = loop
        self._ends = client, server
        self._ways = [Way(), Way()]
        self._held = [b"", b""]
        self._reads = [False, False]
        self._writes = [False, False]
        self._on_end = on_end
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> bool:
        """Goes on by itself until both have ended; whether the loop can watch them."""
        try:
            self._loop.add_writer(self._ends[1].fileno(), self._on_connected)
        except OSError:
            self._on_end(self)
            self._ends[1].close()
            return False
        self._writes[1] = True
        return True

    def cut(self) -> None:
        """Ends it now; both learn that it was cut off."""
        self._forget()
        for end in self._ends:
            reset(end)

    def _on_connected(self) -> None:
        self._unwatch_writes(1)
        if self._ends[1].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.cut()
            return
        self._watch()

    def _on_readable(self, number: int) -> None:
        way = self._ways[number]
        try:
            data = self._ends[number].recv(way.room)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:  # it was reset, or cannot be reached
            self.cut()
            return
        self._held[number] = data
        self._ways[number] = replace(way, held=len(data)) if data else replace(way, has_ended=True)
        self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        """Writes what was read of one end to the other."""
        other = 1 - number
        try:
            if held := self._held[number]:
                with contextlib.suppress(BlockingIOError, InterruptedError):
                    held = self._held[number] = held[self._ends[other].send(held) :]
            self._ways[number] = replace(self._ways[number], held=len(held))
            if self._ways[number].is_to_end:
                self._ends[other].shutdown(socket.SHUT_WR)
                self._ways[number] = replace(self._ways[number], is_passed_on=True)
        except OSError:
            self.cut()
            return
        if all(way.is_passed_on for way in self._ways):
            self._close()
            return
        if number == 1 and self._ways[1].is_passed_on and self._timer is None:
            self._look_later(SPENT_AFTER)
        self._watch()

    def _look_later(self, seconds: float) -> None:
        """Ends it if the process, which has said all, has closed its end by then: the client may never say more."""

        def look() -> None:
            if system.user_of_peer(self._ends[1]) is None:
                self._close()
            else:
                self._look_later(min(2 * seconds, AT_LEAST_EVERY))

        self._timer = self._loop.call_later(seconds, look)

    def _watch(self) -> None:
        """Has the loop watch what is to be read and written now."""
        try:
            for number, end in enumerate(self._ends):
                reads, writes = self._ways[number].room > 0, bool(self._held[1 - number])
                if reads and not self._reads[number]:
                    self._loop.add_reader(end.fileno(), self._on_readable, number)
                elif self._reads[number] and not reads:
                    self._loop.remove_reader(end.fileno())
                self._reads[number] = reads
                if writes and not self._writes[number]:
                    self._loop.add_writer(end.fileno(), self._pass_on, 1 - number)
                    self._writes[number] = True
                elif not writes:
                    self._unwatch_writes(number)
        except OSError:  # no memory, or too many watches, epoll_ctl(2)
            self.cut()

    def _unwatch_writes(self, number: int) -> None:
        if self._writes[number]:
            self._writes[number] = False
            self._loop.remove_writer(self._ends[number].fileno())

    def _close(self) -> None:
        self._forget()
        for end in self._ends:
            end.close()

    def _forget(self) -> None:
        for number, end in enumerate(self._ends):
            self._unwatch_writes(number)
            if self._reads[number]:
                self._reads[number] = False
                self._loop.remove_reader(end.fileno())
        if self._timer is not None:
            self._timer.cancel()
        self._on_end(self)


def _connected(client: socket.socket) -> socket.socket:
    """A connection to where a client has called, from its address; raises OSError."""
    peer, (here, port) = plain(client.getpeername()[0]), client.getsockname()[:2]
    with contextlib.ExitStack() as undo:
        family = socket.AF_INET6 if ":" in peer else socket.AF_INET
        server = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        server.setblocking(False)
        server.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        server.bind((peer, 0))
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = server.connect_ex((plain(here), port))
        if number not in (0, errno.EINPROGRESS):
            raise OSError(number, "connect")
        undo.pop_all()
    return server
