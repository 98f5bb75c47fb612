"""What all six answer alike: errors and health."""

import json
import math
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from examples import __version__

HEALTH = ("", "/live", "/ready")
WELL = ("ok", "idle")
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    503: "service_unavailable",
    504: "timeout_error",
}


class ServiceError(Exception):
    """What a client gets instead of an answer: `{"error": {"code", "message", "type"}}` and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 503, retry_after: float = 0, **details: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.retry_after = retry_after  # seconds; a 503 or 429 always names some
        self.details = details

    def body(self) -> dict[str, Any]:
        kind = _TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"code": self.code, "message": self.message, "type": kind, **self.details}}

    def response(self, *, as_text: bool = False) -> Response:
        """The answer; `as_text` makes it `{"error": "message"}`, as Ollama's own API has it."""
        headers = {}
        if self.retry_after or self.status in (429, 503):
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after or 1)))
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        body = {"error": self.message} if as_text else self.body()
        return JSONResponse(body, self.status, headers)


class BrokenOff(Exception):
    """The rest of an answer that has begun will never come: the connection is closed, so that the client notices."""


def last_words(headers: Mapping[str, str], error: ServiceError, *, within_line: bool) -> bytes:
    """What tells the reader of a stream that it is not complete; nothing where the format has no words for that.

    Events of OpenAI's and Anthropic's APIs and lines of Ollama's; `within_line` when the last byte ended no line.
    """
    if "content-length" in headers or headers.get("content-encoding", "identity") != "identity":
        return b""
    end = b"\n" if within_line else b""
    kind = headers.get("content-type", "")
    if kind.startswith("text/event-stream"):
        return end + f"\nevent: error\ndata: {json.dumps({'type': 'error', **error.body()})}\n\n".encode()
    if kind.startswith("application/x-ndjson"):
        return end + json.dumps({"error": error.message}).encode() + b"\n"
    return b""


@dataclass(frozen=True, slots=True)
class Checks:
    """How a service is: one word each for what it needs, and why it cannot do its main job, if it cannot."""

    # `ok`, `idle` for what comes when it is needed, or the code of the error
    values: Mapping[str, str] = field(default_factory=dict)
    problem: ServiceError | None = None
    starting: bool = False  # the problem will go by itself soon: a model is being loaded, say


CheckUp = Callable[[], Awaitable[Checks]]


def health_routes(name: str, check_up: CheckUp, alias: str = "") -> list[BaseRoute]:
    """`/health`, `/health/live` and `/health/ready`, and the same below the path that older clients know.

    `/health` is 200 as long as the process can answer: a supervisor must not restart a proxy because its upstream is
    away. `/health/ready` is 503 then. `/health/ready?settled` is 503 only while that may still change by itself, as
    when a model is being loaded: what waits for this service at the start of the stack goes on when it is as good as
    it gets on this machine.
    """
    started = time.monotonic()

    def report(status: str, checks: Mapping[str, str]) -> JSONResponse:
        uptime = round(time.monotonic() - started, 1)
        body = {"status": status, "service": name, "version": __version__, "uptime_s": uptime, "checks": dict(checks)}
        return JSONResponse(body)

    async def health(_: Request) -> Response:
        checks = (await check_up()).values
        return report("ok" if all(value in WELL for value in checks.values()) else "degraded", checks)

    async def live(_: Request) -> Response:
        return report("ok", {})

    async def ready(request: Request) -> Response:
        checks = await check_up()
        if checks.problem is None:
            return report("ok", checks.values)
        if "settled" in request.query_params and not checks.starting:
            return report("degraded", checks.values)
        return checks.problem.response()

    return [
        Route(prefix + path, endpoint)
        for prefix in ("/health", alias)
        if prefix
        for path, endpoint in zip(HEALTH, (health, live, ready), strict=True)
    ]


def make_app(
    routes: Sequence[BaseRoute],
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None,
    text_errors: str = "",
) -> Starlette:
    """An application whose every error has the one shape, except on the paths below `text_errors`: see `Service`."""
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=error_handlers(text_errors))
    otherwise = app.router.default

    async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
        """Says also to a WebSocket that there is nothing at its path, which Starlette closes with 403."""
        if scope["type"] == "websocket" and "websocket.http.response" in scope.get("extensions", {}):
            error = ServiceError("not_found", _nothing_at(scope), 404)
            await WebSocket(scope, receive, send).send_denial_response(error.response())
        else:
            await otherwise(scope, receive, send)

    app.router.default = nowhere
    return app


def _nothing_at(scope: Scope) -> str:
    return f"there is no `{scope['path'][:200]}` here"


def is_below(path: str, prefix: str) -> bool:
    """Whether a path begins with the prefix; none does with an empty one."""
    return bool(prefix) and path.startswith(prefix)


def _service_error(error: Exception, request: Request) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, HTTPException):
        phrase = HTTPStatus(error.status_code).phrase
        words = str(error.detail)
        if words == phrase and error.status_code == 404:
            words = _nothing_at(request.scope)
        elif words == phrase and error.status_code == 405:
            words = f"`{request.scope['path'][:200]}` takes no {request.method}"
        return ServiceError(phrase.lower().replace(" ", "_"), words, error.status_code)
    return ServiceError("internal_error", "this is our mistake; the service's log has more", 500)


def error_handlers(text_errors: str = "") -> dict[Any, Callable[[Request, Exception], Awaitable[Response]]]:
    """What makes an answer of each exception, for Starlette."""

    async def answer(request: Request, error: Exception) -> Response:
        response = _service_error(error, request).response(as_text=is_below(request.scope["path"], text_errors))
        if isinstance(error, HTTPException):
            response.headers.update(error.headers or {})
        return response

    return {ServiceError: answer, HTTPException: answer, Exception: answer}


ERROR_HANDLERS = error_handlers()


async def read_json(request: Request, most: int = 4 * 1024 * 1024) -> dict[str, Any]:
    """The JSON object in a request's body, at most so many bytes."""
    refuse_compressed(request)
    return json_object(await read_body(request, most))


def refuse_compressed(request: Request) -> None:
    """A ServiceError for a body that is compressed."""
    if (coding := request.headers.get("content-encoding", "identity").lower()) != "identity":
        raise ServiceError("unsupported_encoding", f"the body is compressed (`{coding}`): send it as it is", 415)


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is; a ServiceError when it is none."""
    try:
        value = json.loads(body)
        if _SURROGATE.search(body):
            value = without_surrogates(value)
    except (ValueError, RecursionError):
        raise ServiceError("invalid_json", "the body is not JSON", 400) from None
    if not isinstance(value, dict):
        raise ServiceError("invalid_json", "the body is not a JSON object", 422)
    return value


# Half of a pair, which Python's reader of JSON keeps: no text of UTF-8 can have it (RFC 8259 section 8.2).
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def without_surrogates(value: Any) -> Any:
    """The same data with U+FFFD in place of halves of pairs, as readers in Go and JavaScript have it."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
        case list():
            return [without_surrogates(item) for item in value]
    return value


async def read_body(request: Request, most: int) -> bytes:
    """A request's whole body, at most so many bytes."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and (len(told) > 18 or int(told) > most):  # there is no need to wait for it
        raise ServiceError("body_too_large", f"the body is larger than {most} bytes", 413)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise ServiceError("body_too_large", f"the body is larger than {most} bytes", 413)
        chunks.append(chunk)
    return b"".join(chunks)
