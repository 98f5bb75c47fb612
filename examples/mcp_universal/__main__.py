"""Serves the tools of `tools.py` at `/mcp`.

Environment: `MCP_PORT`, `MCP_ROOT` (the folder that the tools see, default `examples/workspace`), `MCP_TOKEN` (clients
must show it; without one, nothing can be written).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mcp.server import MCPServer
from starlette.applications import Starlette

from examples.mcp_endpoint import McpEndpoint
from examples.mcp_universal.tools import build
from examples.mcp_universal.workspace import Workspace
from examples.service import Service, SettingError, run, setting, token_of
from examples.web import Checks, ServiceError, health_routes, make_app

SERVICE = Service("mcp-universal", port_env="MCP_PORT", token_env="MCP_TOKEN", health_alias="/mcp/health")
DEFAULT_ROOT = Path(__file__).resolve().parent.parent / "workspace"


def app() -> Starlette:
    root = Path(setting("MCP_ROOT", str(DEFAULT_ROOT))).expanduser()
    if not root.is_dir():
        raise SettingError(f"`MCP_ROOT` must be a folder, and `{root}` is none")
    workspace = Workspace(root)
    may_write = bool(token_of(SERVICE))

    def server() -> MCPServer:
        return build(workspace, may_write=may_write)

    async def check_up() -> Checks:
        if workspace.root.is_dir():
            return Checks({"root": "ok"})
        problem = ServiceError("root_missing", "the folder that the tools work in is gone", retry_after=5)
        return Checks({"root": problem.code}, problem)

    endpoint = McpEndpoint(server, at_once=True)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with endpoint.running():
            yield

    return make_app([*health_routes(SERVICE.name, check_up, SERVICE.health_alias), endpoint.route()], lifespan)


if __name__ == "__main__":
    run(SERVICE, app)
