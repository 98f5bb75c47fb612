"""The control socket of a running instance: opened, put back when somebody removes it, closed in two steps."""

import asyncio
from pathlib import Path

from supervisor.control.server import Server, serve
from supervisor.core.journal import ControlMadeAgain, ControlRefuses
from supervisor.daemon.tasks import begin
from supervisor.logs.journal import Journal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.control.connection import Handler


class ControlSocket:
    """The socket at `path`, whose requests go to `handle`."""

    def __init__(self, path: str, handle: "Handler", journal: Journal, loop: asyncio.AbstractEventLoop) -> None:
        self._path = Path(path)
        self._handle = handle
        self._journal = journal
        self._loop = loop
        self._server: Server | None = None

    async def open(self) -> None:
        """Takes clients from now on; raises PortsupError."""
        self._server = await serve(self._path, self._handle, self._server, self._on_refused)

    def mend(self) -> None:
        """Puts it back where somebody has removed or replaced it."""
        if self._server is not None and not self._server.is_in_place():
            self._journal.tell(ControlMadeAgain(path=str(self._path)))
            begin(self.open(), self._loop)

    def has_clients(self) -> bool:
        """Whether somebody is connected."""
        return self._server is not None and bool(self._server.clients.connections)

    def stop_listening(self) -> None:
        """Takes no more clients; those that are there go on."""
        if self._server is not None:
            self._server.stop_listening()

    def close(self) -> None:
        """Ends all connections."""
        if self._server is not None:
            self._server.close()

    def _on_refused(self, error: OSError) -> None:
        self._journal.tell(ControlRefuses(why=error.strerror or str(error)))
