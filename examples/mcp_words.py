"""What clients of an MCP service read when a tool fails, without the SDK's words around ours."""

import re
from typing import Any

from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import INVALID_PARAMS

# Each mistake in the arguments, in the words of pydantic: where it is, then indented what it is.
_MISTAKE = re.compile(r"^(\S.*)\n  (.+?) \[type=", re.MULTILINE)


async def plain_words(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware: errors of tools begin with their code, and a tool that does not exist is an error of the protocol.

    So is a prompt: our servers have none, and for one that it does not know the SDK says that it is its own mistake.
    """
    if ctx.method == "prompts/get":
        raise MCPError(code=INVALID_PARAMS, message=f"Unknown prompt: {(ctx.params or {}).get('name')}")
    result = await call_next(ctx)
    if ctx.method != "tools/call" or not isinstance(result, dict) or not result.get("isError"):
        return result
    name = str((ctx.params or {}).get("name"))
    for part in result["content"]:
        if part["type"] == "text":
            if part["text"] == f"Unknown tool: {name}":
                raise MCPError(code=INVALID_PARAMS, message=part["text"])  # 2025-11-25, server/tools, "Error Handling"
            part["text"] = reworded(part["text"], name)
    return result


def reworded(text: str, name: str) -> str:
    """The SDK's text about a failed call of the tool `name` as `<code>: <message>`."""
    prefix = f"Error executing tool {name}"
    if not text.startswith(prefix):
        return text
    rest = text.removeprefix(prefix).removeprefix(": ")
    if not rest:
        return "internal_error: this is our mistake; the service's log has more"
    if re.match(r"\d+ validation errors? for ", rest) and (found := _MISTAKE.findall(rest)):
        return "invalid_arguments: validation error: " + "; ".join(f"`{where}`: {what}" for where, what in found)
    return rest
