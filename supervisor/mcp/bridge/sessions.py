"""A program for each session: every message goes to it and back as it is, and it ends with its session."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import anyio
import anyio.abc
import mcp_types as types
from mcp.client.stdio import stdio_client
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from supervisor.api.lacking import in_words
from supervisor.mcp.bridge.program import parameters
from supervisor.mcp.bridge.tally import Tally

IDLE = 1800.0  # seconds without a request or a stream after which a session is over
_INVALID, _FAILED, _UNSUPPORTED = -32600, -32603, -32022


class Sessions:
    """The sessions that are open, `most` at a time; further ones are refused."""

    def __init__(
        self, command: Sequence[str], most: int, security: TransportSecuritySettings | None, tally: Tally
    ) -> None:
        self._parameters, self._most, self._security = parameters(command), most, security
        self._tally = tally
        self._open: dict[str, StreamableHTTPServerTransport] = {}
        self.tasks: anyio.abc.TaskGroup  # in which the programs run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        headers = Request(scope).headers
        version, session = headers.get("mcp-protocol-version"), headers.get("mcp-session-id")
        if version is not None and version not in HANDSHAKE_PROTOCOL_VERSIONS:
            known = sorted(HANDSHAKE_PROTOCOL_VERSIONS)
            data = {"supported": known, "requested": version}
            refused = _refusal(400, _UNSUPPORTED, "each session has a program of its own here, so it needs one", data)
            await refused(scope, receive, send)
        elif session is None:
            await self._begin(scope, receive, send)
        elif (transport := self._open.get(session)) is None:
            await _refusal(404, _INVALID, "there is no such session")(scope, receive, send)
        else:
            await transport.handle_request(scope, receive, send)
            if transport.is_terminated:
                self._forget(session)

    async def _begin(self, scope: Scope, receive: Receive, send: Send) -> None:
        if len(self._open) >= self._most:
            words = f"{self._most} sessions are open, and there may be no more: end one, or raise `max` of `stdio`"
            await _refusal(503, _FAILED, words)(scope, receive, send)
            return
        session = uuid4().hex
        transport = StreamableHTTPServerTransport(session, security_settings=self._security, idle_timeout=IDLE)
        self._open[session] = transport
        self._tally.note(sessions=len(self._open))
        status = 0

        async def note(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.tasks.start(self._serve, session, transport)
            await transport.handle_request(scope, receive, note)
        finally:
            if not 200 <= status < 400:  # nobody knows of the session
                await self._end(session, transport)

    async def _serve(
        self, session: str, transport: StreamableHTTPServerTransport, *, task_status: anyio.abc.TaskStatus[None]
    ) -> None:
        try:
            async with transport.connect() as (asked, answers):
                task_status.started()
                first = await asked.receive()  # only who speaks the protocol has a program started
                if isinstance(first, Exception):
                    return
                with transport.idle_scope or anyio.CancelScope():
                    await self._pipe(first, asked, answers)
        except* (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            pass  # it is over
        except* OSError as failed:  # of this one; the sessions of others go on
            print(_reasons(failed), file=sys.stderr)
        finally:
            with anyio.CancelScope(shield=True):
                await self._end(session, transport)

    async def _pipe(self, first: SessionMessage, asked: Any, answers: Any) -> None:
        """Everything goes to a program of its own and back, until one of the two has ended."""
        under_way: dict[Any, Any] = {}  # requests without an answer, and the token of their progress

        async def to_program(ours: Any) -> None:
            message: Any = first
            while True:
                if isinstance(message, SessionMessage):
                    if isinstance(message.message, types.JSONRPCRequest):
                        under_way[message.message.id] = _token(message.message.params)
                    await ours.send(SessionMessage(message.message))
                message = await asked.receive()

        async def to_client(theirs: Any) -> None:
            async for message in theirs:
                if isinstance(message, SessionMessage):
                    await answers.send(_placed(message, under_way))
            tasks.cancel_scope.cancel()  # it has ended

        async with contextlib.AsyncExitStack() as stack:
            try:
                theirs, ours = await stack.enter_async_context(stdio_client(self._parameters))
            except OSError as error:  # no process or descriptor is left
                await answers.send(_not_started(first, error))
                raise
            stack.enter_context(self._counted())
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(to_client, theirs)
                tasks.start_soon(_until_closed, to_program, ours, tasks)

    async def _end(self, session: str, transport: StreamableHTTPServerTransport) -> None:
        self._forget(session)
        if not transport.is_terminated:
            await transport.terminate()

    def _forget(self, session: str) -> None:
        self._open.pop(session, None)
        self._tally.note(sessions=len(self._open))

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        """While a program runs."""
        self._tally.note(programs=self._tally.programs + 1)
        try:
            yield
        finally:
            self._tally.note(programs=self._tally.programs - 1)


async def _until_closed(work: Any, stream: Any, tasks: anyio.abc.TaskGroup) -> None:
    try:
        await work(stream)
    except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
        tasks.cancel_scope.cancel()


def _placed(message: SessionMessage, under_way: dict[Any, Any]) -> SessionMessage:
    """A message of the program with the request that it belongs to, on whose stream it then goes."""
    body = message.message
    if isinstance(body, types.JSONRPCResponse | types.JSONRPCError):
        under_way.pop(body.id, None)
        return message
    related = None
    if isinstance(body, types.JSONRPCNotification) and body.method == "notifications/progress":
        token = (body.params or {}).get("progressToken")
        related = next((number for number, each in under_way.items() if each is not None and each == token), None)
    elif isinstance(body, types.JSONRPCRequest) and under_way:
        related = list(under_way)[-1]  # it asks while it works on that
    return message if related is None else SessionMessage(body, ServerMessageMetadata(related_request_id=related))


def _not_started(first: SessionMessage, error: OSError) -> SessionMessage:
    """The answer to the first message of a session that cannot have a program."""
    number = first.message.id if isinstance(first.message, types.JSONRPCRequest) else None
    told = types.ErrorData(code=_FAILED, message=f"cannot start a program for this session: {in_words(error).why}")
    return SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=number, error=told))


def _reasons(failed: BaseException) -> str:
    """What went wrong with a session, in a line."""
    while isinstance(failed, BaseExceptionGroup):
        failed = failed.exceptions[0]
    why = in_words(failed).why if isinstance(failed, OSError) else str(failed)
    return f"a session has ended: {why}"


def _token(params: Any) -> Any:
    meta = (params or {}).get("_meta") if isinstance(params, dict) else None
    return meta.get("progressToken") if isinstance(meta, dict) else None


def _refusal(status: int, code: int, words: str, data: Any = None) -> JSONResponse:
    error = {"code": code, "message": words} | ({"data": data} if data is not None else {})
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": error}, status)
