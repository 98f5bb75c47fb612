"""A request's body that goes on as it arrives, and can be sent once more from its beginning."""

import json
import re
from collections.abc import AsyncIterator

from starlette.requests import Request

# What is waited for before anything is sent: a chat is there as a whole then, and its client cannot dawdle while it
# has one of few places upstream.
READ_AHEAD = 1024 * 1024
# What is kept for the case that the next key has to be tried. Groq takes 25 MB of speech on its free tier, 100 MB else;
# a larger body goes through as well, but once only.
KEPT = 32 * 1024 * 1024
# The field `model` of multipart/form-data (RFC 7578), for speech.
_FIELD = re.compile(rb'name="?model"?\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]{1,200})\r\n')


class Body:
    """The body of `request`. `whole`: it has all arrived. `repeatable`: nothing of it has been let go."""

    def __init__(self, request: Request) -> None:
        self.whole = False
        self.repeatable = True
        self._arriving = request.stream()
        self._kept: list[bytes] = []
        self._size = 0

    async def read_ahead(self) -> None:
        while not self.whole and self._size < READ_AHEAD:
            await self._next()

    async def read_on(self) -> None:
        """Waits for the rest."""
        while not self.whole:
            await self._next()

    def arrived(self) -> bytes:
        """All that has arrived."""
        return b"".join(self._kept)

    def content(self) -> bytes | AsyncIterator[bytes] | None:
        """What to send: the bytes themselves if they are all there, None if there are none."""
        return (self.arrived() or None) if self.whole and self.repeatable else self._chunks()

    def model(self) -> str:
        """The model that it names, as JSON or as a field of a form; empty when there is none to be seen."""
        if self.whole and self.repeatable:
            try:
                value = json.loads(self.arrived())
            except (ValueError, RecursionError):
                value = None
            if isinstance(value, dict):
                model = value.get("model")
                return model if isinstance(model, str) else ""
        if field := _FIELD.search(b"".join(self._kept)[:READ_AHEAD]):
            return field[1].decode("utf-8", "replace")
        return ""

    async def _chunks(self) -> AsyncIterator[bytes]:
        for chunk in tuple(self._kept):
            yield chunk
        while chunk := await self._next():
            yield chunk

    async def _next(self) -> bytes:
        """The next bytes that arrive; none at the end."""
        async for chunk in self._arriving:
            if chunk:
                self._size += len(chunk)
                if self._size > KEPT:
                    self.repeatable = False
                    self._kept.clear()
                elif self.repeatable:
                    self._kept.append(chunk)
                return chunk
        self.whole = True
        return b""
