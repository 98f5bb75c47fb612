"""An agent: the official client with `portsup mcp` over stdio, and what it was asked and told."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import mcp_types as types
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPDeprecationWarning

from tests.live.stack import Live
from tests.support.running import ROOT


class Session:
    """A client and what it was asked and told."""

    def __init__(self, live: Live, mode: str, options: tuple[str, ...], agrees: bool | None) -> None:
        environment = {**live.env, "PYTHONPATH": str(ROOT)}
        arguments = ["-m", "supervisor", "mcp", *options]
        server = StdioServerParameters(command=sys.executable, args=arguments, cwd=live.folder, env=environment)
        self.asked: list[str] = []
        self.noticed: asyncio.Queue[str] = asyncio.Queue()

        async def answer(_: Any, params: Any) -> types.ElicitResult | types.ErrorData:
            self.asked.append(params.message)
            return types.ElicitResult(action="accept" if agrees else "decline", content={"agreed": bool(agrees)})

        async def hear(message: Any) -> None:
            if isinstance(message, types.ResourceUpdatedNotification):
                await self.noticed.put(str(message.params.uri))

        callback: Any = None if agrees is None else answer
        transport = stdio_client(server)
        self.client = Client(transport, mode=mode, elicitation_callback=callback, message_handler=hear)

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """What a tool gives, which is the same as an object and as text."""
        result = await self.client.call_tool(tool, arguments)
        told = dict(result.structured_content or {})
        (content,) = result.content
        assert isinstance(content, types.TextContent)
        assert json.loads(content.text) == told
        assert bool(result.is_error) is ("code" in told)
        return told

    @contextlib.asynccontextmanager
    async def told_of(self, uri: str) -> AsyncIterator[None]:
        """Subscribed to an address."""
        if self.client.protocol_version < "2026":
            with pytest.warns(MCPDeprecationWarning):
                await self.client.session.subscribe_resource(uri)
            yield
            return
        async with self.client.listen(resource_subscriptions=[uri]) as stream:

            async def read() -> None:
                async for event in stream:
                    await self.noticed.put(str(getattr(event, "uri", "")))

            reading = asyncio.create_task(read())
            yield
            reading.cancel()


def session(
    live: Live, work: Callable[[Session], Awaitable[None]], *options: str, mode: str = "auto",
    agrees: bool | None = True, seconds: float = 60,
) -> None:  # fmt: skip
    """Does `work` with a client; with `agrees` None it is one that cannot ask its user."""

    async def run() -> None:
        connected = Session(live, mode, options, agrees)
        async with asyncio.timeout(seconds), connected.client:
            await work(connected)

    asyncio.run(run())
