"""The HTTP APIs of Ollama and OpenAI in front of the embedded model."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from starlette.responses import JSONResponse, PlainTextResponse, Response

from examples import __version__
from examples.forward import Relay, relay
from examples.ollama_mcp import calls, dialect, newer, said
from examples.ollama_mcp.embedded import Embedded
from examples.ollama_mcp.vectors import VectorWish
from examples.web import BrokenOff, ServiceError

# What changes the models of an Ollama.
KEEPING = ("/api/pull", "/api/push", "/api/create", "/api/copy", "/api/delete", "/api/blobs")
FOREVER = 365 * 24 * 3600.0  # seconds, until a model leaves that stays
Done = Callable[[], None]


async def look(embedded: Embedded, method: str, path: str) -> Response:
    """The answer to a request that asks for no work."""
    plain: dict[str, Callable[[Embedded], Awaitable[Response]]] = {
        "/": _greeting,
        "/api/version": _version,
        "/api/tags": _tags,
        "/api/ps": _running,
        "/v1/models": _openai_models,
    }
    if path in plain and method in ("GET", "HEAD"):
        return await plain[path](embedded)
    if path.startswith("/v1/models/") and method == "GET":
        await embedded.model(path.removeprefix("/v1/models/"))
        return JSONResponse(_openai_model(embedded))
    if path.startswith(KEEPING):
        raise ServiceError("needs_ollama", f"`{path}` needs a real Ollama; only the embedded model is here", 501)
    raise ServiceError("not_found", f"there is no `{path}` here", 404)


async def show(embedded: Embedded, body: dict[str, Any]) -> Response:
    """`POST /api/show`."""
    await embedded.model(body.get("model") or body.get("name"))
    facts = await embedded.facts()
    (model,) = await embedded.models()
    parameters = {"num_ctx": embedded.size.context, **dialect.options(dialect.MANNERS)}
    kind = facts["architecture"]  # clients look for `KIND.context_length`
    info = {
        "general.architecture": kind,
        "general.parameter_count": facts.get("n_params"),
        f"{kind}.context_length": embedded.size.context,  # what it has room for here, not what it was trained for
        f"{kind}.embedding_length": facts.get("n_embd"),
    }
    return JSONResponse(
        {
            "modified_at": model["modified_at"],
            "modelfile": f"FROM {embedded.path}",
            "parameters": "\n".join(f"{key} {value}" for key, value in parameters.items()),
            "template": facts["chat_template"],
            "details": model["details"],
            "model_info": info,
            "capabilities": ["completion", "embedding"],
        }
    )


async def work(embedded: Embedded, path: str, body: dict[str, Any], done: Done) -> Response:
    """The answer to a request that makes the model work; `done` is called when it is over, unless this raises."""
    name = await embedded.model(body.get("model"))
    if path == "/v1/embeddings":
        return await _vectors(embedded, path, body, name, done)
    if path.startswith("/v1/"):
        if function := calls.forced(path, body, name):
            return await _call(embedded, path, body, function, done)
        return await _answer(embedded, path, calls.told(path, body), done)
    if path in ("/api/embed", "/api/embeddings"):
        answer = await embedded.ask("/api/embed", _older_embeddings(body) if path == "/api/embeddings" else body)
        done()
        return JSONResponse({"embedding": answer["embeddings"][0]} if path == "/api/embeddings" else answer)
    body = calls.in_words(body)
    if body.get("stream") is False:
        answer = await embedded.ask(path, body)
        done()
        return JSONResponse(answer)
    return await lines(embedded.stream(path, body), done)


async def lines(parts: AsyncGenerator[dict[str, Any], None], done: Done, *, as_events: bool = False) -> Response:
    """A streamed answer, one JSON object a line or an event; what goes wrong at its beginning is raised."""
    first = await anext(parts)

    def line(part: dict[str, Any]) -> bytes:
        text = json.dumps(part, ensure_ascii=False)
        return f"data: {text}\n\n".encode() if as_events else f"{text}\n".encode()

    async def chunks() -> AsyncIterator[bytes]:
        yield line(first)
        try:
            async for part in parts:
                yield line(part)
        except ServiceError as error:
            yield line(error.body() if as_events else {"error": error.message})

    async def closed() -> None:
        try:
            await parts.aclose()
        finally:
            done()

    kind = "text/event-stream" if as_events else "application/x-ndjson"
    return Relay(chunks(), 200, [("content-type", kind)], closed)


async def _call(embedded: Embedded, path: str, body: dict[str, Any], function: calls.Function, done: Done) -> Response:
    """The answer to a request that has the model call a function: made whole, also for a client who streams."""
    plain = calls.told(path, body)
    is_chat = path == calls.CHAT
    name = embedded.model_name
    asked = dialect.openai_request(path, plain, name) if is_chat else newer.request(path, plain, name)
    answer = await embedded.whole(calls.CHAT, calls.request(asked, function))
    done()
    called = calls.answered(answer, function, name)
    if not body.get("stream"):
        return JSONResponse(calls.document(path, called))
    options = body.get("stream_options")
    with_usage = isinstance(options, dict) and bool(options.get("include_usage"))
    text = "".join(calls.events(path, called, with_usage=with_usage))
    return Response(text, media_type="text/event-stream")


async def _answer(embedded: Embedded, path: str, body: dict[str, Any], done: Done) -> Response:
    """The answer in words to a request of OpenAI's or Anthropic's API."""
    name, is_stream = embedded.model_name, bool(body.get("stream"))
    if path in ("/v1/chat/completions", "/v1/completions"):
        answer = await embedded.post(path, dialect.openai_request(path, body, name))
        return _as_it_is(answer, done, said.with_role(answer.aiter_raw()) if is_stream and path == calls.CHAT else None)
    if path not in newer.PATHS:
        raise ServiceError("not_found", f"the embedded model has no `{path}`", 404)
    asked = newer.request(path, body, name)
    if path in newer.COUNTING:
        found = await embedded.whole(newer.TOKENS, asked)
        done()
        return JSONResponse({"object": "response.input_tokens", **found} if path == newer.INPUT_TOKENS else found)
    if path == newer.MESSAGES and "response_format" in asked:
        return await _formal_message(embedded, asked, done)
    if not is_stream:
        found = await embedded.whole(calls.CHAT if path == newer.RESPONSES else path, asked)
        done()
        return JSONResponse((said.Response(body, name) if path == newer.RESPONSES else said.Message(name)).whole(found))
    if path == newer.MESSAGES:
        answer = await embedded.post(path, asked)
        return _events(_message_events(embedded, asked, answer.aiter_lines()), answer.aclose, done)
    answer = await embedded.post(calls.CHAT, {**asked, "stream_options": {"include_usage": True}})
    return _events(said.Response(body, name).events(answer.aiter_lines()), answer.aclose, done)


async def _formal_message(embedded: Embedded, asked: dict[str, Any], done: Done) -> Response:
    """A message that is JSON, whose schema the engine keeps to in a chat completion only; made whole."""
    plain = {key: value for key, value in asked.items() if key != "stream"}
    found = await embedded.whole(calls.CHAT, plain)
    done()
    (choice,) = found["choices"]
    block = {"type": "text", "text": choice["message"].get("content") or ""}
    reason = "max_tokens" if choice.get("finish_reason") == "length" else "end_turn"
    message = said.message(embedded.model_name, block, reason, found.get("usage") or {})
    if not asked.get("stream"):
        return JSONResponse(message)
    return Response("".join(said.event(*each) for each in said.message_events(message)), media_type="text/event-stream")


async def _message_events(embedded: Embedded, asked: dict[str, Any], lines: AsyncIterator[str]) -> AsyncIterator[str]:
    message = said.Message(embedded.model_name)
    async for line in lines:
        if message.lacks_its_beginning(line):
            counted = {key: value for key, value in asked.items() if key != "stream"}
            yield message.begin((await embedded.whole(newer.TOKENS, counted)).get("input_tokens", 0))
        if text := message.mended(line):
            yield text


def _events(events: AsyncIterator[str], close: Callable[[], Awaitable[None]], done: Done) -> Response:
    """The events of an answer; what breaks it off cuts the connection."""

    async def chunks() -> AsyncIterator[bytes]:
        try:
            async for text in events:
                yield text.encode()
        except httpx2.HTTPError as error:
            raise BrokenOff(f"the embedded model broke off: {error}") from None

    async def closed() -> None:
        try:
            await close()
        finally:
            done()

    return Relay(chunks(), 200, [("content-type", "text/event-stream")], closed)


async def _vectors(embedded: Embedded, path: str, body: dict[str, Any], name: str, done: Done) -> Response:
    wanted: dict[str, Any] = {key: body[key] for key in ("input", "encoding_format") if key in body}
    if body.get("dimensions") is None:
        return _as_it_is(await embedded.post(path, wanted), done)
    wish = VectorWish.of({"dimensions": body["dimensions"]})
    found = await embedded.whole(path, {**wanted, "encoding_format": "float"})
    done()
    return JSONResponse(wish.cut_all(found, as_base64=wanted.get("encoding_format") == "base64"))


def _as_it_is(answer: Any, done: Done, raw: AsyncIterator[bytes] | None = None) -> Response:
    for header in [name for name in answer.headers if name.startswith(("access-control-", "server"))]:
        del answer.headers[header]
    return relay(answer, name="the embedded model", closed=done, raw=raw)


def _older_embeddings(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "input": [body.get("prompt") or ""]}


async def _greeting(_: Embedded) -> Response:
    return PlainTextResponse("Ollama is running")  # what clients look for


async def _version(_: Embedded) -> Response:
    return JSONResponse({"version": __version__})


async def _tags(embedded: Embedded) -> Response:
    return JSONResponse({"models": await embedded.models()})


async def _running(embedded: Embedded) -> Response:
    if (left := embedded.leaves_in) is None:
        return JSONResponse({"models": []})
    until = datetime.now(UTC) + timedelta(seconds=min(left, FOREVER))
    models = await embedded.models()
    more = {"expires_at": until.isoformat(), "size_vram": 0, "context_length": embedded.size.context}
    return JSONResponse({"models": [{**model, **more} for model in models]})


async def _openai_models(embedded: Embedded) -> Response:
    return JSONResponse({"object": "list", "data": [_openai_model(embedded)]})


def _openai_model(embedded: Embedded) -> dict[str, Any]:
    created = int(embedded.path.stat().st_mtime)
    return {"id": embedded.model_name, "object": "model", "created": created, "owned_by": "library"}
