"""Passing a request on to another server and its answer back, byte by byte as they come.

A proxy has to know which headers are about one connection and not about the message (`HOP_BY_HOP`, and those that
`Connection` names), must not decode what it passes on, and has to stop asking when nobody waits for the answer.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping

import anyio
import httpx2
from starlette.requests import HTTPConnection, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from examples.web import BrokenOff, ServiceError, last_words

log = logging.getLogger("forward")

# RFC 9110, 7.6.1: these belong to one connection and are never passed on.
HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer")
) | {"transfer-encoding", "upgrade"}
SECRETS = frozenset(("authorization", "cookie", "mcp-secret", "x-api-key"))


class Slots:
    """How many requests may run at once, and how many may wait for one of these places, first come, first served."""

    def __init__(self, limit: int, queue: int = 0, patience: float = 60.0) -> None:
        """`queue` is how many may wait, and `patience` for how many seconds each."""
        self.limit = limit
        self.queue = queue
        self.taken = 0
        self.waiting = 0
        self._patience = patience
        self._free = asyncio.Semaphore(limit)

    async def take(self) -> None:
        """A place, once there is one; a ServiceError `busy` for whoever would wait in vain."""
        if self._free.locked() and self.waiting >= self.queue:
            line = f", and {self.waiting} wait" if self.queue else ""
            raise ServiceError("busy", f"{self.limit} requests are running already{line}", 429, retry_after=1)
        self.waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            why = f"no place was free within {self._patience:g} s: {self.limit} requests are running"
            raise ServiceError("busy", why, 429, retry_after=5) from None
        finally:
            self.waiting -= 1
        self.taken += 1

    def give_back(self) -> None:
        """The place is for the next one."""
        self.taken -= 1
        self._free.release()


class Relay(StreamingResponse):
    """An answer that is still arriving; `closed` is awaited once, however it ends."""

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        status: int,
        headers: Iterable[tuple[str, str]],
        closed: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(chunks, status)
        # As they came: a header may be there several times.
        self.raw_headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            # Not the response's own __call__, which has a task wait for the client to leave: OpenRequests does that.
            await self.stream_response(send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._closed()


def path_of(request: HTTPConnection, prefix: str = "") -> str:
    """The path and query as the client wrote them, without `prefix`; never with a step up in it."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.decode("ascii", "replace").partition("?")[0].removeprefix(prefix)
    steps = path.lower().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/").replace("\\", "/").split("/")
    if ".." in steps:
        raise ServiceError("bad_path", "`..` is not allowed in a path", 400)
    return f"{path}?{request.url.query}" if request.url.query else path


def request_headers(request: Request, drop: frozenset[str] = frozenset()) -> httpx2.Headers:
    """The client's headers as far as they are for the server behind us."""
    # Nobody waits for the "100 Continue" of the server behind: the client had one from us.
    unwanted = _of_the_connection(request.headers.getlist("connection")) | drop | {"host", "content-length", "expect"}
    kept = httpx2.Headers([(name, value) for name, value in request.headers.items() if name not in unwanted])
    # httpx2 would ask for compression on its own, and the client, who did not ask, would get it.
    kept.setdefault("accept-encoding", "identity")
    return kept


def _of_the_connection(named: Iterable[str]) -> frozenset[str]:
    """What is not passed on, with the names in the message's `Connection` headers."""
    return HOP_BY_HOP | {name.strip().lower() for line in named for name in line.split(",")}


def streamed_body(request: Request, headers: MutableMapping[str, str]) -> AsyncIterator[bytes] | None:
    """The request's body for passing on as it arrives; None when it has none. Sets the length in `headers`."""
    length = request.headers.get("content-length")
    if length is None and "transfer-encoding" not in request.headers:
        return None
    if length is not None:
        headers["content-length"] = length
    return request.stream()


async def send(
    client: httpx2.AsyncClient,
    method: str,
    url: str,
    headers: Mapping[str, str],
    content: bytes | AsyncIterator[bytes] | None = None,
    *,
    name: str,
) -> httpx2.Response:
    """The answer of the server called `name`, its body still to be read; a ServiceError when there is none."""
    try:
        return await client.send(client.build_request(method, url, headers=headers, content=content), stream=True)
    except httpx2.ConnectTimeout:
        raise ServiceError("upstream_unreachable", f"{name} cannot be reached in time", retry_after=5) from None
    except httpx2.TimeoutException:
        raise ServiceError("upstream_timeout", f"{name} took too long to answer", 504) from None
    except httpx2.RemoteProtocolError as error:
        raise ServiceError("upstream_error", f"{name} {_offence(error)}", 502) from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ServiceError("upstream_unreachable", f"{name} cannot be reached: {_why(error)}", retry_after=5) from None


def relay(
    answer: httpx2.Response,
    *,
    name: str,
    extra: Mapping[str, str] | None = None,
    closed: Callable[[], None] = lambda: None,
    raw: AsyncIterator[bytes] | None = None,
) -> Relay:
    """Passes on an answer as it is; `closed` is called when it is over.

    `raw` is the whole body for whoever has looked at its beginning and cannot read that again.
    """
    own = {key.lower(): value for key, value in (extra or {}).items()}
    # A cookie would be for the server behind; our clients share one way to it.
    unwanted = _of_the_connection(answer.headers.get_list("connection")) | {"set-cookie", *own}
    headers = [(key, value) for key, value in answer.headers.multi_items() if key.lower() not in unwanted]

    async def close() -> None:
        try:
            await answer.aclose()
        finally:
            closed()

    return Relay(_chunks(answer, name, raw or answer.aiter_raw()), answer.status_code, [*headers, *own.items()], close)


async def _chunks(answer: httpx2.Response, name: str, raw: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    within_line = False
    try:
        async for chunk in raw:
            yield chunk
            within_line = not chunk.endswith(b"\n")
    except httpx2.HTTPError as error:
        # The status is long sent. Some streams have words for it; other bodies just break.
        log.warning("%s broke off its answer: %s", name, _why(error))
        code = "upstream_timeout" if isinstance(error, httpx2.TimeoutException) else "upstream_broke_off"
        told = ServiceError(code, f"{name} broke off its answer", 504)
        words = last_words(answer.headers, told, within_line=within_line)
        if not words:
            raise BrokenOff(name) from None
        yield words


def _offence(error: httpx2.RemoteProtocolError) -> str:
    text = str(error)
    if text.startswith("Server disconnected"):
        return "closed the connection without an answer"
    return "closed the connection in the middle" if text.startswith("peer closed") else "does not answer in HTTP"


def _why(error: Exception) -> str:
    """Never what the other side wrote, which the texts of protocol errors repeat: it may be a secret of ours."""
    if isinstance(error, httpx2.ProtocolError):
        return _offence(error) if isinstance(error, httpx2.RemoteProtocolError) else "the request is not HTTP"
    return str(error) or type(error).__name__
