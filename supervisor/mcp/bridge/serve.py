"""Serves the program on the port of its service, until a signal or the end of the program ends it."""

import contextlib
import logging
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from importlib import metadata
from typing import Any

import anyio
import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from supervisor.mcp.bridge.sessions import IDLE, Sessions
from supervisor.mcp.bridge.shared import Shared
from supervisor.mcp.bridge.tally import Counted, Tally, take_address

PATH = "/mcp"
MOST_BYTES = 4 * 1024 * 1024  # of a request
BACKLOG = 128


def serve(share: str, most: int, command: Sequence[str], port: int, host: str) -> int:
    """Serves it; the exit code."""
    if shutil.which(command[0]) is None:
        print(f"cannot run `{command[0]}`: there is no such program", file=sys.stderr)
        return 127
    _log_plainly()
    work = _shared if share == "one" else _apart
    try:
        return anyio.run(work, command, most, (host, port), Tally(take_address()))
    except* MCPError as failed:
        print(f"`{command[0]}` does not answer as a server of MCP does: {_first(failed)}", file=sys.stderr)
    except* OSError as failed:
        print(f"cannot serve `{command[0]}`: {_first(failed)}", file=sys.stderr)
    return 1


class _Plain(logging.Formatter):
    """One line for what a library logs; the trace of an exception is of no use to those who read it."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        why = f": {str(error).splitlines()[0]}" if error is not None and str(error) else ""
        return f"{record.getMessage()}{why}"


def _log_plainly() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Plain())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


async def _shared(command: Sequence[str], most: int, place: tuple[str, int], tally: Tally) -> int:
    host, _ = place
    shared = Shared(command, metadata.version("portsup"))
    async with shared.running() as server:
        tally.note(programs=1)
        app: Any = server.streamable_http_app(
            streamable_http_path=PATH, host=host, max_request_body_size=MOST_BYTES, session_idle_timeout=IDLE,
            custom_starlette_routes=[_health(tally)],
        )  # fmt: skip
        web = _web(Counted(app, tally, IDLE))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_stop_with, shared.program.gone, web)
            await web.serve(sockets=[_listen(*place)])
            tasks.cancel_scope.cancel()
    if shared.program.gone.is_set() and not web.stopped_by_signal:
        print(f"`{command[0]}` has ended", file=sys.stderr)
        return 1
    return 0


async def _apart(command: Sequence[str], most: int, place: tuple[str, int], tally: Tally) -> int:
    sessions = Sessions(command, most, _security(place[0]), tally)

    @contextlib.asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        async with anyio.create_task_group() as sessions.tasks:
            yield
            sessions.tasks.cancel_scope.cancel()

    app = Starlette(routes=[_health(tally), Route(PATH, endpoint=sessions)], lifespan=running)
    await _web(app).serve(sockets=[_listen(*place)])
    return 0


class _Web(uvicorn.Server):
    """Knows whether it was asked to end."""

    stopped_by_signal = False

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.stopped_by_signal = True
        super().handle_exit(sig, frame)


def _web(app: Any) -> _Web:
    return _Web(uvicorn.Config(
        app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=2, server_header=False,
    ))  # fmt: skip


async def _stop_with(gone: anyio.Event, web: uvicorn.Server) -> None:
    await gone.wait()
    web.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    return listener


def _security(host: str) -> TransportSecuritySettings | None:
    """A page of the web can have its own name lead to the loopback: so the names have to be those of the loopback."""
    if host not in ("127.0.0.1", "localhost", "::1"):
        return None
    names = ["127.0.0.1:*", "localhost:*", "[::1]:*"]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True, allowed_hosts=names, allowed_origins=[f"http://{name}" for name in names]
    )


def _health(tally: Tally) -> Route:
    async def answer(_: Any) -> JSONResponse:
        return JSONResponse({"programs": tally.programs, "sessions": tally.sessions})

    return Route("/health", answer, methods=["GET"])


def _first(group: BaseException) -> BaseException:
    return _first(group.exceptions[0]) if isinstance(group, BaseExceptionGroup) else group


def main() -> int:
    """`SHARE MAX VARIABLE -- COMMAND …`, with the port in that variable."""
    share, most, variable, _, *command = sys.argv[1:]
    return serve(share, int(most), command, int(os.environ[variable]), os.environ.get("HOST", "127.0.0.1"))
