"""WebSockets with an end for clients that do not read."""

import asyncio
import socket

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# How long a client may leave unread what it was sent, in seconds, and how much of that the kernel keeps for it.
PATIENCE = 15.0
UNREAD = 256 * 1024


class PatientProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which would wait forever for a client that does not take what it was sent."""

    _impatience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._impatience = self.loop.call_later(PATIENCE, self.transport.abort)

    def resume_writing(self) -> None:
        self._be_patient()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._be_patient()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        if not self.writable.is_set():  # it will not read the farewell either
            self.transport.abort()

    def _be_patient(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None
