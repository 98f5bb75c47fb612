"""The same server for clients that connect by HTTP: on the loopback, on a port of a pool, and with a token alone."""

import functools
import hmac
import sys
from collections.abc import Sequence

import anyio
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from supervisor import PortPool
from supervisor.api.silent import impatient
from supervisor.errors import LockLost
from supervisor.mcp.server import McpServer

PATH = "/mcp"
MOST_BYTES = 256 * 1024  # of a request
MOST_AT_ONCE = 200  # requests and streams; further ones are told to come again
MOST_SILENT = MOST_AT_ONCE // 2  # connections that ask nothing; more are closed
MOST_SESSIONS = 100
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
        if [value.lower() for name, value in headers if name == b"host"] not in [[host] for host in self._hosts]:
            return PlainTextResponse("this server has another name\n", 421)
        if any(value.lower() not in self._origins for name, value in headers if name == b"origin"):
            return PlainTextResponse("not for pages of another origin\n", 403)
        given = [value for name, value in headers if name == b"authorization"]
        kind, _, token = (given[0] if len(given) == 1 else b"").partition(b" ")
        if kind.lower() != b"bearer" or not hmac.compare_digest(token.strip(), self._token):
            return PlainTextResponse("the token is missing or wrong\n", 401, {"WWW-Authenticate": "Bearer"})
        return None


def application(server: McpServer, token: str, port: int) -> ASGIApp:
    """The whole application, as it is served on that port."""
    app = server.server.streamable_http_app(
        streamable_http_path=PATH, max_request_body_size=MOST_BYTES, max_sessions=MOST_SESSIONS
    )
    return Guard(app, token, port)


def serve_http(server: McpServer, token: str, token_path: str, ports: Sequence[int]) -> None:
    """Serves on the first of these ports that is free, until a signal ends it; raises PoolExhausted where none is.

    Raises LockLost when somebody else may have the port.
    """
    served: list[uvicorn.Server] = []

    def on_lost(_: LockLost) -> None:
        for each in served:
            each.should_exit = True

    with PortPool("portsup-mcp", ports, on_lost=on_lost).acquire() as lease:
        config = uvicorn.Config(
            application(server, token, lease.port), log_level="warning", access_log=False, ws="none",
            http=impatient(H11Protocol, MOST_SILENT), limit_concurrency=MOST_AT_ONCE, timeout_graceful_shutdown=2,
            server_header=False,
        )  # fmt: skip
        served.append(uvicorn.Server(config))
        print(f"http://127.0.0.1:{lease.port}{PATH}", flush=True)
        print(f"clients send the token in `{token_path}` as `Authorization: Bearer …`", file=sys.stderr, flush=True)
        anyio.run(functools.partial(served[0].serve, sockets=[lease.socket]))
        lease.check()
