"""The stack over HTTP: `/` shows it, `/api/…` tells about it, `/SERVICE/…` passes requests on, `/docs` explains.

Environment: `API_PORT`, `API_TOKEN`, and `OTEL_EXPORTER_OTLP_ENDPOINT` for the spans of the gateway (telemetry.py).
Where everything is comes from portsup: the endpoints file and the control socket.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Match, Route, WebSocketRoute
from starlette.websockets import WebSocket

from examples import __version__
from examples.api_server import pages, sockets, telemetry
from examples.api_server.document import TAGS, describe
from examples.api_server.events import events
from examples.api_server.gateway import Gateway
from examples.api_server.overview import Overview
from examples.api_server.portsup import Portsup
from examples.api_server.schema import (
    Aggregated,
    AllPorts,
    ErrorAnswer,
    Services,
    ServiceView,
    Traced,
    TraceStats,
)
from examples.api_server.tracing import KEPT, Spans
from examples.client import client_for
from examples.conversational import page as conversation
from examples.peers import Peers
from examples.service import Service, run, token_of
from examples.web import ERROR_HANDLERS, Checks, ServiceError, health_routes

SERVICE = Service(
    "api-server",
    port_env="API_PORT",
    token_env="API_TOKEN",
    health_alias="/api/health",
    # They tell nothing of the stack, and a browser cannot send a token for them.
    open_paths=("/openapi.json", *pages.PATHS, *(f"/conversational{path}" for path in ("", *conversation.PATHS))),
    websockets=True,
)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
# What any request may be answered with by the gate before the application sees it.
ANSWERS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "not meant for this machine"},
    401: {"model": ErrorAnswer, "description": "a token is set, and this request does not show it"},
    403: {"model": ErrorAnswer, "description": "from a page of another site"},
    422: {"model": ErrorAnswer, "description": "a parameter that cannot be"},
}


def app() -> Starlette:
    peers, portsup, client = Peers(), Portsup(), client_for()
    sending = telemetry.exporter(SERVICE.name)
    spans = Spans(sending[0] if sending else None)
    overview = Overview(SERVICE.name, peers, portsup, client)
    gateway = Gateway(SERVICE.name, peers, client, spans)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with client:
            yield
        if sending:
            await asyncio.to_thread(sending[1])

    api = FastAPI(
        title="API Server",
        version=__version__,
        lifespan=lifespan,
        responses=ANSWERS,
        openapi_tags=TAGS,
        docs_url=None,  # ours need no internet
        redoc_url=None,
    )
    for kind, handler in ERROR_HANDLERS.items():
        api.add_exception_handler(kind, handler)
    api.add_exception_handler(RequestValidationError, _invalid)

    async def check_up() -> Checks:
        return Checks({"services": "ok" if peers.all() else "unknown"})

    api.router.routes.extend(health_routes(SERVICE.name, check_up, SERVICE.health_alias))
    api.router.routes.extend(pages.routes(api))

    @api.get("/api/services", tags=["services"])
    async def services() -> Services:
        """Every service of the stack."""
        return Services.model_validate({"services": await overview.services()})

    @api.get("/api/services/{name}", tags=["services"], responses={404: {"model": ErrorAnswer}})
    async def service(name: Annotated[str, Path(description="as in services.yaml")]) -> ServiceView:
        """One service of the stack."""
        for found in await overview.services(name):
            return ServiceView.model_validate(found)
        raise ServiceError("unknown_service", f"there is no service `{name}`", 404)

    @api.get("/api/health/services", include_in_schema=False)
    @api.get("/api/v1/aggregated", include_in_schema=False)
    @api.get("/api/health/aggregated", tags=["services"])
    async def aggregated() -> Aggregated:
        """The health of all services; one that is down is told, not an error."""
        found = await overview.services()
        words = [service["health"] for service in found]
        others = [service["health"] for service in found if service["name"] != SERVICE.name]
        counts = {word: words.count(word) for word in ("ok", "degraded", "down")}
        status = "ok" if counts["ok"] == len(words) else "degraded"
        if others and set(others) == {"down"}:
            status = "down"
        by_name = {service["name"]: service for service in found}
        return Aggregated.model_validate({"status": status, **counts, "services": by_name})

    @api.get("/api/ports", tags=["services"])
    async def ports() -> AllPorts:
        """The pool of every service, and who has each port."""
        source, found = await overview.ports()
        return AllPorts.model_validate({"source": source, "services": found})

    @api.get("/api/events", include_in_schema=False)
    async def stream() -> Response:
        return StreamingResponse(
            events(portsup, peers), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    @api.get("/api/tracing/stats", tags=["gateway"])
    async def tracing_stats() -> TraceStats:
        """How many requests went through the gateway, and how long they took."""
        return TraceStats.model_validate(spans.stats())

    @api.get("/api/tracing/spans", tags=["gateway"])
    async def tracing_spans(
        limit: Annotated[int, Query(ge=1, le=KEPT, description="how many at most")] = 100,
        service: Annotated[str | None, Query(description="only those to this service")] = None,
        trace_id: Annotated[str | None, Query(description="only those of this trace, as in `traceparent`")] = None,
    ) -> Traced:
        """The latest requests through the gateway, the newest first."""
        return Traced.model_validate({"spans": spans.latest(limit, service, trace_id)})

    async def metrics(request: Request) -> Response:
        content, kind = spans.exposition(request.headers.get("accept", ""))
        return Response(content, headers={"content-type": kind})

    async def passed_on(request: Request) -> Response:
        if allowed := _methods_of(api, request):  # one of ours, asked in a way that it does not know
            raise HTTPException(405, headers={"Allow": ", ".join(allowed)})
        return await gateway.pass_on(request, request.path_params["service"])

    async def connected(socket: WebSocket) -> None:
        await sockets.pass_on(gateway, socket, socket.path_params["service"])

    # Plain routes: FastAPI's have half a millisecond of work to do for each request.
    api.router.routes += [
        Route("/metrics", metrics),
        *(Route(path, passed_on, methods=METHODS) for path in ("/{service}", "/{service}/{path:path}")),
        WebSocketRoute("/{service}/{path:path}", connected),
    ]
    describe(api, guarded=bool(token_of(SERVICE)))
    return api


def _methods_of(api: FastAPI, request: Request) -> list[str]:
    """What the path of a request would answer to, had not the gateway taken it."""
    partly = [route for route in api.routes if route.matches(request.scope)[0] is Match.PARTIAL]
    return sorted({method for route in partly for method in getattr(route, "methods", None) or ()})


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    words = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return ServiceError("invalid_request", words, 422).response()


if __name__ == "__main__":
    run(SERVICE, app)
