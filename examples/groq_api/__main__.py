"""Passes `/openai/v1/…` and `/v1/…` on to Groq as they are, streams included, with a key of its own.

Environment: `GROQ_API_PORT`, `GROQ_API_KEY` (one, or several with commas between), `GROQ_BASE_URL`
(https://api.groq.com), `GROQ_MAX_CONCURRENT` (3), `GROQ_TIMEOUT` (seconds of silence, 120), `GROQ_API_TOKEN` (what
clients must show to this service).
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from examples.client import client_for
from examples.forward import SECRETS, Slots, path_of, relay, request_headers, send
from examples.groq_api.keys import Keys, retry_after
from examples.groq_api.tally import Tally
from examples.service import Service, SettingError, number, run, setting
from examples.web import Checks, ServiceError, health_routes, make_app, read_body

SERVICE = Service("groq-api", port_env="GROQ_API_PORT", token_env="GROQ_API_TOKEN", health_alias="/api/v1/groq/health")
# Kept in memory, because a request may have to be sent again with the next key. Groq takes 25 MB of speech.
MOST_BODY = 32 * 1024 * 1024
OLD_PATHS = {"/api/v1/groq/chat": "/chat/completions", "/api/v1/groq/models": "/models"}
NAME = "Groq"


def app() -> Starlette:
    base = setting("GROQ_BASE_URL", "https://api.groq.com").rstrip("/")
    if not base.startswith(("http://", "https://")):
        raise SettingError(f"`GROQ_BASE_URL` must begin with http:// or https://, not be `{base}`")
    keys = Keys(setting("GROQ_API_KEY"))
    slots = Slots(int(number("GROQ_MAX_CONCURRENT", 3, 1, 1000)))
    tally = Tally()
    client = client_for(base, silence=number("GROQ_TIMEOUT", 120, 0.1))

    def problem() -> ServiceError | None:
        now = time.monotonic()
        if not len(keys):
            return ServiceError("upstream_not_configured", "no key for Groq: set GROQ_API_KEY", retry_after=60)
        if not keys.available(now):
            message = f"none of the {len(keys)} keys can be used now: over the limit, or refused"
            return ServiceError("all_keys_limited", message, retry_after=keys.wait(now))
        return None

    async def answer_to(request: Request, path: str) -> httpx2.Response:
        if error := problem():
            raise error
        body = await read_body(request, MOST_BODY)
        headers = request_headers(request, SECRETS | {"origin"})
        for _ in range(len(keys)):  # not longer: `Retry-After: 0` would bring the same key back at once
            key = keys.take(time.monotonic())
            if key is None:
                break
            headers["authorization"] = f"Bearer {key.secret}"
            answer = await send(client, request.method, base + path, headers, body or None, name=NAME)
            if answer.status_code not in (401, 429):
                return answer
            await answer.aclose()
            if answer.status_code == 401:
                keys.refused(key, time.monotonic())
            else:
                keys.limited(key, time.monotonic(), retry_after(answer.headers.get("retry-after")))
            tally.rotated += 1
        raise problem() or ServiceError("all_keys_limited", "a key has just come back: try again", retry_after=1)

    async def pass_on(request: Request) -> Response:
        old = OLD_PATHS.get(request.url.path)
        path = old or path_of(request, "/openai/v1" if request.url.path.startswith("/openai/") else "/v1")
        started = time.monotonic()
        try:
            slots.take()
            try:
                answer = await answer_to(request, "/openai/v1" + path)
            except BaseException:
                slots.give_back()
                raise
        except ServiceError as error:
            tally.count(error.code, time.monotonic() - started)
            raise

        def over() -> None:
            slots.give_back()
            tally.count(str(answer.status_code), time.monotonic() - started)

        return relay(answer, name=NAME, extra={"x-api-deprecated": "true"} if old else None, closed=over)

    async def stats(_: Request) -> Response:
        state = {"running": slots.taken, "max_concurrent": slots.limit, "keys": keys.report(time.monotonic())}
        return JSONResponse({**tally.report(), **state})

    async def metrics(_: Request) -> Response:
        now = time.monotonic()
        text = tally.exposition(keys=len(keys), available=keys.available(now), running=slots.taken)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def check_up() -> Checks:
        error = problem()
        return Checks({"keys": error.code if error else "ok"}, error)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    methods = ["GET", "POST", "DELETE"]
    routes = [
        *health_routes(SERVICE.name, check_up, SERVICE.health_alias),
        Route("/stats", stats),
        Route("/api/v1/groq/stats", stats),
        Route("/metrics", metrics),
        Route("/groq/metrics", metrics),
        *(Route(path, pass_on, methods=methods) for path in OLD_PATHS),
        Route("/openai/v1/{path:path}", pass_on, methods=methods),
        Route("/v1/{path:path}", pass_on, methods=methods),
    ]
    return make_app(routes, lifespan)


if __name__ == "__main__":
    run(SERVICE, app)
