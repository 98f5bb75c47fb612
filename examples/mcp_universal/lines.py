"""Clients of the other services that stay open between calls: opening one takes several times as long as a call."""

import asyncio
from collections.abc import Mapping

from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from examples.client import client_for

MOST_IDLE = 4  # clients of one service that are kept for later


class Line:
    """One open client. A call has it for itself: what goes wrong with one call then breaks no other."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.to = (url, dict(headers))
        self._opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._done = asyncio.Event()
        # The SDK's client must be left by the task that entered it, so one task does both.
        self._keeper = asyncio.create_task(self._keep())

    async def client(self) -> Client:
        """The client once it is open; raises why it could not be opened."""
        return await asyncio.shield(self._opened)

    def hang_up(self) -> None:
        """Close it; may be called again."""
        self._done.set()

    async def ended(self) -> Exception | None:
        """Close it; why it ended, if that was not by us."""
        self.hang_up()
        (result,) = await asyncio.gather(self._keeper, return_exceptions=True)
        return result if isinstance(result, Exception) else None

    async def _keep(self) -> None:
        url, headers = self.to
        try:
            async with client_for(url) as http:
                http.headers.update(headers)
                async with Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client:
                    self._opened.set_result(client)
                    await self._done.wait()
        except Exception as error:
            if self._opened.done():
                raise
            self._opened.set_exception(error)
            self._opened.exception()  # whoever asked for the client may have left


class Lines:
    """Those of all services: open ones first, new ones as needed."""

    def __init__(self) -> None:
        self._idle: dict[str, list[Line]] = {}
        self._is_closed = False

    def take(self, service: str, url: str, headers: Mapping[str, str]) -> Line:
        """One for a call. Those that lead to where the service was before are closed."""
        idle = self._idle.setdefault(service, [])
        while idle:
            line = idle.pop()
            if line.to == (url, dict(headers)):
                return line
            line.hang_up()
        return Line(url, headers)

    def give_back(self, service: str, line: Line) -> None:
        """Keep it for the next call, after one that went well."""
        idle = self._idle.setdefault(service, [])
        if self._is_closed or len(idle) >= MOST_IDLE:
            line.hang_up()
        else:
            idle.append(line)

    async def close(self) -> None:
        """Close all of them, and keep none from now on."""
        self._is_closed = True
        kept, self._idle = self._idle, {}
        await asyncio.gather(*(line.ended() for lines in kept.values() for line in lines))
