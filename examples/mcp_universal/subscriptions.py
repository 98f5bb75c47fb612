"""Tells clients when files change that they have subscribed to, whoever changes them.

Clients of 2026-07-28 listen on a stream of their own (`subscriptions/listen`), older ones subscribe in their session
(`resources/subscribe`). The files are looked at as long as somebody wants to know: a look is one call of the system for
each, works on every kind of file system, and there are no more of them than clients asked for.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated
from mcp.types import INVALID_PARAMS, INVALID_REQUEST, EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams

from examples.mcp_listening import narrowed
from examples.mcp_universal.workspace import Refusal, Workspace

SCHEME = "workspace://"
LOOK = 0.5  # seconds between looks
MOST = 1000  # files that are looked at, of all clients together

Seen = tuple[int, int, int, int] | None


class Subscriptions:
    """Who wants to know of which files."""

    def __init__(self, workspace: Workspace) -> None:
        self.bus = InMemorySubscriptionBus()
        self._workspace = workspace
        self._wanted: Counter[str] = Counter()  # how many want to know of an address
        self._seen: dict[str, Seen] = {}
        self._sessions: dict[Connection, tuple[ServerSession, set[str]]] = {}
        self._looking: asyncio.Task[None] | None = None

    def attach(self, server: MCPServer) -> None:
        """Takes part in what the server is asked."""
        server.middleware.append(self._listening)
        lowlevel = server._lowlevel_server
        lowlevel.add_request_handler("resources/subscribe", SubscribeRequestParams, self._subscribe)
        lowlevel.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe)

    async def _listening(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method != "subscriptions/listen":
            return await call_next(ctx)
        ctx, uris = narrowed(ctx, lambda uri: not self._objection(uri))
        ours = set(uris)
        await self._want(ours)
        try:
            return await call_next(ctx)
        finally:
            self._forget(ours)

    async def _subscribe(self, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams) -> EmptyResult:
        uri = str(params.uri)
        if objection := self._objection(uri):
            raise MCPError(INVALID_PARAMS, objection)
        connection = ctx.session._connection  # a ServerSession is of one request
        if connection.session_id is None:
            raise MCPError(INVALID_REQUEST, "to subscribe takes a session: send `initialize`, and the Mcp-Session-Id")
        if connection not in self._sessions:
            self._sessions[connection] = (ctx.session, set())
            connection.exit_stack.callback(self._leave, connection)
        uris = self._sessions[connection][1]
        if uri not in uris:
            uris.add(uri)
            try:
                await self._want({uri})
            except MCPError:
                uris.discard(uri)
                raise
        return EmptyResult()

    async def _unsubscribe(self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams) -> EmptyResult:
        _, uris = self._sessions.get(ctx.session._connection, (None, set()))
        if (uri := str(params.uri)) in uris:
            uris.discard(uri)
            self._forget({uri})
        return EmptyResult()

    def _objection(self, uri: str) -> str:
        """Why nothing can ever be told of an address; empty for that of a file, which may not be there yet."""
        if not uri.startswith(SCHEME):
            return f"`{uri}` is no resource of this server: {SCHEME}PATH"
        try:
            self._workspace.locate(unquote(uri.removeprefix(SCHEME)))
        except Refusal as refusal:
            return f"{refusal}: a resource is {SCHEME}PATH, with the path of a file in the folder"
        return ""

    def _leave(self, connection: Connection) -> None:
        _, uris = self._sessions.pop(connection, (None, set()))
        self._forget(uris)

    async def _want(self, uris: Iterable[str]) -> None:
        new = [uri for uri in uris if uri not in self._wanted]
        if len(self._wanted) + len(new) > MOST:
            raise MCPError(INVALID_PARAMS, f"no more than {MOST} files can be subscribed to")
        self._wanted.update(uris)
        now = await asyncio.to_thread(self._look, new)
        self._seen.update((uri, seen) for uri, seen in now.items() if uri in self._wanted)
        if self._wanted and self._looking is None:
            self._looking = asyncio.create_task(self._keep_looking())

    def _forget(self, uris: Iterable[str]) -> None:
        self._wanted.subtract(uris)
        for uri in [uri for uri, count in self._wanted.items() if count <= 0]:
            del self._wanted[uri]
            self._seen.pop(uri, None)
        if not self._wanted and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            now = await asyncio.to_thread(self._look, list(self._wanted))
            for uri, seen in now.items():
                if uri in self._wanted and self._seen.get(uri) != seen:
                    self._seen[uri] = seen
                    await self._tell(uri)

    async def _tell(self, uri: str) -> None:
        await self.bus.publish(ResourceUpdated(uri))
        for session, uris in list(self._sessions.values()):
            if uri in uris:
                try:
                    await session.send_resource_updated(uri)
                except Exception:  # its stream is gone; the session ends by itself
                    continue

    def _look(self, uris: list[str]) -> dict[str, Seen]:
        return {uri: self._state(unquote(uri.removeprefix(SCHEME))) for uri in uris}

    def _state(self, path: str) -> Seen:
        """What changes when the file does; None while it is not there, or not to be seen."""
        try:
            status = os.stat(self._workspace.locate(path))
        except (OSError, Refusal, ValueError):
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode
