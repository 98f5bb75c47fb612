"""What either backend can do, as MCP tools."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from examples import __version__
from examples.forward import Slots
from examples.ollama_mcp.backends import Backends
from examples.ollama_mcp.embedded import Embedded
from examples.tool_errors import as_tool_errors
from examples.web import ServiceError

READS = ToolAnnotations(read_only_hint=True)
FETCHES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=True)
Tokens = Annotated[int, Field(ge=1, le=32768)]


@dataclass
class Model:
    name: str
    size: int
    details: dict[str, Any] = field(default_factory=dict)


@dataclass
class Models:
    models: list[Model]


@dataclass
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass
class Reply:
    model: str
    text: str
    tokens: int | None
    done_reason: str


@dataclass
class Embeddings:
    model: str
    embeddings: list[list[float]]


@dataclass
class Pulled:
    model: str
    status: str


def server(backends: Backends, slots: Slots) -> MCPServer:
    """The server; its tools share the limit of the HTTP API."""
    words = "Language models on this machine: those of an Ollama, or a small one that is always here."
    server = MCPServer("ollama-mcp", version=__version__, instructions=words, log_level="WARNING")

    @server.tool(annotations=READS)
    async def list_models() -> Models:
        """List the models that are installed."""
        with as_tool_errors():
            found = await (await backends.choose()).models()
        return Models([Model(str(m.get("name")), int(m.get("size") or 0), m.get("details") or {}) for m in found])

    @server.tool(annotations=READS)
    async def chat(
        ctx: Context,
        prompt: str = "",
        messages: list[Message] | None = None,
        model: str | None = None,
        max_tokens: Tokens = 512,
    ) -> Reply:
        """Answer a prompt, or go on with a conversation; the answer so far is reported as progress."""
        told = [{"role": message.role, "content": message.content} for message in messages or ()]
        if prompt:
            told.append({"role": "user", "content": prompt})
        if not told:
            raise ToolError("bad_request: give a prompt or messages")
        return await _generated(ctx, "/api/chat", {"messages": told}, model, max_tokens)

    @server.tool(annotations=READS)
    async def generate(ctx: Context, prompt: str, model: str | None = None, max_tokens: Tokens = 512) -> Reply:
        """Continue a text."""
        if not prompt:
            raise ToolError("bad_request: give a prompt")
        return await _generated(ctx, "/api/generate", {"prompt": prompt}, model, max_tokens)

    @server.tool(annotations=READS)
    async def embed(input: list[str], model: str | None = None) -> Embeddings:
        """Turn texts into vectors."""
        with as_tool_errors():
            async with _slot():
                backend = await backends.choose()
                name = await backend.model(model)
                answer = await backend.ask("/api/embed", {"model": name, "input": input})
        return Embeddings(name, answer.get("embeddings") or [])

    @server.tool(annotations=FETCHES)
    async def pull_model(ctx: Context, model: str) -> Pulled:
        """Download a model; only where a real Ollama is, which keeps it."""
        last: dict[str, Any] = {}
        with as_tool_errors():
            backend = await backends.choose()
            if isinstance(backend, Embedded):
                raise ServiceError(
                    "needs_ollama", "only the embedded model is here; models are pulled by a real Ollama"
                )
            async with aclosing(backend.stream("/api/pull", {"model": model})) as parts:
                async for last in parts:
                    done, total = last.get("completed") or 0, last.get("total")
                    await ctx.report_progress(done, total, message=str(last.get("status", "")))
        return Pulled(model, str(last.get("status", "")))

    async def _generated(ctx: Context, path: str, body: dict[str, Any], model: str | None, most: int) -> Reply:
        text: list[str] = []
        last: dict[str, Any] = {}
        with as_tool_errors():
            async with _slot():
                backend = await backends.choose()
                name = await backend.model(model)
                body = {"model": name, **body, "options": {"num_predict": most}}
                async with aclosing(backend.stream(path, body)) as parts:
                    async for last in parts:
                        piece = last.get("response") or (last.get("message") or {}).get("content") or ""
                        if piece:
                            text.append(piece)
                            await ctx.report_progress(len(text), message=piece)
        return Reply(name, "".join(text), last.get("eval_count"), str(last.get("done_reason") or ""))

    @asynccontextmanager
    async def _slot() -> AsyncIterator[None]:
        await slots.take()
        try:
            yield
        finally:
            slots.give_back()

    return server
