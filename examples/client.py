"""HTTP clients for servers on this machine and elsewhere."""

import httpx2

from examples.trace import current


class _WhenUsed(httpx2.AsyncBaseTransport):
    """The usual transport, made at the first request: it loads all certificates, which a start need not wait for."""

    def __init__(self) -> None:
        self._transport: httpx2.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._transport is None:
            self._transport = httpx2.AsyncHTTPTransport()
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()


def client_for(url: str = "", *, silence: float = 120) -> httpx2.AsyncClient:
    """A client that waits 5 s for a connection and `silence` seconds for each part of an answer.

    It obeys HTTP_PROXY and the like only for a `url` on another machine: a proxy cannot reach this one. On this
    machine a request takes the trace along in whose course it is made.
    """
    elsewhere = bool(url) and not is_loopback(url)
    return httpx2.AsyncClient(
        transport=_WhenUsed(),
        mounts=None if elsewhere else {"http://": httpx2.AsyncHTTPTransport(verify=False)},  # no TLS, nothing to verify
        trust_env=elsewhere,
        timeout=httpx2.Timeout(silence, connect=5),
        event_hooks=None if elsewhere else {"request": [_take_trace_along]},
        follow_redirects=False,
    )


async def readiness(client: httpx2.AsyncClient, url: str, headers: dict[str, str] | None, *, patience: float) -> str:
    """What a page says of whether its service is ready: `ok`, or the code of an error; it does not raise."""
    try:
        response = await client.get(url, headers=headers, timeout=patience)
        return "ok" if response.status_code == 200 else str(response.json()["error"]["code"])
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return "upstream_unreachable"
    except (ValueError, LookupError, TypeError):
        return "upstream_error"


async def _take_trace_along(request: httpx2.Request) -> None:
    if trace := current():
        request.headers["traceparent"] = trace.header


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    try:
        host = httpx2.URL(url).host
    except httpx2.InvalidURL:
        return False
    return host == "localhost" or host == "::1" or host.startswith("127.")
