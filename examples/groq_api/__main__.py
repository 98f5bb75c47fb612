"""Passes `/openai/v1/…` and `/v1/…` on to Groq as they are, with a key of its own.

It knows nothing of chats or speech: bodies and streams go through byte by byte, whatever they are, so everything that
Groq's API has or will have works. What it adds are keys that take turns, and a limit of requests at once.

Environment: `GROQ_API_PORT`, `GROQ_API_KEY` (one, or several with commas between), `GROQ_BASE_URL`
(https://api.groq.com; or any API like it, with its `/v1`), `GROQ_MAX_CONCURRENT` (3), `GROQ_MAX_QUEUE` (8 more wait),
`GROQ_MODEL_LIMITS` (requests a minute by model, as `MODEL=30, *=100`; none), `GROQ_TIMEOUT` (seconds of silence, 120),
`GROQ_FALLBACK_URL` (who answers when Groq cannot: the `/v1` of another server, or `ollama-mcp`, whose address portsup
tells), `GROQ_FALLBACK_MODEL` (its model; else its first),
`GROQ_API_TOKEN` (what clients must show to this service).
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.forward import SECRETS, Slots, path_of, relay, request_headers
from examples.groq_api.body import Body
from examples.groq_api.fallback import NAME as FALLBACK
from examples.groq_api.fallback import Fallback
from examples.groq_api.keys import Keys
from examples.groq_api.limits import Pace
from examples.groq_api.proxy import NAME, Proxy
from examples.groq_api.tally import Tally
from examples.peers import Peers
from examples.service import Service, SettingError, number, run, setting
from examples.web import Checks, ServiceError, health_routes, make_app

SERVICE = Service("groq-api", port_env="GROQ_API_PORT", token_env="GROQ_API_TOKEN", health_alias="/api/v1/groq/health")
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# Paths of an older proxy, which clients of it still use.
OLD_PATHS = {
    f"{prefix}/{name}": path
    for prefix in ("/api/v1/groq", "/groq")
    for name, path in (("chat", "/chat/completions"), ("models", "/models"))
}


def app() -> Starlette:
    base = _address("GROQ_BASE_URL", "https://api.groq.com")
    silence = number("GROQ_TIMEOUT", 120, 0.1)
    where = setting("GROQ_FALLBACK_URL")
    fallback = Fallback(where, setting("GROQ_FALLBACK_MODEL"), Peers(), silence) if where else None
    proxy = Proxy(base, Keys(setting("GROQ_API_KEY")), fallback, silence)
    slots = Slots(
        int(number("GROQ_MAX_CONCURRENT", 3, 1, 1000)), int(number("GROQ_MAX_QUEUE", 8, 0, 10000)), patience=silence
    )
    pace = Pace(setting("GROQ_MODEL_LIMITS"))
    tally = Tally()
    for name, help_, value in (
        ("groq_running", "Requests being answered.", lambda: slots.taken),
        ("groq_waiting", "Requests that wait for a place.", lambda: slots.waiting),
        ("groq_running_max", "How many may be answered at once.", lambda: slots.limit),
        ("groq_keys", "Keys that are configured.", lambda: len(proxy.keys)),
        ("groq_keys_available", "Keys that Groq does not refuse.", lambda: proxy.keys.available(time.monotonic())),
    ):
        tally.gauge(name, help_, value)
    tally.counter("groq_rotations", "Times that a request was sent again with another key.", lambda: proxy.rotated)

    async def pass_on(request: Request) -> Response:
        started = time.monotonic()
        old = OLD_PATHS.get(request.url.path)
        path = path_of(request, "/openai/v1" if request.url.path.startswith("/openai/") else "/v1")
        path, mark, query = path.partition("?")
        body, model = Body(request), ""
        try:
            await body.read_ahead()
            model = body.model()
            pace.take(model)
            await slots.take()
            try:
                headers = request_headers(request, SECRETS | {"origin"})
                if length := request.headers.get("content-length"):
                    headers["content-length"] = length
                answer = await proxy.answer(request.method, old or path, mark + query, headers, body)
            except BaseException:
                slots.give_back()
                raise
        except ServiceError as error:
            tally.count(error.code, time.monotonic() - started, model)
            raise
        tally.begun(model, time.monotonic() - started)

        def over() -> None:
            slots.give_back()
            end = str(answer.response.status_code)
            tally.count(end, time.monotonic() - started, model, fallback=answer.is_fallback)

        marks = {"x-api-deprecated": "true"} if old else {}
        if answer.is_fallback:
            marks["x-portsup-backend"] = "fallback"
        return relay(answer.response, name=FALLBACK if answer.is_fallback else NAME, extra=marks, closed=over)

    async def stats(_: Request) -> Response:
        state = {
            "running": slots.taken,
            "waiting": slots.waiting,
            "max_concurrent": slots.limit,
            "rotated": proxy.rotated,
        }
        keys = proxy.keys.report(time.monotonic())
        return JSONResponse({**tally.report(), **state, "keys": keys, "limits": proxy.limits.report()})

    async def metrics(request: Request) -> Response:
        content, kind = tally.exposition(request.headers.get("accept", ""), proxy.limits.report())
        return Response(content, headers={"content-type": kind})

    async def check_up() -> Checks:
        problem, failure = proxy.problem(), proxy.failure()
        checks = {"keys": problem.code if problem else "ok", "upstream": failure.code if failure else "ok"}
        if fallback:
            checks["fallback"] = await fallback.state()
        return Checks(checks, None if checks.get("fallback") == "ok" else problem or failure)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with proxy.client:
            yield
        if fallback:
            await fallback.client.aclose()

    routes = [
        *health_routes(SERVICE.name, check_up, SERVICE.health_alias),
        *(Route(path, stats) for path in ("/stats", "/api/v1/groq/stats", "/groq/stats")),
        *(Route(path, metrics) for path in ("/metrics", "/groq/metrics")),
        *(Route(path, pass_on, methods=METHODS) for path in OLD_PATHS),
        Route("/openai/v1/{path:path}", pass_on, methods=METHODS),
        Route("/v1/{path:path}", pass_on, methods=METHODS),
    ]
    return make_app(routes, lifespan)


def _address(name: str, default: str) -> str:
    """An environment variable that is where a server is."""
    text = setting(name, default).rstrip("/")
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL:
        url = httpx2.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise SettingError(f"`{name}` must begin with http:// or https:// and name a host, not be `{text}`")
    return text


if __name__ == "__main__":
    run(SERVICE, app)
