"""Sessions for clients that know MCP up to 2025-11-25, which can cancel and subscribe in one only.

Clients of 2026-07-28 have none. A service under a supervisor is restarted now and then, and its sessions go with the
process. The specification has clients begin again then; few do. So a session that is not known is served all the same,
request by request, without what needs a session.
"""

import json
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

if TYPE_CHECKING:
    from mcp.server.lowlevel.server import Server

MOST_SESSIONS = 1000  # one more is served without
IDLE = 600.0  # seconds without a request or an open stream after which a session is given up
ENDED_KEPT = 10_000  # sessions that their clients have ended are remembered: those are gone, as they wished


class Sessions(StreamableHTTPSessionManager):
    """Serves every request, in its session if there is one."""

    def __init__(self, app: "Server[Any]") -> None:
        super().__init__(app, max_sessions=MOST_SESSIONS, session_idle_timeout=IDLE)
        self._ended: OrderedDict[str, None] = OrderedDict()

    async def _handle_stateful_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        first = await receive()  # the whole body: the SDK's limit of its size has read it

        async def again() -> Message:
            nonlocal first
            message, first = first, {}
            return message or await receive()

        session = headers.get(MCP_SESSION_ID_HEADER)
        asked = _json_object(first.get("body", b"")) if scope["method"] == "POST" else {}
        is_new = session is None and asked.get("method") == "initialize"
        if session in self._ended or session in self._server_instances:
            if scope["method"] == "DELETE" and session is not None:
                self._remember(session)
            await self._in_session(session or "", asked.get("id"), scope, again, send)
        elif is_new and len(self._server_instances) < MOST_SESSIONS:
            await super()._handle_stateful_request(scope, again, send)
        else:
            await self._handle_stateless_request(headers.get(MCP_PROTOCOL_VERSION_HEADER), scope, again, send)

    async def _in_session(self, session: str, request: Any, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super()._handle_stateful_request(scope, receive, send)
        except anyio.get_cancelled_exc_class():
            # The client has left, or the service stops: nobody can read the answer any more.
            if scope["method"] == "POST" and request is not None and session in self._server_instances:
                with anyio.move_on_after(5, shield=True):
                    await self._cancel(session, request, scope)
            raise

    async def _cancel(self, session: str, request: Any, scope: Scope) -> None:
        params = {"requestId": request, "reason": "the client has left"}
        body = json.dumps({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}).encode()

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(_: Message) -> None:
            pass

        kept = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        headers = [*kept, (b"content-length", str(len(body)).encode())]
        await super()._handle_stateful_request({**scope, "headers": headers}, receive, send)

    def _remember(self, session: str) -> None:
        self._ended[session] = None
        if len(self._ended) > ENDED_KEPT:
            self._ended.popitem(last=False)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}  # the SDK says what is wrong with it
    return value if isinstance(value, dict) else {}
