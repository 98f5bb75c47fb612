"""What Ollama can do, as MCP tools."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from examples import __version__
from examples.forward import Slots
from examples.ollama_mcp.backend import Ollama
from examples.web import ServiceError

READS = ToolAnnotations(read_only_hint=True)
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


def build(backend: Ollama, slots: Slots) -> MCPServer:
    """The server; its tools share the limit of the HTTP API."""
    server = MCPServer(
        "ollama-mcp", version=__version__, instructions="Language models of a local Ollama.", log_level="WARNING"
    )

    @server.tool(annotations=READS)
    async def list_models() -> Models:
        """List the models that are installed."""
        async with _as_tool_errors():
            found = await backend.models()
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
        return await _generated(ctx, "/api/generate", {"prompt": prompt}, model, max_tokens)

    @server.tool(annotations=READS)
    async def embed(input: list[str], model: str | None = None) -> Embeddings:
        """Turn texts into vectors."""
        async with _as_tool_errors(), _slot():
            name = await backend.model(model)
            answer = await backend.ask("/api/embed", {"model": name, "input": input})
        return Embeddings(name, answer.get("embeddings") or [])

    async def _generated(ctx: Context, path: str, body: dict[str, Any], model: str | None, most: int) -> Reply:
        text: list[str] = []
        last: dict[str, Any] = {}
        async with _as_tool_errors(), _slot():
            name = await backend.model(model)
            body = {"model": name, **body, "options": {"num_predict": most}}
            async for last in backend.stream(path, body):
                piece = last.get("response") or (last.get("message") or {}).get("content") or ""
                if piece:
                    text.append(piece)
                    await ctx.report_progress(len(text), message=piece)
        return Reply(name, "".join(text), last.get("eval_count"), str(last.get("done_reason") or ""))

    @asynccontextmanager
    async def _slot() -> AsyncIterator[None]:
        slots.take()
        try:
            yield
        finally:
            slots.give_back()

    return server


@asynccontextmanager
async def _as_tool_errors() -> AsyncIterator[None]:
    try:
        yield
    except ServiceError as error:
        raise ToolError(str(error)) from None
