"""Messages to one client."""

import json
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

# The client may be gone; then `receive` says so, and that is where the conversation ends.
GONE = (WebSocketDisconnect, RuntimeError)


class Wire:
    """Writes what `examples.conversational` describes."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._state = ""

    async def send(self, kind: str, **fields: Any) -> None:
        """A message of that type."""
        with suppress(*GONE):
            await self._socket.send_text(json.dumps({"type": kind, **fields}))

    async def sound(self, pcm: bytes) -> None:
        """A binary frame."""
        with suppress(*GONE):
            await self._socket.send_bytes(pcm)

    async def error(self, code: str, message: str) -> None:
        """What went wrong; the conversation goes on."""
        await self.send("error", code=code, message=message)

    async def become(self, state: str) -> None:
        """`listening`, `thinking` or `speaking`, if that is news."""
        if state != self._state:
            self._state = state
            await self.send("state", state=state)
