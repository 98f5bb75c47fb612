"""WebSockets through the gateway: what one side sends goes to the other, until either closes."""

import asyncio

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from examples.api_server.gateway import Gateway, forwarded
from examples.forward import HOP_BY_HOP, path_of
from examples.trace import current
from examples.web import ServiceError

PATIENCE = 5.0  # seconds for a connection to the service
MOST = 16 * 1024 * 1024  # bytes of a message; services have limits of their own, below that
# Of the handshake, which the client library makes anew; and what is for us alone.
_OURS = HOP_BY_HOP | {"host", "origin", "content-length"}


async def pass_on(gateway: Gateway, socket: WebSocket, service: str) -> None:
    """Connects a client with the same path of a service. A handshake that the service refuses is refused alike."""
    try:
        url = gateway.peer(service).url.replace("http", "ws", 1) + path_of(socket, f"/{service}")
    except ServiceError as error:
        await socket.send_denial_response(error.response())
        return
    headers = Headers(scope=socket.scope)
    kept = [
        (name, value)
        for name, value in headers.items()
        if name not in _OURS and not name.startswith(("sec-websocket-", "x-forwarded-"))
    ]
    kept += forwarded(socket, service).items()
    if trace := current():
        kept = [*((name, value) for name, value in kept if name != "traceparent"), ("traceparent", trace.header)]
    try:
        async with connect(
            url,
            additional_headers=kept,
            user_agent_header=None,
            subprotocols=[Subprotocol(name) for name in socket.scope["subprotocols"]] or None,
            compression=None,
            proxy=None,
            open_timeout=PATIENCE,
            max_size=MOST,
        ) as upstream:
            await socket.accept(upstream.subprotocol)
            await _both_ways(socket, upstream)
    except InvalidStatus as refused:
        answer = refused.response
        kept_back = ("content-type", "retry-after", "www-authenticate")
        told = {name: value for name, value in answer.headers.raw_items() if name.lower() in kept_back}
        await socket.send_denial_response(Response(bytes(answer.body or b""), answer.status_code, told))
    except (OSError, TimeoutError, InvalidHandshake):
        away = ServiceError("upstream_unreachable", f"{service} cannot be reached", retry_after=5)
        await socket.send_denial_response(away.response())


async def _both_ways(socket: WebSocket, upstream: ClientConnection) -> None:
    ways = {asyncio.create_task(_to_service(socket, upstream)), asyncio.create_task(_to_client(socket, upstream))}
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _to_service(socket: WebSocket, upstream: ClientConnection) -> None:
    try:
        while (message := await socket.receive())["type"] == "websocket.receive":
            await upstream.send(message["text"] if message.get("text") is not None else message["bytes"])
        await upstream.close(_sendable(message.get("code")), message.get("reason") or "")
    except (ConnectionClosed, WebSocketDisconnect):
        pass


async def _to_client(socket: WebSocket, upstream: ClientConnection) -> None:
    try:
        async for message in upstream:
            if isinstance(message, str):
                await socket.send_text(message)
            else:
                await socket.send_bytes(message)
    except (ConnectionClosed, WebSocketDisconnect, OSError):
        pass
    try:
        await socket.close(_sendable(upstream.close_code), upstream.close_reason or "")
    except (RuntimeError, WebSocketDisconnect, OSError):  # the client was the first
        pass


def _sendable(code: int | None) -> int:
    """A code that may be sent (RFC 6455, 7.4.1): those that only tell how a connection ended become the nearest one."""
    if code is None or code == 1006:
        return 1011  # it broke off
    return 1000 if code == 1005 else code
