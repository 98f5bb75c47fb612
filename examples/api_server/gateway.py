"""`/SERVICE/PATH` goes to PATH of that service, wherever it is just now."""

import httpx2
from starlette.requests import Request
from starlette.responses import Response

from examples.forward import path_of, relay, request_headers, send, streamed_body
from examples.peers import Peers
from examples.web import ServiceError


async def pass_on(request: Request, service: str, peers: Peers, client: httpx2.AsyncClient, *, itself: str) -> Response:
    """The service's answer; whoever asks shows that service's token, if it wants one: the gateway adds none."""
    peer = peers.all().get(service)
    if peer is None or service == itself:
        raise ServiceError("unknown_service", f"there is no service `{service}` behind this gateway", 404)
    path = path_of(request, f"/{service}")
    headers = request_headers(request, frozenset(("origin",)))
    body = streamed_body(request, headers)
    url = peer.url + (path if path.startswith("/") else f"/{path}")
    answer = await send(client, request.method, url, headers, body, name=service)
    return relay(answer, name=service)
