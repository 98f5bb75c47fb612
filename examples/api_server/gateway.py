"""`/SERVICE/PATH` goes to PATH of that service, wherever it is just now."""

import httpx2
from starlette.requests import Request
from starlette.responses import Response

from examples.api_server.tracing import Spans
from examples.forward import path_of, relay, request_headers, send, streamed_body
from examples.peers import Peers
from examples.trace import current
from examples.web import ServiceError


class Gateway:
    """Passes requests on. Whoever asks shows that service's token, if it wants one: the gateway adds none."""

    def __init__(self, itself: str, peers: Peers, client: httpx2.AsyncClient, spans: Spans) -> None:
        self._itself = itself
        self._peers = peers
        self._client = client
        self._spans = spans

    async def pass_on(self, request: Request, service: str) -> Response:
        """The service's answer, as it comes."""
        peer = self._peers.all().get(service)
        if peer is None or service == self._itself:
            raise ServiceError("unknown_service", f"there is no service `{service}` behind this gateway", 404)
        path = path_of(request, f"/{service}")
        path = path if path.startswith("/") else f"/{path}"
        headers = request_headers(request, frozenset(("origin",)))
        body = streamed_body(request, headers)
        span = self._spans.begin(current(), service, request.method, path.partition("?")[0])
        try:
            answer = await send(self._client, request.method, peer.url + path, headers, body, name=service)
        except ServiceError as error:
            span.answered(error.status, error.code)
            self._spans.end(span)
            raise
        except BaseException:  # the client left, which servers write down as 499
            span.answered(499, "client_left")
            self._spans.end(span)
            raise
        span.answered(answer.status_code)
        return relay(answer, name=service, closed=lambda: self._spans.end(span))
