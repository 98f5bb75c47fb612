"""The same server for clients that connect by HTTP: on the loopback, on a port of a pool, and with a token alone."""

import contextlib
import functools
import sys
from collections.abc import Sequence

import anyio
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from supervisor import PortPool
from supervisor.api.silent import impatient
from supervisor.api.unwinding import unwound
from supervisor.errors import LockLost
from supervisor.mcp.guard import Guard
from supervisor.mcp.server import MOST_CALLS, MOST_STREAMS, McpServer

PATH = "/mcp"
MOST_BYTES = 256 * 1024  # of a request
MOST_SESSIONS = 64  # of clients of older protocols, each of which may have one stream
MOST_SILENT = 100  # connections that ask nothing; more are closed
MOST_AT_ONCE = MOST_SILENT + MOST_SESSIONS + MOST_STREAMS + MOST_CALLS  # further requests are told to come again
UNREAD_FOR = 30.0  # seconds until a client that reads nothing of its answer is let go


class Patient:
    """Ends answers that nobody has read for a while: what they hold is then free for others."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands on."""

        async def sent(message: Message) -> None:
            with anyio.fail_after(UNREAD_FOR):
                await send(message)

        with contextlib.suppress(TimeoutError):
            await self._app(scope, receive, sent)


def application(server: McpServer, token: str, port: int) -> ASGIApp:
    """The whole application, as it is served on that port."""
    app = server.server.streamable_http_app(
        streamable_http_path=PATH, max_request_body_size=MOST_BYTES, max_sessions=MOST_SESSIONS
    )
    return Guard(Patient(app), token, port)


def serve_http(server: McpServer, token: str, token_path: str, ports: Sequence[int]) -> None:
    """Serves on the first of these ports that is free, until a signal ends it; raises PoolExhausted where none is.

    Raises LockLost when somebody else may have the port.
    """
    served: list[uvicorn.Server] = []

    def on_lost(_: LockLost) -> None:
        for each in served:
            each.should_exit = True

    with unwound(), PortPool("portsup-mcp", ports, on_lost=on_lost).acquire() as lease:
        config = uvicorn.Config(
            application(server, token, lease.port), log_level="warning", access_log=False, ws="none",
            http=impatient(H11Protocol, MOST_SILENT), limit_concurrency=MOST_AT_ONCE, timeout_graceful_shutdown=2,
            server_header=False,
        )  # fmt: skip
        served.append(uvicorn.Server(config))
        print(f"http://127.0.0.1:{lease.port}{PATH}", flush=True)
        with contextlib.suppress(OSError):  # nobody reads it
            print(f"clients send the token in `{token_path}` as `Authorization: Bearer …`", file=sys.stderr, flush=True)
        anyio.run(functools.partial(served[0].serve, sockets=[lease.socket]))
        lease.check()
