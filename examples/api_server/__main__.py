"""The stack over HTTP: `/api/…` tells about the services, `/SERVICE/…` passes requests on to them.

Environment: `API_PORT`, `API_TOKEN`. Where everything is comes from portsup: the endpoints file and the control socket.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from examples import __version__
from examples.api_server.events import events
from examples.api_server.gateway import pass_on
from examples.api_server.overview import Overview
from examples.api_server.portsup import Portsup
from examples.api_server.schema import Aggregated, AllPorts, ErrorAnswer, Services, ServiceView
from examples.client import client_for
from examples.peers import Peers
from examples.service import Service, run
from examples.web import ERROR_HANDLERS, Checks, ServiceError, health_routes

SERVICE = Service("api-server", port_env="API_PORT", token_env="API_TOKEN", health_alias="/api/health")
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def app() -> Starlette:
    peers, portsup, client = Peers(), Portsup(), client_for()
    overview = Overview(SERVICE.name, peers, portsup, client)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with client:
            yield

    # FastAPI's pages load their scripts from the internet; without it they stay blank, so there is the document only.
    api = FastAPI(title="API Server", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    for kind, handler in ERROR_HANDLERS.items():
        api.add_exception_handler(kind, handler)
    api.add_exception_handler(RequestValidationError, _invalid)

    async def check_up() -> Checks:
        return Checks({"services": "ok" if peers.all() else "unknown"})

    api.router.routes.extend(health_routes(SERVICE.name, check_up, SERVICE.health_alias))

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

    @api.api_route("/{service}/{path:path}", methods=METHODS, include_in_schema=False)
    @api.api_route("/{service}", methods=METHODS, include_in_schema=False)
    async def gateway(request: Request, service: str) -> Response:
        return await pass_on(request, service, peers, client, itself=SERVICE.name)

    return api


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    words = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return ServiceError("invalid_request", words, 422).response()


if __name__ == "__main__":
    run(SERVICE, app)
