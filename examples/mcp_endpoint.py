"""`/mcp`, spoken with the official SDK."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from examples.mcp_sessions import Sessions


class McpEndpoint:
    """An MCP server as one route of a larger application.

    The SDK takes most of a second of processor time to import. Where MCP is only one of several faces of a service
    (`at_once=False`), that waits for the first request. A server with `resources` says itself of which it tells.
    """

    def __init__(self, build: "Callable[[], MCPServer]", *, at_once: bool = False, resources: bool = False) -> None:
        self._build = build
        self._wanted = asyncio.Event()
        self._closing = asyncio.Event()
        self._at_once = at_once
        self._resources = resources

    def route(self) -> Route:
        return Route("/mcp", endpoint=self, methods=["GET", "POST", "DELETE"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._wanted.set()
        app = await asyncio.shield(self._app)
        await app(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """For the application's lifespan."""
        self._app: asyncio.Future[ASGIApp] = asyncio.get_running_loop().create_future()
        # The session manager must be left by the task that entered it, so one task does both.
        keeper = asyncio.create_task(self._keep())
        if self._at_once:
            self._wanted.set()
            await asyncio.shield(self._app)
        try:
            yield
        finally:
            self._closing.set()
            self._wanted.set()
            await asyncio.wait({keeper})

    async def _keep(self) -> None:
        await self._wanted.wait()
        if self._closing.is_set():
            return
        try:
            sessions = await asyncio.to_thread(self._make_sessions)
        except Exception as error:
            self._app.set_exception(error)
            return
        async with sessions.run():
            gc.freeze()  # as in service.py: the SDK is loaded by the first request where MCP is one face of several
            self._app.set_result(sessions.asgi_app)
            await self._closing.wait()

    def _make_sessions(self) -> "Sessions":
        server = self._build()
        from examples.mcp_listening import without_resources
        from examples.mcp_sessions import Sessions
        from examples.mcp_words import plain_words

        server.middleware.append(plain_words)
        if not self._resources:
            server.middleware.append(without_resources)
        # Who may ask has been decided by gate.py, with which the SDK's own protection would only agree.
        return Sessions(server._lowlevel_server)
