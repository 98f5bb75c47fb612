"""The official MCP client, for one question at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent

from tests.examples.running import Running

TOKEN = "a-token-of-the-tests"
T = TypeVar("T")


@asynccontextmanager
async def client(running: Running, token: str = TOKEN, mode: str = "auto") -> AsyncIterator[Client]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False, timeout=20) as http,
        Client(streamable_http_client(f"{running.url}/mcp", http_client=http), mode=mode) as session,
    ):
        yield session


def ask(running: Running, do: Callable[[Client], Awaitable[T]], **options: str) -> T:
    async def conversation() -> T:
        async with client(running, **options) as session:
            return await do(session)

    return asyncio.run(conversation())


def call(running: Running, name: str, **arguments: Any) -> Any:
    """A tool's structured answer, or the text of its error."""
    result = ask(running, lambda session: session.call_tool(name, arguments))
    if result.is_error:
        assert isinstance(result.content[0], TextContent)
        return result.content[0].text
    return result.structured_content
