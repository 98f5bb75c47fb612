"""Calls of MCP tools that report progress, and clients that do not wait for the end of it."""

import asyncio
from typing import Any

from mcp import Client
from mcp.types import TextContent

from tests.examples.mcp_client import ask, client
from tests.examples.running import Running

MODES = ("auto", "legacy")


def call(
    running: Running, tool: str, arguments: dict[str, Any] | None = None, *, mode: str = "auto"
) -> tuple[Any, list[str]]:
    """A tool's structured answer or the text of its error, and what was reported as progress."""
    pieces: list[str] = []

    async def told(progress: float, total: float | None, message: str | None) -> None:
        pieces.append(message or "")

    result = ask(
        running, lambda session: session.call_tool(tool, arguments or {}, progress_callback=told), token="", mode=mode
    )
    if result.is_error:
        assert isinstance(result.content[0], TextContent)
        return result.content[0].text, pieces
    return result.structured_content, pieces


def leave(running: Running, tool: str, arguments: dict[str, Any], *, mode: str) -> None:
    """Calls a tool, and goes away after the third report of progress."""
    reports = 0
    enough = asyncio.Event()

    async def told(progress: float, total: float | None, message: str | None) -> None:
        nonlocal reports
        reports += 1
        if reports == 3:
            enough.set()

    async def conversation() -> None:
        async with client(running, "", mode) as session:
            work = asyncio.create_task(session.call_tool(tool, arguments, progress_callback=told))
            await asyncio.wait_for(enough.wait(), 30)
            work.cancel()

    asyncio.run(conversation())


def tools(running: Running, mode: str) -> set[str]:
    """The names of a service's tools."""

    async def names(session: Client) -> set[str]:
        return {tool.name for tool in (await session.list_tools()).tools}

    return ask(running, names, token="", mode=mode)
