"""Around each application: who may ask, and how open answers end."""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketClose

from examples.web import HEALTH, BrokenOff, ServiceError


class Gate:
    """Lets through what comes from this machine, is meant for it, and shows the token if one is set.

    Pages of other sites that a browser on this machine has open must not reach us: their requests carry either a
    foreign `Host` (DNS rebinding) or a foreign `Origin`.
    """

    def __init__(self, app: ASGIApp, token: str, health: Sequence[str], open_paths: Sequence[str]) -> None:
        self.app = app
        self._token = token.encode()
        self._open = frozenset(open_paths) | {prefix + end for prefix in health if prefix for end in HEALTH}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and (error := self._objection(scope)):
            await self._refuse(error, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _objection(self, scope: Scope) -> ServiceError | None:
        headers = Headers(scope=scope)
        path: str = scope["path"]
        if not _is_here(headers.get("host", "")):
            status = 421 if path == "/mcp" else 400  # 421 is what the MCP SDK answers
            return ServiceError("invalid_host", "this service answers to localhost only", status)
        origin = headers.get("origin")
        if origin is not None and not _is_here(origin.partition("://")[2]):
            return ServiceError("invalid_origin", "pages of other sites may not use this service", 403)
        if not self._token or path in self._open:
            return None
        shown = headers.get("authorization", "").removeprefix("Bearer ").strip() or headers.get("mcp-secret", "")
        if not shown and scope["type"] == "websocket":  # a browser can not set headers on one
            shown = QueryParams(scope["query_string"]).get("token", "")
        if secrets.compare_digest(shown.encode(), self._token):
            return None
        return ServiceError("auth_required", "send `Authorization: Bearer <token>`", 401)

    async def _refuse(self, error: ServiceError, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await error.response()(scope, receive, send)
        elif "websocket.http.response" in scope.get("extensions", {}):
            await WebSocket(scope, receive, send).send_denial_response(error.response())
        else:
            await WebSocketClose(1008, error.code)(scope, receive, send)


def _is_here(authority: str) -> bool:
    host = authority.rpartition(":")[0] if authority.rpartition(":")[2].isdecimal() else authority
    return host.lower() in ("127.0.0.1", "localhost", "[::1]")


class OpenRequests:
    """Every request that is being answered, so that all of them can be ended: a stream may last for hours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended = False

    def end(self) -> None:
        """Ends them now: one whose answer has begun is completed as it is, the others are told to come again."""
        self._ended = True
        for task in self._tasks:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = complete = False

        async def watched(message: Message) -> None:
            nonlocal begun, complete
            await send(message)
            begun = True
            complete = message["type"] == "http.response.body" and not message.get("more_body", False)

        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self.app(scope, receive, watched)
        except BrokenOff:
            pass
        except asyncio.CancelledError:
            if not self._ended:
                raise
            task.uncancel()
            if not begun:
                await ServiceError("shutting_down", "the service is being stopped").response()(scope, receive, send)
            elif not complete:
                try:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                except Exception:  # less was sent than Content-Length says: the connection just ends
                    pass
        finally:
            self._tasks.discard(task)
