"""Takes connections from a listening socket, also when the system has nothing left for one just now.

asyncio's own way gives up for good where the loop cannot watch the socket again after a refusal, and calls into a
socket that was closed meanwhile.
"""

import asyncio
import socket
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.system.protocol import Listening

AT_ONCE = 64  # connections that are taken before others have their turn
PAUSE = 0.5  # seconds until a connection that the system refused us is asked for again


class Acceptor:
    """One listening socket, which it owns; each connection gets a protocol from `welcome`.

    `on_refused` is told why there is none for who waits: no descriptor, no memory.
    """

    def __init__(
        self, listening: "Listening", welcome: Callable[[], asyncio.Protocol], on_refused: Callable[[OSError], None]
    ) -> None:
        self._socket = listening
        self._welcome = welcome
        self._on_refused = on_refused
        self._loop = asyncio.get_running_loop()
        self._again: asyncio.TimerHandle | None = None
        self._guests: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Take connections from now on; raises OSError."""
        self._loop.add_reader(self._socket.fileno(), self._on_readable)

    def close(self) -> None:
        """Take no more; may be called twice."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _on_readable(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._pause(error)
                return
            task = self._loop.create_task(self._connect(connection))
            self._guests.add(task)
            task.add_done_callback(self._guests.discard)

    async def _connect(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        try:
            await self._loop.connect_accepted_socket(self._welcome, connection)
        except (OSError, ImportError):  # of what `welcome` loads, too
            connection.close()

    def _pause(self, error: OSError) -> None:
        self._loop.remove_reader(self._socket.fileno())  # it stays readable, and would be asked without end
        self._again = self._loop.call_later(PAUSE, self._resume)
        self._on_refused(error)

    def _resume(self) -> None:
        self._again = None
        try:
            self.begin()
        except OSError as error:
            self._pause(error)
