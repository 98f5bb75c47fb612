"""The daemon's end of the control socket: reads requests, and writes answers without ever waiting for a reader."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from supervisor.control.protocol import MAX_REQUEST, BadRequest, Request, encode, error_line, parse_request
from supervisor.errors import PortsupError

MAX_UNREAD = 1024 * 1024  # bytes that may wait for a slow reader before it is dropped
BEHIND = 64 * 1024  # bytes from which on a reader of a stream counts as slow
MAX_CONNECTIONS = 256  # beyond that the one that asked nothing for longest is dropped


class Reply:
    """Where the answer to one request goes; lines to a reader that has left are dropped."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self.on_close: Callable[[], None] | None = None
        self.on_drained: Callable[[], None] | None = None  # the reader has caught up; see `is_behind`
        self.is_behind = False  # so much waits for the reader that a stream should leave things out

    @property
    def is_closed(self) -> bool:
        """Whether nobody reads any more."""
        return self._transport.is_closing()

    def send(self, **message: Any) -> None:
        """One line of the answer."""
        self._write({"ok": True, **message})

    def end(self, **message: Any) -> None:
        """The last line of a stream."""
        self.send(end=True, **message)

    def fail(self, error: PortsupError) -> None:
        """The answer that it could not be done."""
        self._write(error_line(error))

    def _write(self, message: Mapping[str, Any]) -> None:
        if self.is_closed:
            return
        self._transport.write(encode(message))
        if self._transport.get_write_buffer_size() > MAX_UNREAD:
            self._transport.abort()


Handler = Callable[[Request, Reply], None]


class Connection(asyncio.Protocol):
    """One client; may ask several things, one after the other."""

    def __init__(self, handle: Handler, connections: dict["Connection", None]) -> None:
        self._handle = handle
        self._connections = connections  # all that are open; who asked last comes last
        self._unread = b""
        self._watching: list[Reply] = []  # whose answer ends with the connection only
        self._is_behind = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=BEHIND)
        if len(self._connections) >= MAX_CONNECTIONS:
            make_room(self._connections)
        self._connections[self] = None
        if not is_ours(transport.get_extra_info("socket")):
            self._refuse(BadRequest("cannot answer", "this instance belongs to another user"))

    def data_received(self, data: bytes) -> None:
        *lines, self._unread = (self._unread + data).split(b"\n")
        if any(len(line) > MAX_REQUEST for line in (*lines, self._unread)):
            self._refuse(BadRequest("cannot read the request", f"it is longer than {MAX_REQUEST} bytes"))
            return
        for line in filter(None, lines):
            if self.transport.is_closing():
                return
            self._connections[self] = self._connections.pop(self, None)
            reply = Reply(self.transport)
            try:
                self._handle(parse_request(line), reply)
            except PortsupError as error:
                reply.fail(error)
            if reply.on_close is not None:
                reply.is_behind = self._is_behind  # its first line may have been too long already
                self._watching.append(reply)

    def pause_writing(self) -> None:
        self._is_behind = True
        for reply in self._watching:
            reply.is_behind = True

    def resume_writing(self) -> None:
        self._is_behind = False
        for reply in tuple(self._watching):
            reply.is_behind = False
            if reply.on_drained is not None:
                reply.on_drained()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.pop(self, None)
        for reply in self._watching:
            if reply.on_close is not None:
                reply.on_close()

    @property
    def is_watching(self) -> bool:
        """Whether somebody waits for news here."""
        return bool(self._watching)

    def _refuse(self, error: PortsupError) -> None:
        self.transport.write(encode(error_line(error)))
        self.transport.close()


def make_room(connections: dict[Connection, None]) -> None:
    """Drops the connection that asked nothing for longest: whoever leaks connections keeps nobody from `down`."""
    if not connections:
        return
    dropped = next((each for each in connections if not each.is_watching), next(iter(connections)))
    del connections[dropped]  # at once: its transport tells of the end in the next turn of the loop
    dropped.transport.abort()


def is_ours(peer: socket.socket) -> bool:
    """Whether the process at the other end runs as us or as root (SO_PEERCRED, unix(7)); True where nobody tells."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True
    _, uid, _ = struct.unpack("iii", peer.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("iii")))
    return uid in (0, os.getuid())


class Server:
    """The listening control socket of one instance."""

    def __init__(self, server: asyncio.AbstractServer, path: Path, connections: dict[Connection, None]) -> None:
        self._server = server
        self._path = path
        self._connections = connections
        self._inode = path.stat().st_ino

    def is_in_place(self) -> bool:
        """Whether those who go to the path of the socket come to us."""
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def abandon(self) -> None:
        """Takes no more connections; those that are open go on."""
        self._server.close()

    def stop_listening(self) -> None:
        """Takes no more connections, and removes the socket from its path."""
        self._server.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def make_room(self) -> None:
        """Drops a connection that is not used, for when descriptors run out."""
        make_room(self._connections)

    def close(self) -> None:
        """Ends all connections; what was written to them is still sent."""
        for connection in tuple(self._connections):
            connection.transport.close()


async def serve(path: Path, handle: Handler, before: Server | None = None) -> Server:
    """A control socket at `path`, mode 0600, that hands each request to `handle`; replaces a dead one.

    It takes the place of `before`, whose open connections go on; where it can not be made now, `before` is given back.
    Raises PortsupError where there is none.
    """
    if before is None:
        return await _serve(path, handle)
    before.abandon()
    with contextlib.suppress(PortsupError, OSError):  # a full disk is no reason to end: the next check tries again
        return await _serve(path, handle)
    return before


async def _serve(path: Path, handle: Handler) -> Server:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | getattr(socket, "SOCK_CLOEXEC", 0))
    listener.setblocking(False)
    try:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        listener.bind(os.fspath(path))
        path.chmod(0o600)
    except OSError as error:
        listener.close()
        raise PortsupError(f"cannot open the control socket `{path}`", error.strerror or str(error)) from error
    connections: dict[Connection, None] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(
        lambda: Connection(handle, connections), sock=listener, backlog=128, start_serving=True
    )
    return Server(server, path, connections)
