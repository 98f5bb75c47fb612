"""The daemon's control socket: takes connections, and hands what is asked there to whoever can answer."""

import asyncio
import contextlib
import os
import socket
from pathlib import Path

from supervisor.control.connection import IN_ONE_TURN, Connection, Handler, make_room
from supervisor.control.pace import Pace
from supervisor.errors import PortsupError


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
    pace = Pace(loop, IN_ONE_TURN)
    server = await loop.create_unix_server(
        lambda: Connection(handle, connections, pace), sock=listener, backlog=128, start_serving=True
    )
    return Server(server, path, connections)
