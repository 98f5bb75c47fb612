"""Serves the tools of `tools.py` at `/mcp`.

Environment: `MCP_PORT`, `MCP_ROOT` (the folder that the tools see, default `examples/workspace`), `MCP_TOKEN` (clients
must show it; without one, nothing can be written or run), `MCP_COMMANDS` (programs that `run_command` may start, by
name; none by default). Code and commands run in the sandbox of `sandbox.py`; where there is none the service is
`degraded`, and only those two tools answer `sandbox_unavailable`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mcp.server import MCPServer
from starlette.applications import Starlette

from examples.mcp_endpoint import McpEndpoint
from examples.mcp_universal.lines import Lines
from examples.mcp_universal.programs import Programs, allowed_commands
from examples.mcp_universal.sandbox import Sandbox
from examples.mcp_universal.tools import build
from examples.mcp_universal.workspace import Workspace
from examples.peers import Peers
from examples.service import Service, SettingError, run, setting, token_of
from examples.web import Checks, ServiceError, health_routes, make_app

SERVICE = Service("mcp-universal", port_env="MCP_PORT", token_env="MCP_TOKEN", health_alias="/mcp/health")
DEFAULT_ROOT = Path(__file__).resolve().parent.parent / "workspace"


def app() -> Starlette:
    root = Path(setting("MCP_ROOT", str(DEFAULT_ROOT))).expanduser()
    if not root.is_dir():
        raise SettingError(f"`MCP_ROOT` must be a folder, and `{root}` is none")
    workspace = Workspace(root)
    sandbox = Sandbox(workspace.root)
    programs = Programs(sandbox, allowed_commands(setting("MCP_COMMANDS")))
    trusted = bool(token_of(SERVICE))
    lines = Lines()

    def server() -> MCPServer:
        return build(workspace, programs, Peers(), lines, trusted=trusted)

    async def check_up() -> Checks:
        sandbox_is = "sandbox_unavailable" if await sandbox.problem() else "ok"
        if workspace.root.is_dir():
            return Checks({"root": "ok", "sandbox": sandbox_is})
        problem = ServiceError("root_missing", "the folder that the tools work in is gone", retry_after=5)
        return Checks({"root": problem.code, "sandbox": sandbox_is}, problem)

    endpoint = McpEndpoint(server, at_once=True, resources=True)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tried = asyncio.create_task(sandbox.problem())  # so that the first answer of /health is quick
        async with endpoint.running():
            await tried
            try:
                yield
            finally:
                await lines.close()

    return make_app([*health_routes(SERVICE.name, check_up, SERVICE.health_alias), endpoint.route()], lifespan)


if __name__ == "__main__":
    run(SERVICE, app)
