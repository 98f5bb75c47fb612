"""Answers chat requests through Groq API or Ollama MCP: OpenAI's API at `/v1`, older paths, and MCP tools at `/mcp`.

Environment: `SANDRA_PORT`, `SANDRA_ROUTES` (another table than `routes.yaml`), `SANDRA_TOKEN`, and where the backends
are: portsup tells that, or `GROQ_API_URL` and `OLLAMA_MCP_URL`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from examples.forward import relay
from examples.mcp_endpoint import McpEndpoint
from examples.peers import Peers
from examples.sandra_ia.chat import completion, events, question
from examples.sandra_ia.router import Sandra, as_dict
from examples.service import Service, run, setting
from examples.web import Checks, ServiceError, health_routes, make_app, read_json

if TYPE_CHECKING:
    from mcp.server import MCPServer

SERVICE = Service("sandra-ia", port_env="SANDRA_PORT", token_env="SANDRA_TOKEN")


def app() -> Starlette:
    sandra = Sandra(Path(setting("SANDRA_ROUTES", str(Path(__file__).with_name("routes.yaml")))), Peers())
    backends = sandra.backends

    async def completions(request: Request) -> Response:
        body = await read_json(request, 16 * 1024 * 1024)
        asked = question(sandra.table, body)
        sandra.tasks[asked.decision.task] += 1
        marks = {"x-sandra-task": asked.decision.task}
        if asked.decision.answer:
            marks["x-sandra-backend"] = "identity"
            if body.get("stream"):
                return StreamingResponse(events(asked.decision.answer), headers=marks, media_type="text/event-stream")
            return JSONResponse(completion(asked.decision.answer), headers=marks)
        answered = await backends.complete(asked.decision.candidates, body)
        marks["x-sandra-backend"] = answered.candidate.backend
        return relay(answered.response, name=answered.candidate.backend, extra=marks)

    async def models(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "sandra", "object": "model", "owned_by": "portsup"}]})

    async def chat(request: Request) -> Response:
        body = await read_json(request)
        mode = str(body.get("mode") or "auto")
        if mode not in ("auto", "single", "compare"):
            raise ServiceError("invalid_mode", "`mode` must be auto, single or compare", 422)
        return JSONResponse({"success": True, **await sandra.ask(_message(body), mode)})

    async def route_message(request: Request) -> Response:
        return JSONResponse({"success": True, **as_dict(sandra.decide(_message(await read_json(request))))})

    async def stats(_: Request) -> Response:
        counts = {"tasks": sandra.tasks, "answers": backends.uses, "failures": backends.failures}
        return JSONResponse({name: dict(count) for name, count in counts.items()})

    async def check_up() -> Checks:
        states = await backends.states()
        if "ok" in states.values():
            return Checks(states)
        words = ", ".join(f"{name}: {word}" for name, word in states.items())
        return Checks(states, ServiceError("no_backend", f"no backend is ready ({words})", retry_after=5))

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
        Route("/v1/models", models),
        Route("/chat", chat, methods=["POST"]),
        Route("/route-message", route_message, methods=["POST"]),
        Route("/stats", stats),
    ]
    return make_app(routes, lifespan)


def _message(body: dict[str, Any]) -> str:
    message = body.get("message")
    if not isinstance(message, str):
        raise ServiceError("invalid_message", "`message` must be a text", 422)
    return message


if __name__ == "__main__":
    run(SERVICE, app)
