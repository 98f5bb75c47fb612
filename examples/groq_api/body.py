"""A request's body that goes on as it arrives, and can be sent once more from its beginning."""

from collections.abc import AsyncIterator

from starlette.requests import Request

# What is waited for before anything is sent: a chat is there as a whole then, and its client can not dawdle while it
# has one of few places upstream.
READ_AHEAD = 1024 * 1024
# What is kept for the case that the next key has to be tried. Groq takes 25 MB of speech on its free tier, 100 MB else;
# a larger body goes through as well, but once only.
KEPT = 32 * 1024 * 1024


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
