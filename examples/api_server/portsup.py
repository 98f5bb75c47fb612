"""What portsup itself says about the stack, over its control socket; any program can ask it like this."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

MOST_LINE = 1024 * 1024
PATIENCE = 2.0  # seconds


class Unavailable(Exception):
    """portsup cannot be asked; the text says why."""


class Portsup:
    """The instance that started this process: one JSON line is a request, one or more JSON lines are the reply."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._path = environ.get("PORTSUP_SOCKET", "").strip()
        endpoints = environ.get("PORTSUP_ENDPOINTS", "")
        self._why = "this service was not started by portsup"
        if "PORTSUP_EPOCH" in environ:
            self._path, self._why = "", "on a cluster the portsup of this node knows this service alone"
        elif not self._path and endpoints.endswith(".endpoints.json"):
            self._path = endpoints.removesuffix(".endpoints.json") + ".sock"

    async def status(self) -> list[dict[str, Any]]:
        """The services as `portsup status` shows them."""
        try:
            async with asyncio.timeout(PATIENCE), self._lines("status") as lines:
                async for line in lines:
                    return _services(line)
        except TimeoutError:
            raise Unavailable("portsup does not answer in time") from None
        raise Unavailable("portsup did not answer")

    async def changes(self) -> AsyncIterator[list[dict[str, Any]]]:
        """The same, at once and after every change."""
        async with self._lines("watch") as lines:
            async for line in lines:
                if line.get("end"):
                    return
                yield _services(line)

    @asynccontextmanager
    async def _lines(self, request: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        if not self._path:
            raise Unavailable(self._why)
        try:
            reader, writer = await asyncio.open_unix_connection(self._path, limit=MOST_LINE)
        except (OSError, AttributeError) as error:  # AttributeError: no such sockets on this system
            raise Unavailable(f"portsup cannot be reached: {error}") from None
        try:
            writer.write(json.dumps({"v": 1, "do": request}).encode() + b"\n")
            yield self._replies(reader)
        finally:
            writer.close()

    async def _replies(self, reader: asyncio.StreamReader) -> AsyncIterator[dict[str, Any]]:
        try:
            while line := await reader.readline():
                reply = json.loads(line)
                if not isinstance(reply, dict) or not reply.get("ok"):
                    raise Unavailable("portsup refused the request")
                yield reply
        except (OSError, ValueError) as error:  # ValueError: not JSON, or a line that is too long
            raise Unavailable(f"portsup's answer cannot be read: {error}") from None


def _services(reply: dict[str, Any]) -> list[dict[str, Any]]:
    services = reply.get("services")
    return [service for service in services if isinstance(service, dict)] if isinstance(services, list) else []
