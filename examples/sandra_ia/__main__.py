"""Answers chat requests through Groq API or Ollama MCP: OpenAI's API at `/v1`, older paths, and MCP tools at `/mcp`.

The last message of a request decides which models are asked (`routes.yaml`). The model `sandra` asks as the table says;
`sandra-single` one after the other until one answers, `sandra-compare` all at once (a choice for each), `sandra-fuse`
all at once and then one answer out of theirs; `groq/NAME` and `ollama/NAME` ask that model alone. The headers
`x-sandra-task`, `x-sandra-mode` and `x-sandra-backend` tell what came of it.

Environment: `SANDRA_PORT`, `SANDRA_ROUTES` (another table than `routes.yaml`), `SANDRA_TIMEOUT` (seconds of silence
from a backend, 120), `SANDRA_LOADING_WAIT` (seconds that a model which is being loaded is waited for, 30),
`SANDRA_TOKEN`, and where the backends are: portsup tells that, or `GROQ_API_URL` and
`OLLAMA_MCP_URL`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.mcp_endpoint import McpEndpoint
from examples.peers import Peers
from examples.sandra_ia.backends import LOADING
from examples.sandra_ia.chat import MODELS
from examples.sandra_ia.classify import MODES
from examples.sandra_ia.router import Sandra, as_dict
from examples.service import Service, number, run, setting
from examples.web import Checks, ServiceError, health_routes, make_app, read_json

if TYPE_CHECKING:
    from mcp.server import MCPServer

SERVICE = Service("sandra-ia", port_env="SANDRA_PORT", token_env="SANDRA_TOKEN")


MOST_BODY = 16 * 1024 * 1024  # pictures come along as text


def app() -> Starlette:
    path = Path(setting("SANDRA_ROUTES", str(Path(__file__).with_name("routes.yaml"))))
    sandra = Sandra(path, Peers(), number("SANDRA_TIMEOUT", 120, 0.1), number("SANDRA_LOADING_WAIT", 30))
    backends = sandra.backends

    async def completions(request: Request) -> Response:
        return await sandra.complete(await read_json(request, MOST_BODY))

    async def embeddings(request: Request) -> Response:
        return await sandra.vectors(await read_json(request, MOST_BODY))

    async def models(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": [_model(name) for name in MODELS]})

    async def model(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in MODELS:
            raise ServiceError("model_not_found", f"there is no model `{name}` here", 404)
        return JSONResponse(_model(name))

    async def chat(request: Request) -> Response:
        body = await read_json(request)
        mode = body.get("mode") or "auto"
        if mode not in ("auto", *MODES):
            raise ServiceError("invalid_mode", f"`mode` must be auto, {', '.join(MODES[:-1])} or {MODES[-1]}", 422)
        return JSONResponse({"success": True, **await sandra.ask(_message(body), mode)})

    async def route_message(request: Request) -> Response:
        return JSONResponse({"success": True, **as_dict(sandra.decide(_message(await read_json(request))))})

    async def stats(_: Request) -> Response:
        counts = {
            "tasks": sandra.tasks,
            "modes": sandra.modes,
            "answers": backends.uses,
            "failures": backends.failures,
        }
        return JSONResponse({name: dict(count) for name, count in counts.items()})

    async def check_up() -> Checks:
        states = await backends.states()
        if "ok" in states.values():
            return Checks(states)
        words = ", ".join(f"{name}: {word}" for name, word in states.items())
        error = ServiceError("no_backend", f"no backend is ready ({words})", retry_after=5)
        return Checks(states, error, starting=LOADING in states.values())

    def server() -> "MCPServer":
        from examples.sandra_ia.tools import build

        return build(sandra)

    endpoint = McpEndpoint(server)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with endpoint.running(), backends.client:
            yield

    routes = [
        *health_routes(SERVICE.name, check_up),
        endpoint.route(),
        Route("/v1/chat/completions", completions, methods=["POST"]),
        Route("/v1/embeddings", embeddings, methods=["POST"]),
        Route("/v1/models", models),
        Route("/v1/models/{name:path}", model),
        Route("/chat", chat, methods=["POST"]),
        Route("/route-message", route_message, methods=["POST"]),
        Route("/stats", stats),
    ]
    return make_app(routes, lifespan)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "portsup"}


def _message(body: dict[str, Any]) -> str:
    message = body.get("message")
    if not isinstance(message, str):
        raise ServiceError("invalid_message", "`message` must be a text", 422)
    return message


if __name__ == "__main__":
    run(SERVICE, app)
