"""A small language model of our own, for machines without an Ollama.

It is loaded when it is first needed, and the service answers meanwhile, and says `model_loading`. When its engine dies,
the next question loads it again.
"""

import asyncio
import hashlib
import importlib.util
import json
import logging
import shutil
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx2

from examples.fetch_model import FETCHED
from examples.forward import send
from examples.ollama_mcp import dialect, memory, newer
from examples.ollama_mcp.engine import VECTOR_CONTEXT, CannotLoad, Engine, Size, architecture, details, make_folder
from examples.ollama_mcp.real import REMEMBERED
from examples.web import ServiceError

log = logging.getLogger("ollama-mcp")

# More answers at once than this wait for one another inside: each has to have memory for a whole context.
MOST_AT_ONCE = 4
_IS_NOT_THERE = "the embedded model is not there"


class State(StrEnum):
    """How far the embedded model is."""

    IDLE = "idle"  # nobody has needed it yet
    LOADING = "loading"
    READY = "ready"
    ABSENT = "absent"


class Embedded:
    """The model in the file `path`; until it is loaded, `problem` says what to tell clients."""

    name = "embedded"

    def __init__(self, path: Path, size: Size, silence: float, engine: type[Engine] = Engine) -> None:
        self.path = path
        self.model_name = "smollm2:135m" if path.name == FETCHED.name else path.stem.lower()
        self.state = State.IDLE
        self.size = replace(size, at_once=min(size.at_once, MOST_AT_ONCE))
        self._silence = silence
        self._engine = engine
        self._why = ""
        self._looked = float("-inf")
        self._folder: Path | None = None
        self._loading: asyncio.Task[None] | None = None
        self._chat: Engine | None = None
        self._vectors: asyncio.Task[Engine] | None = None
        self._facts: dict[str, Any] | None = None
        self._digest = ""

    @property
    def problem(self) -> ServiceError | None:
        """Why it cannot answer just now; None when it can."""
        self._notice_death()
        match self.state:
            case State.READY:
                return None
            case State.ABSENT:
                return ServiceError("no_backend", f"{_IS_NOT_THERE}: {self._why}", retry_after=REMEMBERED)
            case _:
                return ServiceError("model_loading", f"{self.model_name} is being loaded", retry_after=1)

    def load(self) -> None:
        """Begins to load the model, if that is not done yet. One that is not there is looked for again now and then."""
        self._notice_death()
        if self.state in (State.LOADING, State.READY) or time.monotonic() - self._looked < REMEMBERED:
            return
        self._looked = time.monotonic()
        try:
            self._check()
        except CannotLoad as error:
            self.state, self._why = State.ABSENT, str(error)
            return
        self.state = State.LOADING
        self._loading = asyncio.create_task(self._load())

    def _check(self) -> None:
        if importlib.util.find_spec("xllamacpp") is None:
            raise CannotLoad("xllamacpp is not installed (the extra `llm`)")
        if not self.path.is_file():
            raise CannotLoad(f"there is no `{self.path}`; `python -m examples.fetch_model` brings the model")

    async def _load(self) -> None:
        started = time.monotonic()
        try:
            self._chat = await asyncio.to_thread(self._start, "chat")
        except (CannotLoad, OSError) as error:
            self.state, self._why = State.ABSENT, str(error)
            log.warning("%s: %s", _IS_NOT_THERE, error)
        else:
            self.state = State.READY
            log.info("loaded %s in %.1f s", self.model_name, time.monotonic() - started)

    def _start(self, face: str) -> Engine:
        self._folder = self._folder or make_folder()
        at = self._folder / f"{face}.sock"
        vectors = face == "vectors"
        return self._engine(self.path, at, self.model_name, self.size, self._silence, vectors=vectors)

    def _notice_death(self) -> None:
        if self._chat is not None and (code := self._chat.ended) is not None:
            log.warning("the embedded model's engine ended with %d; the next question loads it again", code)
            self._chat, self._facts, self.state, self._looked = None, None, State.IDLE, float("-inf")

    async def close(self) -> None:
        """Ends the engines."""
        for task in (self._loading, self._vectors):
            if task is not None:
                await asyncio.wait({task})  # an engine that is just being loaded has to be ended too
        vectors = self._vectors
        made = vectors.result() if vectors is not None and vectors.exception() is None else None
        for engine in (self._chat, made):
            if engine is not None:
                await engine.client.aclose()
                await asyncio.to_thread(engine.close)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def is_called(self, wanted: object) -> bool:
        """Whether a client means this model; one that names none does, and `smollm2` is enough."""
        name = self.model_name
        return not wanted or wanted in (name, name.partition(":")[0], name.partition(":")[0] + ":latest")

    async def model(self, wanted: object) -> str:
        """The name of the model; a ServiceError for one that is not here."""
        if not self.is_called(wanted):
            shown = str(wanted)[:200].encode(errors="replace").decode()  # half a surrogate pair cannot be sent back
            raise ServiceError("model_not_found", f"model '{shown}' not found", 404)
        return self.model_name

    async def post(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        """The engine's answer to a request in OpenAI's words, begun and without error, the body still to be read."""
        vectors = path == "/v1/embeddings"
        engine = await self._engine_for_vectors() if vectors else self._chat
        if engine is None:
            raise self.problem or ServiceError("model_loading", "the model is being loaded")
        headers = {"content-type": "application/json"}
        body = newer.sent(path, await self._fitting(engine, body))
        content = json.dumps(body).encode()
        answer = await send(engine.client, "POST", path, headers, content, name="the embedded model")
        if answer.status_code != 200:
            try:
                raise dialect.refusal(answer.status_code, await answer.aread(), body)
            except httpx2.HTTPError as error:
                raise ServiceError("internal_error", f"the embedded model broke off: {error}", 500) from None
            finally:
                await answer.aclose()
        return answer

    async def _fitting(self, engine: Engine, body: dict[str, Any]) -> dict[str, Any]:
        """The request without the oldest of its messages, where with them there is no room for an answer."""
        body = dict(body)
        may_cut = body.pop("truncate", True)
        messages = body.get("messages")
        if messages is None or not may_cut:
            return body
        most = body["max_tokens"]
        room = self.size.context - min(most if most > 0 else self.size.context, self.size.context // 4)
        if memory.surely_fits(messages, room):
            return body

        async def tokens_of(text: str) -> int:
            return len((await engine.client.post("/tokenize", json={"content": text})).json()["tokens"])

        counts = await asyncio.gather(*(tokens_of(message["content"]) for message in messages))
        left = memory.kept(messages, counts, room)
        if gone := len(messages) - len(left):
            log.info("the conversation is too long: its oldest messages, %d of %d, were left out", gone, len(messages))
        return {**body, "messages": left}

    async def _engine_for_vectors(self) -> Engine:
        """A second engine on the same weights: one that makes vectors needs other buffers, and few need vectors."""
        made = self._vectors
        if made is None or (made.done() and (made.exception() or made.result().ended is not None)):
            made = self._vectors = asyncio.create_task(asyncio.to_thread(self._start, "vectors"))
        try:
            return await asyncio.shield(made)
        except (CannotLoad, OSError) as error:
            self._vectors = None
            raise ServiceError("no_backend", f"{_IS_NOT_THERE}: {error}", retry_after=REMEMBERED) from None

    async def whole(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One JSON answer of the engine."""
        answer = await self.post(path, body)
        try:
            value = json.loads(await answer.aread())
        except (httpx2.HTTPError, ValueError) as error:
            raise ServiceError("internal_error", f"the embedded model broke off: {error}", 500) from None
        finally:
            await answer.aclose()
        assert isinstance(value, dict)
        return value

    async def stream(self, path: str, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The parts of an answer to `/api/chat` or `/api/generate`, in Ollama's words."""
        name = await self.model(body.get("model"))
        dialog = dialect.Dialog(path, body, name)
        if dialog.only_loads:
            yield dialog.loaded()
            return
        answer = await self.post(dialog.path, dialog.request)
        try:
            async for line in answer.aiter_lines():
                for part in dialog.parts(line):
                    yield part
        except httpx2.HTTPError as error:
            raise ServiceError("internal_error", f"the embedded model broke off: {error}", 500) from None
        finally:
            await answer.aclose()
        if not dialog.is_done:
            raise ServiceError("internal_error", "the embedded model broke off", 500)

    async def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One whole answer to `/api/chat`, `/api/generate` or `/api/embed`, in Ollama's words."""
        if path == "/api/embed":
            return await self._embed(body)
        return dialect.joined([part async for part in self.stream(path, body)])

    async def _embed(self, body: dict[str, Any]) -> dict[str, Any]:
        name = await self.model(body.get("model"))
        wish = dialect.VectorWish.of(body)
        started = time.monotonic_ns()
        engine = await self._engine_for_vectors()
        loaded = time.monotonic_ns()
        texts: list[Any] = list(wish.texts)
        for number, text in enumerate(wish.texts):
            if wish.truncate and len(text) > VECTOR_CONTEXT:  # a token has a letter at least
                answer = await engine.client.post("/tokenize", json={"content": text})
                texts[number] = answer.json()["tokens"][:VECTOR_CONTEXT]
        found = await self.whole("/v1/embeddings", {"input": texts}) if texts else {"data": []}
        return {
            "model": name,
            "embeddings": [wish.cut(one["embedding"]) for one in found["data"]],
            "total_duration": time.monotonic_ns() - started,
            "load_duration": loaded - started,
            "prompt_eval_count": found.get("usage", {}).get("prompt_tokens", 0),
        }

    async def models(self) -> list[dict[str, Any]]:
        """The one model, as `GET /api/tags` of an Ollama would tell it."""
        status = self.path.stat()
        if not self._digest:
            self._digest = await asyncio.to_thread(_sha256, self.path)
        return [
            {
                "name": self.model_name,
                "model": self.model_name,
                "modified_at": datetime.fromtimestamp(status.st_mtime, UTC).isoformat(),
                "size": status.st_size,
                "digest": self._digest,
                "details": details(await self.facts()),
            }
        ]

    async def facts(self) -> dict[str, Any]:
        """What llama.cpp knows of the model: `n_params`, `n_embd`, `n_ctx_train`, `ftype` and so on."""
        if self._facts is None:
            assert self._chat is not None
            document = (await self._chat.client.get("/v1/models")).json()
            template = (await self._chat.client.get("/props")).json().get("chat_template", "")
            kind = await asyncio.to_thread(architecture, self.path)
            self._facts = {**document["data"][0]["meta"], "chat_template": template, "architecture": kind}
        return self._facts


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
