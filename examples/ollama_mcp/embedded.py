"""A small language model of our own, for machines without an Ollama.

It is loaded when somebody needs it, who waits for that, and leaves when nobody has needed it for a while. When its
engine dies, the next question loads it again.
"""

import asyncio
import hashlib
import importlib.util
import itertools
import json
import logging
import math
import shutil
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from examples.fetch_model import FETCHED
from examples.forward import send
from examples.ollama_mcp import dialect, memory, newer
from examples.ollama_mcp.engine import (
    VECTOR_CONTEXT,
    CannotLoad,
    Engine,
    Engines,
    Size,
    architecture,
    details,
    make_folder,
)
from examples.ollama_mcp.real import REMEMBERED
from examples.ollama_mcp.vectors import VectorWish
from examples.on_demand import OnDemand
from examples.web import ServiceError

log = logging.getLogger("ollama-mcp")

# More answers at once than this wait for one another inside: each has to have memory for a whole context.
MOST_AT_ONCE = 4
_IS_NOT_THERE = "the embedded model is not there"


class Embedded:
    """The model in the file `path`; its engine leaves when nobody has asked for `idle` seconds, with 0 never."""

    name = "embedded"

    def __init__(self, path: Path, size: Size, silence: float, idle: float = 0, engine: type[Engine] = Engine) -> None:
        self.path = path
        self.model_name = "smollm2:135m" if path.name == FETCHED.name else path.stem.lower()
        self.size = replace(size, at_once=min(size.at_once, MOST_AT_ONCE))
        self._engine = engine
        self._why = ""
        self._failed = float("-inf")
        self._folder: Path | None = None
        self._numbers = itertools.count(1)
        self._facts: dict[str, Any] | None = None
        self._facts_of: tuple[int, int] | None = None
        self._chat, self._client = self._face("chat", idle, silence)
        # A second engine on the same weights: one that makes vectors needs other buffers, and few need vectors.
        self._vectors, self._vectors_client = self._face("vectors", idle, silence)

    def _face(self, face: str, idle: float, silence: float) -> tuple[OnDemand[Engine], httpx2.AsyncClient]:
        engines = Engines(f"the embedded model ({face})", lambda: self._start(face), idle, silence)
        timeout = httpx2.Timeout(silence, connect=5)
        return engines.on_demand, httpx2.AsyncClient(transport=engines, base_url="http://embedded", timeout=timeout)

    @property
    def problem(self) -> ServiceError | None:
        """Why it cannot answer just now, as far as that is known without loading it; None when it can."""
        why = self._missing() or (self._why if time.monotonic() - self._failed < REMEMBERED else "")
        return ServiceError("no_backend", f"{_IS_NOT_THERE}: {why}", retry_after=REMEMBERED) if why else None

    @property
    def state(self) -> str:
        """`ok` while the engine for answers runs, `idle` while there is none, else the code of what is wrong."""
        if problem := self.problem:
            return problem.code
        return "ok" if self._chat.is_running else "idle"

    @property
    def leaves_in(self) -> float | None:
        """Seconds until the engine leaves if nobody asks; infinite while it answers, None when it is not there."""
        if not self._chat.is_running:
            return None
        at = self._chat.leaves_at
        return math.inf if at is None else at - time.monotonic()

    def _missing(self) -> str:
        if importlib.util.find_spec("xllamacpp") is None:
            return "xllamacpp is not installed (the extra `llm`)"
        if not self.path.is_file():
            return f"there is no `{self.path}`; `python -m examples.fetch_model` brings the model"
        return ""

    def _start(self, face: str) -> Engine:
        """In a thread; raises ServiceError."""
        try:
            self._folder = self._folder or make_folder()
            # Each has a socket of its own, because one may still be leaving when the next is started.
            at = self._folder / f"{face}-{next(self._numbers)}.sock"
            return self._engine(self.path, at, self.model_name, self.size, vectors=face == "vectors")
        except (CannotLoad, OSError) as error:
            self._why, self._failed = str(error), time.monotonic()
            log.warning("%s: %s", _IS_NOT_THERE, error)
            raise ServiceError("no_backend", f"{_IS_NOT_THERE}: {error}", retry_after=REMEMBERED) from None

    async def close(self) -> None:
        """Ends the engines."""
        await asyncio.gather(self._chat.close(), self._vectors.close())
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def load(self) -> None:
        """Has the model in memory when it returns, as a request would; ServiceError when it cannot be loaded."""
        await self._chat.take()
        self._chat.give_back()

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
        client = self._vectors_client if path == "/v1/embeddings" else self._client
        headers = {"content-type": "application/json"}
        body = newer.sent(path, await self._fitting(client, body))
        content = json.dumps(body).encode()
        answer = await send(client, "POST", path, headers, content, name="the embedded model")
        if answer.status_code != 200:
            try:
                raise dialect.refusal(answer.status_code, await answer.aread(), body)
            except httpx2.HTTPError as error:
                raise ServiceError("internal_error", f"the embedded model broke off: {error}", 500) from None
            finally:
                await answer.aclose()
        return answer

    async def _fitting(self, client: httpx2.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
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
            return len((await client.post("/tokenize", json={"content": text})).json()["tokens"])

        counts = await asyncio.gather(*(tokens_of(message["content"]) for message in messages))
        left = memory.kept(messages, counts, room)
        if gone := len(messages) - len(left):
            log.info("the conversation is too long: its oldest messages, %d of %d, were left out", gone, len(messages))
        return {**body, "messages": left}

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
        if dialog.only_unloads:
            self._chat.leave()
        elif dialog.only_loads:
            await self.load()
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
        wish = VectorWish.of(body)
        started = time.monotonic_ns()
        await self._vectors.take()
        self._vectors.give_back()
        loaded = time.monotonic_ns()
        texts: list[Any] = list(wish.texts)
        for number, text in enumerate(wish.texts):
            if wish.truncate and len(text) > VECTOR_CONTEXT:  # a token has a letter at least
                answer = await self._vectors_client.post("/tokenize", json={"content": text})
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
        facts, status = await self.facts(), self.path.stat()
        return [
            {
                "name": self.model_name,
                "model": self.model_name,
                "modified_at": datetime.fromtimestamp(status.st_mtime, UTC).isoformat(),
                "size": status.st_size,
                "digest": facts["digest"],
                "details": details(facts),
            }
        ]

    async def facts(self) -> dict[str, Any]:
        """What llama.cpp knows of the model: `n_params`, `n_embd`, `n_ctx_train`, `ftype` and so on.

        The engine is asked once for each version of the file, and need not be there any more afterwards.
        """
        status = self.path.stat()
        version = (status.st_mtime_ns, status.st_size)
        if self._facts is None or self._facts_of != version:
            document = (await self._client.get("/v1/models")).json()
            template = (await self._client.get("/props")).json().get("chat_template", "")
            kind, digest = await asyncio.to_thread(lambda: (architecture(self.path), _sha256(self.path)))
            more = {"chat_template": template, "architecture": kind, "digest": digest}
            self._facts, self._facts_of = {**document["data"][0]["meta"], **more}, version
        return self._facts


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
