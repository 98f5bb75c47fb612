"""The tools and the resource that MCP Universal offers.

What a tool returns is a dataclass: the SDK makes its output schema of it, and clients get the same as structured
content and as text. What can go wrong is said as `<code>: <message>`, so that models and programs understand it.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from examples import __version__
from examples.mcp_universal.calls import Called, call
from examples.mcp_universal.programs import Programs
from examples.mcp_universal.sandbox import Outcome
from examples.mcp_universal.workspace import MOST_READ, Entry, Match, Refusal, Workspace
from examples.peers import Peers
from examples.tool_errors import as_tool_errors

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)
RUNS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=False)
CALLS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True)

T = TypeVar("T")
Limit = Annotated[int, Field(ge=1, le=1000)]
Seconds = Annotated[float, Field(gt=0, le=60)]


@dataclass
class Listing:
    entries: list[Entry]
    truncated: bool


@dataclass
class FileContent:
    path: str
    size: int
    offset: int
    next_offset: int | None  # None at the end of the file
    encoding: Literal["utf-8", "base64"]
    content: str


@dataclass
class Written:
    path: str
    bytes: int
    created: bool


@dataclass
class Found:
    matches: list[Match]
    truncated: bool


def build(workspace: Workspace, programs: Programs, peers: Peers, *, trusted: bool) -> MCPServer:
    """The server; `trusted` when a token keeps others out. Without one, any program on this machine could call it."""
    server = MCPServer(
        "mcp-universal",
        version=__version__,
        instructions="Tools for the files of one folder and for programs that work on them in a sandbox without a "
        "network. Paths are relative to the folder, with / between folders; in the sandbox it is /workspace.",
        log_level="WARNING",
    )

    @server.tool(annotations=READS)
    def list_files(path: str = ".", glob: str = "*", limit: Limit = 200) -> Listing:
        """List files and folders; `**/` in the glob goes into folders, as in `**/*.py`."""
        return Listing(*_or_error(lambda: workspace.entries(path, glob, limit)))

    @server.tool(annotations=READS)
    def read_file(
        path: str,
        offset: Annotated[int, Field(ge=0)] = 0,
        limit: Annotated[int, Field(ge=1, le=MOST_READ)] = 65536,
    ) -> FileContent:
        """Read `limit` bytes of a file from `offset`; what is not UTF-8 comes as base64."""
        data, size = _or_error(lambda: workspace.read(path, offset, limit))
        text, data = _decoded(data, at_end=offset + len(data) >= size)
        end = offset + len(data)
        following = end if end < size and data else None
        if text is None:
            return FileContent(path, size, offset, following, "base64", base64.b64encode(data).decode())
        return FileContent(path, size, offset, following, "utf-8", text)

    @server.tool(annotations=WRITES)
    def write_file(path: str, content: str, create_dirs: bool = False) -> Written:
        """Write a text file as a whole, replacing what was there."""
        _demand(trusted, "writing")
        data = content.encode("utf-8", "surrogatepass")
        return Written(path, len(data), _or_error(lambda: workspace.write(path, data, create_dirs)))

    @server.tool(annotations=READS)
    def search_files(text: str, glob: str = "**/*", limit: Limit = 100) -> Found:
        """Find lines that contain a text, exactly as written, in the files that match the glob."""
        return Found(*_or_error(lambda: workspace.search(text, glob, limit)))

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
        return await call(peers, service, tool, arguments or {}, ctx.report_progress)

    @server.resource("workspace://{+path}", mime_type="text/plain")
    def workspace_file(path: str) -> str | bytes:
        """A file of the workspace, up to 1 MiB."""
        try:
            data, size = workspace.read(path, 0, MOST_READ)
        except Refusal as refusal:
            raise (ResourceNotFoundError if refusal.code == "not_found" else ResourceError)(str(refusal)) from None
        if size > len(data):
            raise ResourceError(f"too_large: `{path}` has {size} bytes; read_file reads it in parts")
        text, data = _decoded(data, at_end=True)
        return data if text is None else text

    return server


def _demand(trusted: bool, what: str) -> None:
    if not trusted:
        raise ToolError(f"auth_required: {what} is off until the service is started with MCP_TOKEN set")


def _progress(ctx: Context, total: float) -> Callable[[float, str], Any]:
    async def told(seconds: float, news: str) -> None:
        await ctx.report_progress(min(seconds, total), total, news or None)

    return told


def _or_error(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except Refusal as refusal:
        raise ToolError(str(refusal)) from None


def _decoded(data: bytes, *, at_end: bool) -> tuple[str | None, bytes]:
    """The text of `data`, without a character cut in two at its end, and the bytes that it stands for."""
    try:
        return data.decode(), data
    except UnicodeDecodeError as error:
        if not at_end and error.reason == "unexpected end of data" and error.start > 0:
            return data[: error.start].decode(), data[: error.start]
        return None, data
