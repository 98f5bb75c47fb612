"""Passes `/api/…` and `/v1/…` on to a real Ollama, and offers it as MCP tools at `/mcp`.

Environment: `OLLAMA_MCP_PORT`, `OLLAMA_BASE_URL` (none: every request is answered 503 `no_backend`), `OLLAMA_MODEL`
(for MCP calls that name none), `OLLAMA_MAX_CONCURRENT` (2), `OLLAMA_TIMEOUT` (seconds of silence, 120),
`OLLAMA_MCP_TOKEN`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.forward import SECRETS, Slots, path_of, relay, request_headers, streamed_body
from examples.mcp_endpoint import McpEndpoint
from examples.ollama_mcp.backend import Ollama
from examples.service import Service, number, run, setting
from examples.web import Checks, health_routes, make_app

if TYPE_CHECKING:
    from mcp.server import MCPServer

SERVICE = Service("ollama-mcp", port_env="OLLAMA_MCP_PORT", token_env="OLLAMA_MCP_TOKEN", health_alias="/ollama/health")
# What makes the machine work hard; listing and showing models is not limited.
GENERATING = frozenset(
    ("/api/chat", "/api/generate", "/api/embed", "/api/embeddings", "/v1/chat/completions", "/v1/completions")
) | {"/v1/embeddings", "/v1/responses"}
# Paths of an older wrapper of Ollama, which clients of it still use.
OLD_PATHS = {"/ollama/models": "/api/tags", "/ollama/chat": "/api/chat", "/ollama/stream/chat": "/api/chat"}
METHODS = ["GET", "HEAD", "POST", "DELETE"]


def app() -> Starlette:
    backend = Ollama(setting("OLLAMA_BASE_URL"), number("OLLAMA_TIMEOUT", 120, 0.1), setting("OLLAMA_MODEL"))
    slots = Slots(int(number("OLLAMA_MAX_CONCURRENT", 2, 1, 1000)))
    answered = 0

    async def pass_on(request: Request) -> Response:
        nonlocal answered
        path = path_of(request)
        for old, new in OLD_PATHS.items():
            if path.partition("?")[0] == old:
                path = new + path.removeprefix(old)
        await backend.require()  # before a slot is taken
        limited = request.method == "POST" and path.partition("?")[0] in GENERATING
        if limited:
            slots.take()
        over = slots.give_back if limited else lambda: None
        try:
            headers = request_headers(request, SECRETS | {"origin"})
            body = streamed_body(request, headers)
            answer = await backend.answer(request.method, path, headers, body)
        except BaseException:
            over()
            raise
        answered += 1
        return relay(answer, name="Ollama", closed=over)

    async def stats(_: Request) -> Response:
        return JSONResponse({"answered": answered, "running": slots.taken, "max_concurrent": slots.limit})

    async def check_up() -> Checks:
        problem = await backend.problem()
        return Checks({"ollama": problem.code if problem else "ok"}, problem)

    def server() -> "MCPServer":
        from examples.ollama_mcp.tools import build

        return build(backend, slots)

    endpoint = McpEndpoint(server)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with endpoint.running(), backend.client:
            yield

    routes = [
        *health_routes(SERVICE.name, check_up, SERVICE.health_alias),
        endpoint.route(),
        Route("/ollama/stats", stats),
        Route("/", pass_on),
        *(Route(path, pass_on, methods=METHODS) for path in OLD_PATHS),
        Route("/api/{path:path}", pass_on, methods=METHODS),
        Route("/v1/{path:path}", pass_on, methods=METHODS),
    ]
    return make_app(routes, lifespan)


if __name__ == "__main__":
    run(SERVICE, app)
