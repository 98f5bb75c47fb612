"""The tools and the resource that MCP Universal offers.

What a tool returns is a dataclass: the SDK makes its output schema of it, and clients get the same as structured
content and as text. What can go wrong is said as `<code>: <message>`, so that models and programs understand it.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from examples import __version__
from examples.mcp_universal import file_tools
from examples.mcp_universal.calls import Called, call
from examples.mcp_universal.file_tools import decoded
from examples.mcp_universal.lines import Lines
from examples.mcp_universal.programs import Programs
from examples.mcp_universal.sandbox import Outcome
from examples.mcp_universal.subscriptions import Subscriptions
from examples.mcp_universal.workspace import MOST_READ, Refusal, Workspace
from examples.peers import Peers
from examples.tool_errors import as_tool_errors

RUNS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=False)
CALLS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True)

Seconds = Annotated[float, Field(gt=0, le=60)]


def build(workspace: Workspace, programs: Programs, peers: Peers, lines: Lines, *, trusted: bool) -> MCPServer:
    """The server; `trusted` when a token keeps others out. Without one, any program on this machine could call it."""
    subscriptions = Subscriptions(workspace)
    server = MCPServer(
        "mcp-universal",
        subscriptions=subscriptions.bus,
        version=__version__,
        instructions="Tools for the files of one folder and for programs that work on them in a sandbox without a "
        "network. Paths are relative to the folder, with / between folders; in the sandbox it is /workspace.",
        log_level="WARNING",
    )

    subscriptions.attach(server)
    file_tools.offer(server, workspace, programs.sandbox, lambda what: _demand(trusted, what))

    @server.tool(annotations=RUNS)
    async def run_code(
        ctx: Context,
        language: Literal["python", "javascript", "bash"],
        code: Annotated[str, Field(max_length=MOST_READ)],
        timeout_s: Seconds = 30,
    ) -> Outcome:
        """Run a program in the sandbox, in the folder of the files; what it writes so far is reported as progress."""
        _demand(trusted, "running code")
        with as_tool_errors():
            return await programs.run_code(language, code, timeout_s, _progress(ctx, timeout_s))

    @server.tool(annotations=RUNS)
    async def run_command(
        ctx: Context, argv: Annotated[list[str], Field(min_length=1, max_length=1000)], timeout_s: Seconds = 30
    ) -> Outcome:
        """Run an allowed command in the sandbox, in the folder of the files, without a shell."""
        _demand(trusted, "running commands")
        with as_tool_errors():
            return await programs.run_command(argv, timeout_s, _progress(ctx, timeout_s))

    @server.tool(annotations=CALLS)
    async def call_service(
        ctx: Context,
        service: str,
        tool: str,
        arguments: dict[str, Any] | None = None,
    ) -> Called:
        """Call a tool of another service of this stack, such as `chat` of ollama-mcp or `ask` of sandra-ia."""
        # With the token of a peer we can do more than a caller who showed none.
        _demand(trusted or not peers.token(service), "calling services that ask for a token")
        if service == server.name:
            raise ToolError("unknown_service: call the tools of this service directly")
        return await call(peers, lines, service, tool, arguments or {}, ctx.report_progress)

    @server.resource("workspace://{+path}", mime_type="text/plain")
    def workspace_file(path: str) -> str | bytes:
        """A file of the workspace, up to 1 MiB."""
        try:
            data, size = workspace.read(path, 0, MOST_READ)
        except Refusal as refusal:
            raise (ResourceNotFoundError if refusal.code == "not_found" else ResourceError)(str(refusal)) from None
        if size > len(data):
            raise ResourceError(f"too_large: `{path}` has {size} bytes; read_file reads it in parts")
        text, data = decoded(data, at_end=True)
        return data if text is None else text

    return server


def _demand(trusted: bool, what: str) -> None:
    if not trusted:
        raise ToolError(f"auth_required: {what} is off until the service is started with MCP_TOKEN set")


def _progress(ctx: Context, total: float) -> Callable[[float, str], Any]:
    async def told(seconds: float, news: str) -> None:
        await ctx.report_progress(min(seconds, total), total, news or None)

    return told
