"""`/SERVICE/PATH` goes to PATH of that service, wherever it is just now."""

from urllib.parse import urljoin, urlsplit

import httpx2
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from examples.api_server.tracing import Spans
from examples.forward import path_of, relay, request_headers, send, streamed_body
from examples.peers import Peer, Peers
from examples.trace import current
from examples.web import ServiceError


class Gateway:
    """Passes requests on. Whoever asks shows that service's token, if it wants one: the gateway adds none."""

    def __init__(self, itself: str, peers: Peers, client: httpx2.AsyncClient, spans: Spans) -> None:
        self._itself = itself
        self._peers = peers
        self._client = client
        self._spans = spans

    def peer(self, service: str) -> Peer:
        """The service of that name; a ServiceError when there is none behind this gateway."""
        peer = self._peers.all().get(service)
        if peer is None or service == self._itself:
            raise ServiceError("unknown_service", f"there is no service `{service}` behind this gateway", 404)
        return peer

    async def pass_on(self, request: Request, service: str) -> Response:
        """The service's answer, as it comes."""
        peer = self.peer(service)
        path = path_of(request, f"/{service}")
        if not path.startswith("/"):
            if request.method in ("GET", "HEAD"):  # a page names its parts relative to itself: it has to be in a folder
                return RedirectResponse(f"/{service}/{path}")
            path = f"/{path}"
        headers = request_headers(request, frozenset(("origin",)))
        for name, value in forwarded(request, service).items():
            headers[name] = value  # in the place of all that there are
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
        response = relay(answer, name=service, closed=lambda: self._spans.end(span))
        own = MutableHeaders(raw=response.raw_headers)
        for name in ("location", "content-location"):
            if name in own:
                own[name] = within_gateway(own[name], peer.url + path, service)
        return response


def forwarded(request: HTTPConnection, service: str) -> dict[str, str]:
    """What the service could not know else: how its client reaches it.

    The names that nginx and Traefik made common; what a proxy in front of us has said already is kept.
    """
    said = request.headers
    before = [said["x-forwarded-for"]] if "x-forwarded-for" in said else []
    client = request.client.host if request.client else "unknown"
    return {
        "x-forwarded-for": ", ".join([*before, client]),
        "x-forwarded-host": said.get("x-forwarded-host") or said.get("host", ""),
        "x-forwarded-proto": said.get("x-forwarded-proto") or request.url.scheme.replace("ws", "http"),
        "x-forwarded-prefix": said.get("x-forwarded-prefix", "").rstrip("/") + f"/{service}",
    }


def within_gateway(location: str, asked: str, service: str) -> str:
    """Where a redirect of a service leads through this gateway; one to somewhere else stays as it is.

    `asked` is the address that answered with it.
    """
    try:
        target, origin = urlsplit(urljoin(asked, location)), urlsplit(asked)
        is_other_port = target.port != origin.port
    except ValueError:  # no address at all
        return location
    same_host = target.hostname == origin.hostname or {target.hostname, origin.hostname} == {"127.0.0.1", "localhost"}
    if target.scheme != origin.scheme or not same_host or is_other_port:
        return location
    return f"/{service}" + (target._replace(scheme="", netloc="").geturl() or "/")
