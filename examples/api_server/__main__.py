"""The stack over HTTP: `/api/…` tells about the services, `/SERVICE/…` passes requests on to them, `/docs` explains.

Environment: `API_PORT`, `API_TOKEN`. Where everything is comes from portsup: the endpoints file and the control socket.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Query
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Match

from examples import __version__
from examples.api_server import pages
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
from examples.peers import Peers
from examples.service import Service, run
from examples.web import ERROR_HANDLERS, Checks, ServiceError, health_routes

SERVICE = Service(
    "api-server",
    port_env="API_PORT",
    token_env="API_TOKEN",
    health_alias="/api/health",
    open_paths=("/openapi.json", *pages.PATHS),  # they tell nothing of the stack
)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
# What any request may be answered with by the gate before the application sees it.
ANSWERS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "not meant for this machine"},
    401: {"model": ErrorAnswer, "description": "a token is set, and this request does not show it"},
    403: {"model": ErrorAnswer, "description": "from a page of another site"},
    422: {"model": ErrorAnswer, "description": "a parameter that can not be"},
}


def app() -> Starlette:
    peers, portsup, client, spans = Peers(), Portsup(), client_for(), Spans()
    overview = Overview(SERVICE.name, peers, portsup, client)
    gateway = Gateway(SERVICE.name, peers, client, spans)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with client:
            yield

    api = FastAPI(
        title="API Server",
        version=__version__,
        lifespan=lifespan,
        responses=ANSWERS,
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

    @api.get("/api/services")
    async def services() -> Services:
        """Every service of the stack."""
        return Services.model_validate({"services": await overview.services()})

    @api.get("/api/services/{name}", responses={404: {"model": ErrorAnswer}})
    async def service(name: str) -> ServiceView:
        """One service of the stack."""
        for found in await overview.services(name):
            return ServiceView.model_validate(found)
        raise ServiceError("unknown_service", f"there is no service `{name}`", 404)

    @api.get("/api/health/services", include_in_schema=False)
    @api.get("/api/v1/aggregated", include_in_schema=False)
    @api.get("/api/health/aggregated")
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

    @api.get("/api/ports")
    async def ports() -> AllPorts:
        """The pool of every service, and who has each port."""
        source, found = await overview.ports()
        return AllPorts.model_validate({"source": source, "services": found})

    @api.get("/api/events", include_in_schema=False)
    async def stream() -> Response:
        return StreamingResponse(
            events(portsup, peers), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    @api.get("/api/tracing/stats")
    async def tracing_stats() -> TraceStats:
        """How many requests went through the gateway, and how long they took."""
        return TraceStats.model_validate(spans.stats())

    @api.get("/api/tracing/spans")
    async def tracing_spans(
        limit: Annotated[int, Query(ge=1, le=KEPT)] = 100, service: str | None = None, trace_id: str | None = None
    ) -> Traced:
        """The latest requests through the gateway, the newest first."""
        return Traced.model_validate({"spans": spans.latest(limit, service, trace_id)})

    @api.api_route("/{service}/{path:path}", methods=METHODS, include_in_schema=False)
    @api.api_route("/{service}", methods=METHODS, include_in_schema=False)
    async def passed_on(request: Request, service: str) -> Response:
        if allowed := _methods_of(api, request):  # one of ours, asked in a way that it does not know
            raise HTTPException(405, headers={"Allow": ", ".join(allowed)})
        return await gateway.pass_on(request, service)

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
