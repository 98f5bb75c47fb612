"""Tools of the other services, called with the official client."""

from dataclasses import dataclass
from typing import Any

import httpx2
from mcp import MCPError
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.dispatcher import ProgressFnT
from mcp.types import INVALID_PARAMS

from examples.mcp_universal.lines import Lines
from examples.peers import Peers


@dataclass
class Called:
    """What a tool of another service answered."""

    service: str
    tool: str
    text: str  # its text parts
    structured: dict[str, Any] | None


async def call(
    peers: Peers, lines: Lines, service: str, tool: str, arguments: dict[str, Any], told: ProgressFnT
) -> Called:
    """The tool's answer; a ToolError when there is none. Its progress is passed on to `told`."""
    url = peers.url(service)
    if url is None:
        known = ", ".join(sorted(peers.all())) or "none"
        raise ToolError(f"unknown_service: there is no `{service}`; the services of this stack: {known}")
    line = lines.take(service, url, peers.headers(service))
    try:
        client = await line.client()
        result = await client.call_tool(tool, arguments, progress_callback=told)
    except (MCPError, httpx2.HTTPError, ExceptionGroup) as error:
        raise _explained(service, tool, await line.ended() or error) from None
    except BaseException:  # a caller who has left, above all
        line.hang_up()
        raise
    lines.give_back(service, line)
    text = "\n".join(part.text for part in result.content if part.type == "text")
    if result.is_error:
        raise ToolError(f"tool_failed: {service}: {text}")
    structured = result.structured_content if isinstance(result.structured_content, dict) else None
    return Called(service, tool, text, structured)


def _explained(service: str, tool: str, error: BaseException) -> ToolError:
    while isinstance(error, BaseExceptionGroup):  # the client's tasks end together, of one cause
        error = error.exceptions[0]
    match error:
        case httpx2.ConnectError() | httpx2.ConnectTimeout():
            return ToolError(f"upstream_unreachable: {service} cannot be reached; try again in a few seconds")
        case httpx2.TimeoutException():
            return ToolError(f"upstream_timeout: {service} took too long to answer")
        case httpx2.HTTPStatusError():
            return ToolError(f"upstream_failed: {service} answered with status {error.response.status_code}")
        case MCPError() if error.code == INVALID_PARAMS:  # there is no such tool
            return ToolError(f"tool_failed: {service}: {error}")
        case MCPError() | httpx2.HTTPError():
            return ToolError(f"upstream_failed: {service} cannot run `{tool}`: {error or type(error).__name__}")
    raise error
