"""The daemon's control socket: takes connections, and hands what is asked there to whoever can answer."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from supervisor.control.listener import Acceptor
from supervisor.control.pace import Pace
from supervisor.dataclass import dataclass
from supervisor.errors import REFUSALS, PortsupError
from supervisor.system import HAS_JOBS, listen_for_control

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.control.connection import Connection, Handler

IN_ONE_TURN = 0.01  # seconds that requests are answered before everything else has its turn again
BACKLOG = 128  # clients that wait to be let in


@dataclass(frozen=True, slots=True)
class Clients:
    """All that are connected, whose limits hold for all of them together: also where the socket was made again."""

    handle: "Handler"
    connections: "dict[Connection, None]"
    pace: Pace

    def welcome(self) -> "Connection":
        """One more; raises OSError or ImportError where what reads its requests cannot be loaded."""
        from supervisor.control.connection import Connection  # late: while a stack starts nobody asks as a rule

        return Connection(self.handle, self.connections, self.pace)


class Server:
    """The listening control socket of one instance."""

    def __init__(self, listener: Acceptor, path: Path, clients: Clients) -> None:
        self.clients = clients
        self._listener = listener
        self._path = path
        self._inode = 0 if HAS_JOBS else path.stat().st_ino

    def is_in_place(self) -> bool:
        """Whether those who go to the path of the socket come to us."""
        try:
            return HAS_JOBS or self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def abandon(self) -> None:
        """Takes no more connections; those that are open go on."""
        self._listener.close()

    def stop_listening(self) -> None:
        """Takes no more connections, and removes the socket from its path."""
        self._listener.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def close(self) -> None:
        """Ends all connections; what was written to them is still sent."""
        for connection in tuple(self.clients.connections):
            connection.transport.close()


async def serve(
    path: Path, handle: "Handler", before: Server | None = None, on_refused: Callable[[OSError], None] = lambda _: None
) -> Server:
    """A control socket at `path`, mode 0600, that hands each request to `handle`; replaces a dead one.

    It takes the place of `before`, whose open connections go on; where it cannot be made now, `before` is given back.
    `on_refused` is told why a client could not be let in.  Raises PortsupError where there is none.
    """
    if before is None:
        pace = Pace(asyncio.get_running_loop(), IN_ONE_TURN)
        return _serve(path, Clients(handle, {}, pace), on_refused)
    before.abandon()
    with contextlib.suppress(PortsupError, OSError):  # a full disk is no reason to end: the next check tries again
        return _serve(path, before.clients, on_refused)
    return before


def _serve(path: Path, clients: Clients, on_refused: Callable[[OSError], None]) -> Server:
    def refused(error: OSError) -> None:
        if clients.connections:
            from supervisor.control.connection import make_room  # it is loaded already

            make_room(clients.connections)  # a descriptor of one that is not used is one for who waits
        on_refused(error)

    with contextlib.ExitStack() as undo:
        try:
            listening = listen_for_control(path, BACKLOG)
            undo.callback(_unlink, path)
            listener = Acceptor(listening, clients.welcome, refused)
            undo.callback(listener.close)
            server = Server(listener, path, clients)
            listener.begin()
        except OSError as error:
            what, why = f"cannot open the control socket `{path}`", (error.strerror or str(error)).lower()
            is_a_folder = isinstance(error, IsADirectoryError)
            hint = "remove what is there" if is_a_folder else REFUSALS.get(error.errno or 0, "")
            raise PortsupError(what, why, hint) from error
        undo.pop_all()
        return server


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
