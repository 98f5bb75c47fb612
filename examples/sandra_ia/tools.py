"""Sandra for AI clients: three MCP tools."""

from typing import Any, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from examples import __version__
from examples.sandra_ia.router import Sandra, as_dict
from examples.web import ServiceError

READS = ToolAnnotations(read_only_hint=True)


def build(sandra: Sandra) -> MCPServer:
    server = MCPServer(
        "sandra-ia", version=__version__, instructions="Asks the model that fits a question.", log_level="WARNING"
    )

    @server.tool(annotations=READS)
    async def ask(text: str, mode: Literal["auto", "single", "compare"] = "auto") -> dict[str, Any]:
        """Answer a question with the model that fits; `compare` asks every candidate."""
        try:
            return await sandra.ask(text, mode)
        except ServiceError as error:
            raise ToolError(str(error)) from None

    @server.tool(annotations=READS)
    def classify(text: str) -> dict[str, Any]:
        """Tell what kind of task a text is, and which models would be asked."""
        try:
            return as_dict(sandra.decide(text))
        except ServiceError as error:
            raise ToolError(str(error)) from None

    @server.tool(annotations=READS)
    def identity() -> str:
        """Tell who Sandra is."""
        return sandra.table.introduction()

    return server
