"""One client of the control socket: reads requests, and writes answers without ever waiting for a reader."""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Collection

from supervisor import system
from supervisor.control.pace import Pace
from supervisor.control.protocol import (
    MAX_REQUEST,
    BadRequest,
    TooMany,
    encode,
    error_line,
    parse_request,
)
from supervisor.control.reply import Reply, send
from supervisor.control.requests import STREAMS, TASKS, Request
from supervisor.errors import PortsupError

BEHIND = 64 * 1024  # bytes from which on a reader counts as slow: a stream leaves things out, requests wait
MAX_CONNECTIONS = 256  # beyond that one of those who have most is dropped
MAX_STREAMS = 16  # of one connection
MAX_STREAMS_OF_ALL = 512
MAX_TASKS = 32  # requests of one connection that are not done yet
MAX_TASKS_OF_ALL = 256

Handler = Callable[[Request, Reply], None]


class Connection(asyncio.Protocol):
    """One client; may ask several things, one after the other.

    Its requests are read no faster than they are answered, and they are answered in turn with those of the others.
    """

    def __init__(self, handle: Handler, connections: dict["Connection", None], pace: Pace) -> None:
        self._handle = handle
        self._connections = connections  # all that are open; who asked last comes last
        self._pace = pace
        self._unread = bytearray()
        self._is_searched = 0  # bytes of it that have no end of a line
        self._is_queued = False
        self._is_held = False  # by an answer that comes before the next request is looked at
        self._has_ended = False  # it asks nothing more
        self.peer = 0  # who is at the other end: a session of processes, as each service has one of its own
        self.streams: dict[Reply, None] = {}  # whose answer ends with the connection only
        self.tasks: dict[Reply, None] = {}  # whose answer is not complete yet
        self._is_behind = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        try:
            # Has the loop watch it here, where it can be seen to fail: else nobody would hear what the client says.
            transport.pause_reading()
            transport.resume_reading()
            pid, uid = system.peer_of(transport.get_extra_info("socket"))
            self.peer = session_of(pid)
        except OSError:
            transport.abort()
            return
        transport.set_write_buffer_limits(high=BEHIND)
        if len(self._connections) >= MAX_CONNECTIONS:
            make_room(self._connections)
        self._connections[self] = None
        if uid not in (0, system.current_user_id()):
            self._refuse(BadRequest("cannot answer", "this instance belongs to another user"))

    def data_received(self, data: bytes) -> None:
        self._unread += data
        self._continue()

    def eof_received(self) -> bool:
        self._has_ended = True
        return self._is_queued or self._is_held or self._has_line()  # True: what was asked before is answered first

    def _has_line(self) -> bool:
        if self._is_searched < len(self._unread):
            end = self._unread.find(b"\n", self._is_searched)
            self._is_searched = len(self._unread) if end < 0 else end
        return self._is_searched < len(self._unread)

    def _continue(self) -> None:
        """Has the next line answered as soon as it is its turn and its reader is not behind."""
        if self._is_queued or self._is_held or self.transport.is_closing():
            return
        if not self._has_line():
            if len(self._unread) > MAX_REQUEST:
                self._refuse_long()
            elif self._has_ended:
                self.transport.close()
            else:
                self._read_on()
            return
        self.transport.pause_reading()
        if not self._is_behind:
            self._is_queued = True
            self._pace.do(self._answer_line)

    def _read_on(self) -> None:
        try:
            self.transport.resume_reading()
        except OSError:  # nobody would hear what the client says
            self.transport.abort()

    def _answer_line(self) -> None:
        self._is_queued = False
        if self.transport.is_closing() or not self._has_line():
            return
        line = bytes(self._unread[: self._is_searched])
        del self._unread[: self._is_searched + 1]
        self._is_searched = 0
        if len(line) > MAX_REQUEST:
            self._refuse_long()
            return
        if line:
            self._connections[self] = self._connections.pop(self, None)
            self._answer(line)
        self._continue()

    def _answer(self, line: bytes) -> None:
        reply = Reply(self.transport)
        try:
            request = parse_request(line)
            check_limits(request.do, self, self._connections)
            self._handle(request, reply)
        except PortsupError as error:
            reply.fail(error)
            return
        if reply.is_next and not reply.is_over:
            self._is_held = True
            reply.on_over = self._let_go
        elif reply.on_close is not None:
            reply.is_behind = self._is_behind  # its first line may have been too long already
            self.streams[reply] = None
        elif request.do in TASKS and not reply.is_over:
            self.tasks[reply] = None
            reply.on_over = lambda: self.tasks.pop(reply, None)

    def _let_go(self) -> None:
        self._is_held = False
        self._continue()

    def pause_writing(self) -> None:
        self._is_behind = True
        for reply in self.streams:
            reply.is_behind = True

    def resume_writing(self) -> None:
        self._is_behind = False
        for reply in tuple(self.streams):
            reply.is_behind = False
            if reply.on_drained is not None:
                reply.on_drained()
        self._continue()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.pop(self, None)
        for reply in self.streams:
            if reply.on_close is not None:
                reply.on_close()

    @property
    def is_watching(self) -> bool:
        """Whether somebody waits for news here."""
        return bool(self.streams)

    def _refuse_long(self) -> None:
        self._refuse(BadRequest("cannot read the request", f"it is longer than {MAX_REQUEST} bytes"))

    def _refuse(self, error: PortsupError) -> None:
        send(self.transport, encode(error_line(error)))
        self.transport.close()


def check_limits(do: str, asking: Connection, connections: Collection[Connection]) -> None:
    """Raises TooMany where one more such request would be one too many."""
    what = f"cannot answer `{do}`"
    if do in STREAMS:
        if len(asking.streams) >= MAX_STREAMS:
            why = f"{MAX_STREAMS} streams are open on this connection, and that is the limit"
            raise TooMany(what, why, "close the connection, or open another one")
        if sum(len(each.streams) for each in connections) >= MAX_STREAMS_OF_ALL:
            why = f"{MAX_STREAMS_OF_ALL} streams are open on all connections, and that is the limit"
            raise TooMany(what, why, "close some of them")
    if do in TASKS:
        if len(asking.tasks) >= MAX_TASKS:
            why = f"{MAX_TASKS} requests of this connection are not done yet, and that is the limit"
            raise TooMany(what, why, "wait for one of them")
        if do != "down" and sum(len(each.tasks) for each in connections) >= MAX_TASKS_OF_ALL:
            why = f"{MAX_TASKS_OF_ALL} requests of all connections are not done yet, and that is the limit"
            raise TooMany(what, why, "wait for one of them")


def make_room(connections: dict[Connection, None]) -> None:
    """Drops a connection of whoever has most of them: a service that leaks connections keeps nobody from `down`.

    Of those it is the one that asked nothing for longest, and has no stream if there is such a one.
    """
    if not connections:
        return
    counts = Counter(each.peer for each in connections)
    most = max(counts.values())
    theirs = [each for each in connections if counts[each.peer] == most]
    dropped = next((each for each in theirs if not each.is_watching), theirs[0])
    del connections[dropped]  # at once: its transport tells of the end in the next turn of the loop
    dropped.transport.abort()


def session_of(pid: int) -> int:
    """The session of a process, setsid(2); the process itself where that is gone, or in another PID namespace (0)."""
    try:
        return os.getsid(pid) if pid else 0
    except OSError:
        return pid
