"""A service's errors as those of its MCP tools."""

from collections.abc import Iterator
from contextlib import contextmanager

from mcp.server.mcpserver.exceptions import ToolError

from examples.web import ServiceError


@contextmanager
def as_tool_errors() -> Iterator[None]:
    """A ServiceError in the block becomes `<code>: <message>`, which models and programs understand."""
    try:
        yield
    except ServiceError as error:
        raise ToolError(str(error)) from None
