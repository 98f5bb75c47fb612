"""Who gets through to the server on the loopback."""

import hmac
from collections.abc import Sequence

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Guard:
    """Lets through what comes from a program that has the token, and never from a page of another origin.

    A browser sends what any page asks for to the loopback, and a page can have its own name lead here (DNS rebinding):
    so the Host has to be ours, an Origin too, and the token comes in a header that no form can set.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = {f"{name}:{port}".encode() for name in _NAMES}
        self._origins = {b"http://" + host for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers for itself, or hands on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # a WebSocket that nobody accepts is refused
        refused = self._refusal(scope["headers"])
        await (refused or self._app)(scope, receive, send)

    def _refusal(self, headers: Sequence[tuple[bytes, bytes]]) -> PlainTextResponse | None:
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in headers}:  # it has two ends
            return PlainTextResponse("the request has two lengths\n", 400, {"Connection": "close"})
        if [value.lower() for name, value in headers if name == b"host"] not in [[host] for host in self._hosts]:
            return PlainTextResponse("this server has another name\n", 421)
        if any(value.lower() not in self._origins for name, value in headers if name == b"origin"):
            return PlainTextResponse("not for pages of another origin\n", 403)
        given = [value for name, value in headers if name == b"authorization"]
        kind, _, token = (given[0] if len(given) == 1 else b"").partition(b" ")
        if kind.lower() != b"bearer" or not hmac.compare_digest(token.strip(), self._token):
            return PlainTextResponse("the token is missing or wrong\n", 401, {"WWW-Authenticate": "Bearer"})
        return None
