"""Sandra for AI clients: three MCP tools."""

from typing import Any, Literal

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

from examples import __version__
from examples.sandra_ia.router import Sandra, as_dict
from examples.tool_errors import as_tool_errors

ASKS = ToolAnnotations(read_only_hint=True, open_world_hint=True)  # a model may be anywhere
ASK = """Answer a question with the model that fits.

`single` asks one model after the other until one answers; `compare` asks all at once and gives what each says; `fuse`
makes one answer out of theirs. `auto` does what the kind of question wants."""
KNOWS = ToolAnnotations(read_only_hint=True, open_world_hint=False, idempotent_hint=True)


def build(sandra: Sandra) -> MCPServer:
    server = MCPServer(
        "sandra-ia", version=__version__, instructions="Asks the model that fits a question.", log_level="WARNING"
    )

    @server.tool(annotations=ASKS, description=ASK)
    async def ask(text: str, mode: Literal["auto", "single", "compare", "fuse"] = "auto") -> dict[str, Any]:
        with as_tool_errors():
            return await sandra.ask(text, mode)

    @server.tool(annotations=KNOWS)
    def classify(text: str) -> dict[str, Any]:
        """Tell what kind of task a text is, and which models would be asked."""
        with as_tool_errors():
            return as_dict(sandra.decide(text))

    @server.tool(annotations=KNOWS)
    def identity(language: str = "es") -> str:
        """Tell who Sandra is, in a language of the table of routes: `es` or `en`, as it is shipped."""
        with as_tool_errors():
            return sandra.introduction(language)

    return server
