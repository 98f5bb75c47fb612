"""Around each application: who may ask, and how open answers end."""

import asyncio
import base64
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketClose

from examples.web import HEALTH, BrokenOff, ServiceError, is_below, last_words

_HERE = ("127.0.0.1", "localhost", "[::1]")


class Gate:
    """Lets through what is meant for this server, and shows the token if one is set.

    Pages of other sites that a browser on this machine has open must not reach us: their requests carry either a
    foreign `Host` (DNS rebinding) or a foreign `Origin`.
    """

    def __init__(
        self, app: ASGIApp, token: str, health: Sequence[str], open_paths: Sequence[str], host: str,
        text_errors: str = "",
    ) -> None:  # fmt: skip
        self.app = app
        self._hosts = (*_HERE, host)  # that we listen on
        self._text_errors = text_errors
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
        if "transfer-encoding" in headers and ("content-length" in headers or scope.get("http_version") == "1.0"):
            # RFC 9112, 6.1: the next server might see another end of the body, and a second request behind it.
            return ServiceError("bad_framing", "a body has either a Content-Length or a Transfer-Encoding", 400)
        if not self._is_ours(headers.get("host", "")):
            status = 421 if path == "/mcp" else 400  # 421 is what the MCP SDK answers
            return ServiceError("invalid_host", f"this service answers to {self._named()} only", status)
        origin = headers.get("origin")
        if origin is not None and not self._is_ours(origin.partition("://")[2]):
            return ServiceError("invalid_origin", "pages of other sites may not use this service", 403)
        if not self._token or path in self._open:
            return None
        # Both: behind the gateway, whose token is in the one, a service with another token finds its own in the other.
        shown = [_bearer(headers.get("authorization", "")), headers.get("mcp-secret", ""), headers.get("x-api-key", "")]
        if scope["type"] == "websocket":  # a browser cannot set headers on one
            shown.append(token_in(scope["subprotocols"]))
        if any(secrets.compare_digest(each.encode(), self._token) for each in shown):
            return None
        if ".well-known" in path.split("/"):
            # Clients of MCP look there for an authorization server: 404 says that there is none, and that it is the
            # token of this service which is wanted.
            return ServiceError("not_found", "there is nothing at this address", 404)
        return ServiceError("auth_required", "send `Authorization: Bearer <token>`", 401)

    def _is_ours(self, authority: str) -> bool:
        host = authority.rpartition(":")[0] if authority.rpartition(":")[2].isdecimal() else authority
        return host.lower() in self._hosts

    def _named(self) -> str:
        host = self._hosts[-1]
        return "localhost" if host in _HERE else f"localhost and {host}"

    async def _refuse(self, error: ServiceError, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            response = error.response(as_text=is_below(scope["path"], self._text_errors))
            if error.code == "bad_framing":
                response.headers["connection"] = "close"
            await response(scope, receive, send)
        elif "websocket.http.response" in scope.get("extensions", {}):
            await WebSocket(scope, receive, send).send_denial_response(error.response())
        else:
            await WebSocketClose(1008, error.code)(scope, receive, send)


def _bearer(authorization: str) -> str:
    """The token of the scheme `Bearer`, in large or small letters (RFC 9110, 11.1)."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def token_in(subprotocols: Sequence[str]) -> str:
    """The token that a browser offers as the subprotocol `token.` and the token in base64url without padding.

    A page cannot set headers on a WebSocket. In the address the token would get into logs; a cookie would go to every
    other server on this machine too, because cookies know no ports; a subprotocol is seen by this server only.
    """
    for offered in subprotocols:
        if offered.startswith("token."):
            text = offered.removeprefix("token.")
            try:
                return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
            except ValueError:  # no base64, no ASCII, no UTF-8
                return ""
    return ""


# How long a client may send nothing of a body that it has begun, or take nothing of its answer, in seconds.
PATIENCE = 30.0


class OpenRequests:
    """Every request that is being answered, so that all of them can be ended: a stream may last for hours.

    One whose client has left is cancelled, wherever it is just then: what it asked of a server behind us is not wanted
    any more. One whose client sends or takes nothing for `PATIENCE` is ended, because it may hold one of few places.
    """

    def __init__(self, app: ASGIApp, text_errors: str = "") -> None:
        self.app = app
        self._text_errors = text_errors
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended = False

    def end(self) -> None:
        """Ends them now: one whose answer has begun breaks off, so that it looks incomplete; the others get a 503."""
        self._ended = True
        for task in self._tasks:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun: Headers | None = None
        ending = complete = within_line = False
        task = asyncio.current_task()
        assert task is not None

        def left() -> None:
            if not ending:  # uvicorn says so at the end of every answer, too
                task.cancel()

        client = _Client(receive, left)

        async def watched(message: Message) -> None:
            nonlocal begun, ending, complete, within_line
            is_body = message["type"] == "http.response.body"
            ending = is_body and not message.get("more_body", False)
            try:
                async with asyncio.timeout(PATIENCE):
                    await send(message)
            except TimeoutError:
                raise BrokenOff("the client") from None
            complete = ending
            if not is_body:
                begun = Headers(raw=message["headers"])
            elif message.get("body"):
                within_line = not message["body"].endswith(b"\n")

        async def break_off() -> None:
            """With an error in the stream, where its format has one, else without the last chunk (RFC 9112, 8)."""
            stopped = ServiceError("shutting_down", "the service was stopped before the answer was complete")
            is_mcp = scope["path"].endswith("/mcp")  # nothing but JSON-RPC may be in its events
            if is_mcp and scope["method"] == "GET":  # a stream of news, of which none are missing
                with suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif begun and not is_mcp and (words := last_words(begun, stopped, within_line=within_line)):
                with suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        await send({"type": "http.response.body", "body": words, "more_body": False})

        self._tasks.add(task)
        if not Headers(scope=scope).get("expect"):  # a client that waits for "100 Continue" gets it from whoever reads
            client.listen()
        try:
            await self.app(scope, client.receive, watched)
            if begun is not None and not complete and not client.gone:  # sse-starlette returns when it sees a shutdown
                await break_off()
        except BrokenOff:
            pass
        except asyncio.CancelledError:
            if not self._ended and not client.gone:
                raise
            task.uncancel()
            if client.gone:
                return
            if begun is None:
                stopped = ServiceError("shutting_down", "the service is being stopped")
                await stopped.response(as_text=is_below(scope["path"], self._text_errors))(scope, receive, send)
            elif not complete:
                await break_off()
        finally:
            client.close()
            self._tasks.discard(task)


class _Client:
    """Reads one message ahead of the application, which else would not notice that the client is gone."""

    def __init__(self, receive: Receive, left: Callable[[], None]) -> None:
        self.gone = False
        self._receive = receive
        self._left = left
        self._messages: asyncio.Queue[Message] = asyncio.Queue(1)
        self._whole = False
        self._listener: asyncio.Task[None] | None = None

    def listen(self) -> None:
        self._listener = self._listener or asyncio.create_task(self._listen())

    def close(self) -> None:
        if self._listener:
            self._listener.cancel()

    async def receive(self) -> Message:
        self.listen()
        try:
            async with asyncio.timeout(None if self._whole else PATIENCE):
                message = await self._messages.get()
        except TimeoutError:
            why = f"nothing of the body came for {PATIENCE:g} seconds"
            raise ServiceError("request_timeout", why, 408) from None
        self._whole = self._whole or not message.get("more_body", False)
        return message

    async def _listen(self) -> None:
        message: Message = {}
        while message.get("type") != "http.disconnect":
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone = True
                self._left()
            await self._messages.put(message)
        while True:
            await self._messages.put(message)
