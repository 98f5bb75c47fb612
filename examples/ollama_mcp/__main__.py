"""Answers `/api/…` in Ollama's words, `/v1/…` in OpenAI's and `/mcp` over MCP.

A request goes to the real Ollama at `OLLAMA_BASE_URL` wherever it answers, as it is and byte by byte; else to a small
model of its own; and where there is neither, the answer is 503 `no_backend`. Which of the two it is, is decided
anew for each request, and the header `x-portsup-backend` tells.

Environment: `OLLAMA_MCP_PORT`, `OLLAMA_BASE_URL`, `OLLAMA_MODEL` (of the real Ollama, for MCP calls that name none),
`OLLAMA_MCP_MODEL_PATH` (a GGUF file; the one that `python -m examples.fetch_model` brings), `OLLAMA_MAX_CONCURRENT`
(2), `OLLAMA_MAX_QUEUE` (16 more may wait), `OLLAMA_MCP_THREADS` (1) and `OLLAMA_CONTEXT_LENGTH` (2048 tokens) of the
embedded model, `ENGINE_IDLE_STOP` (seconds after which it leaves when nobody asks, 900; 0: never), `OLLAMA_TIMEOUT`
(seconds of silence, and in the queue, 120), `OLLAMA_MCP_TOKEN`.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.fetch_model import model_path
from examples.forward import SECRETS, Slots, path_of, relay, request_headers, streamed_body
from examples.mcp_endpoint import McpEndpoint
from examples.ollama_mcp import faces, newer
from examples.ollama_mcp.backends import Backends
from examples.ollama_mcp.embedded import Embedded
from examples.ollama_mcp.engine import Size
from examples.ollama_mcp.real import PROBE, Ollama
from examples.on_demand import idle_stop
from examples.service import Service, number, run, setting
from examples.web import ServiceError, health_routes, json_object, make_app, read_body, read_json, refuse_compressed

if TYPE_CHECKING:
    from mcp.server import MCPServer

SERVICE = Service(
    "ollama-mcp",
    port_env="OLLAMA_MCP_PORT",
    token_env="OLLAMA_MCP_TOKEN",
    health_alias="/ollama/health",
    text_errors="/api/",
)
# What makes the machine work hard; listing and showing models is not limited.
GENERATING = frozenset(
    ("/api/chat", "/api/generate", "/api/embed", "/api/embeddings", "/v1/chat/completions", "/v1/completions")
) | {"/v1/embeddings", "/v1/responses", "/v1/messages"}
METHODS = ["GET", "HEAD", "POST", "DELETE"]
LARGEST = 32 * 1024 * 1024  # bytes of a question; pictures come along inside it


def app() -> Starlette:
    silence = number("OLLAMA_TIMEOUT", 120, 0.1)
    slots = Slots(
        int(number("OLLAMA_MAX_CONCURRENT", 2, 1, 1000)),
        int(number("OLLAMA_MAX_QUEUE", 16, 0, 10000)),
        patience=silence,
    )
    size = Size(
        at_once=slots.limit,
        threads=int(number("OLLAMA_MCP_THREADS", 1, 1, 256)),
        context=int(number("OLLAMA_CONTEXT_LENGTH", 2048, 256, 1 << 20)),
    )
    real = Ollama(setting("OLLAMA_BASE_URL"), silence, setting("OLLAMA_MODEL"))
    return build(Backends(real, Embedded(model_path(), size, silence, idle_stop())), slots)


def build(backends: Backends, slots: Slots) -> Starlette:
    """The application; `app` is the one that the environment asks for."""
    real, embedded = backends.real, backends.embedded
    answered: Counter[str] = Counter()

    async def answer(request: Request) -> Response:
        path = path_of(request)
        bare = path.partition("?")[0]
        try:
            return await answer_at(request, path, bare)
        except ServiceError as error:
            if not bare.startswith(newer.MESSAGES):
                raise
            response = error.response()  # Anthropic's clients expect a word more
            told = JSONResponse({"type": "error", **error.body()}, error.status)
            response.body, response.headers["content-length"] = told.body, told.headers["content-length"]
            return response

    async def answer_at(request: Request, path: str, bare: str) -> Response:
        if request.method == "POST" and bare in GENERATING:
            return await generate(request, path, bare, await read_body(request, LARGEST))
        if bare == "/api/version" and request.headers.get(PROBE) == real.id:
            raise ServiceError("loop", "OLLAMA_BASE_URL leads back to this service", 508)
        if await backends.choose() is real:
            try:
                return await pass_on(request, path)
            except ServiceError as error:
                if error.code != "upstream_unreachable" or request.method not in ("GET", "HEAD"):
                    raise
                if await backends.choose() is real:
                    raise
        if request.method == "POST" and bare in newer.COUNTING:
            response = await faces.work(embedded, bare, await read_json(request, LARGEST), lambda: None)
        elif request.method == "POST" and bare == "/api/show":
            response = await faces.show(embedded, await read_json(request))
        else:
            response = await faces.look(embedded, request.method, bare)
        return marked(response, embedded.name)

    async def generate(request: Request, path: str, bare: str, content: bytes) -> Response:
        chosen = await backends.choose()  # before a slot is taken
        await slots.take()
        try:
            if chosen is real:
                try:
                    return await pass_on(request, path, content, slots.give_back)
                except ServiceError as error:
                    # It went away a moment ago. Nothing was answered yet, so the other one can do it.
                    if error.code != "upstream_unreachable" or await backends.choose() is real:
                        raise
            refuse_compressed(request)
            response = await faces.work(embedded, bare, json_object(content), slots.give_back)
        except BaseException:
            slots.give_back()
            raise
        return marked(response, embedded.name)

    async def pass_on(
        request: Request, path: str, content: bytes | None = None, over: Callable[[], None] = lambda: None
    ) -> Response:
        headers = request_headers(request, SECRETS | {"origin"})
        body = streamed_body(request, headers) if content is None else content
        upstream = await real.answer(request.method, path, headers, body)
        answered[real.name] += 1
        return relay(upstream, name="Ollama", closed=over, extra={"x-portsup-backend": real.name})

    def marked(response: Response, name: str) -> Response:
        answered[name] += 1
        response.headers["x-portsup-backend"] = name
        return response

    async def old_models(_: Request) -> Response:
        return JSONResponse({"models": await (await backends.choose()).models()})

    async def old_chat(request: Request) -> Response:
        """`/ollama/chat` answers as a whole, `/ollama/stream/chat` as events; both take what `/api/chat` does."""
        body = await read_json(request, LARGEST)
        chosen = await backends.choose()
        await slots.take()
        try:
            body["model"] = await chosen.model(body.get("model"))
            if request.url.path == "/ollama/stream/chat":
                response = await faces.lines(chosen.stream("/api/chat", body), slots.give_back, as_events=True)
            else:
                response = JSONResponse(await chosen.ask("/api/chat", body))
                slots.give_back()
        except BaseException:
            slots.give_back()
            raise
        return marked(response, chosen.name)

    async def stats(_: Request) -> Response:
        chosen = await backends.choose_or_none()
        return JSONResponse(
            {
                "backend": chosen.name if chosen else None,
                "answered": answered.total(),
                "answered_by": dict(answered),
                "running": slots.taken,
                "waiting": slots.waiting,
                "max_concurrent": slots.limit,
            }
        )

    def mcp_server() -> "MCPServer":
        from examples.ollama_mcp.tools import server

        return server(backends, slots)

    endpoint = McpEndpoint(mcp_server)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with endpoint.running(), backends.running():
            yield

    routes = [
        *health_routes(SERVICE.name, backends.check_up, SERVICE.health_alias),
        endpoint.route(),
        Route("/ollama/stats", stats),
        Route("/ollama/models", old_models),
        Route("/ollama/chat", old_chat, methods=["POST"]),
        Route("/ollama/stream/chat", old_chat, methods=["POST"]),
        Route("/", answer, methods=["GET", "HEAD"]),
        Route("/api/{path:path}", answer, methods=METHODS),
        Route("/v1/{path:path}", answer, methods=METHODS),
    ]
    return make_app(routes, lifespan, SERVICE.text_errors)


if __name__ == "__main__":
    run(SERVICE, app)
