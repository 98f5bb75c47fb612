"""Asking the backends, one after the other, until one answers.

Who answers with an error, with something that is no answer, or not at all gives way to the next; so does a stream that
breaks off before its first word. From the first word on there is no way back.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import httpx2

from examples.client import client_for, readiness
from examples.forward import send
from examples.peers import Peers
from examples.sandra_ia.answers import Answer, Stream, begun, finished, is_about_the_model, json_of, refusal_of
from examples.sandra_ia.classify import BACKENDS, Candidate
from examples.web import ServiceError

# Answers that say that the request itself is wrong: no other model would do better.
CLIENTS_FAULT = (400, 413, 422)
REMEMBERED = 5.0  # seconds that a look at a backend, or its list of models, is believed
TOO_SMALL = "model_too_small"  # the only local model does not know the language of the question
LOADING = "model_loading"  # what Ollama MCP says until its own model is there, which takes a moment only
T = TypeVar("T")


class Backends:
    """Groq API and Ollama MCP, wherever they are just now."""

    def __init__(
        self,
        peers: Peers,
        silence: float,
        patience: float = 30.0,
        sorry: Callable[[str, str], str] = lambda model, language: "",
    ) -> None:
        """`patience` is for a model that is being loaded; `sorry` says what is answered for one that does not know a
        language."""
        self.client = client_for(silence=silence)
        self.uses: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._peers = peers
        self._patience = patience
        self._sorry = sorry
        self._last_until: dict[str, float] = {}
        self._looked: dict[str, tuple[float, str | None, str]] = {}
        self._models: tuple[float, str, list[str]] = (float("-inf"), "", [])

    async def states(self) -> dict[str, str]:
        """`ok` for each backend that is ready, else the code of what is wrong."""
        names = tuple(BACKENDS.values())
        words = await asyncio.gather(*(self._state(name) for name in names))
        return dict(zip(names, words, strict=True))

    async def answer(self, candidates: Sequence[Candidate], body: dict[str, Any]) -> Answer:
        """The first finished answer; a ServiceError with what each candidate said when there is none."""
        return await self._first(candidates, {**body, "stream": False}, finished)

    async def stream(self, candidates: Sequence[Candidate], body: dict[str, Any]) -> Stream:
        """The first answer that begins to stream; its response is for the caller to close."""
        return await self._first(candidates, {**body, "stream": True}, begun)

    async def vectors(self, wanted: str, body: dict[str, Any]) -> httpx2.Response:
        """The answer of Ollama MCP to a request for vectors, whatever it is; for the caller to close."""
        _, response = await self._send(Candidate(BACKENDS["ollama"], wanted), body, "/v1/embeddings")
        return response

    async def _first(
        self,
        candidates: Sequence[Candidate],
        body: dict[str, Any],
        read: Callable[[Candidate, httpx2.Response, float], Awaitable[T]],
    ) -> T:
        until = time.monotonic() + self._patience
        said: list[ServiceError] = []
        asked = self._in_order(candidates)
        while True:
            failed = await self._each(asked, body, read)
            if not isinstance(failed, list):
                return failed
            said += [error for _, error in failed if error.code != LOADING]
            # A model that is being loaded is worth waiting for, when nobody else has an answer.
            asked = [candidate for candidate, error in failed if error.code == LOADING]
            if not asked or time.monotonic() >= until:
                raise all_failed([*said, *(error for _, error in failed if error.code == LOADING)])
            await asyncio.sleep(0.2)

    async def _each(
        self,
        candidates: Sequence[Candidate],
        body: dict[str, Any],
        read: Callable[[Candidate, httpx2.Response, float], Awaitable[T]],
    ) -> T | list[tuple[Candidate, ServiceError]]:
        """The first answer, or what each said instead of one."""
        said: list[tuple[Candidate, ServiceError]] = []
        for candidate in candidates:
            started = time.monotonic()
            try:
                answered = await self._ask(candidate, body, started, read)
            except ServiceError as error:
                if error.status in CLIENTS_FAULT and not is_about_the_model(error):
                    raise
                self.failures[candidate.backend] += 1
                if error.code in ("upstream_unreachable", "upstream_timeout"):
                    # Waiting in vain shall not take more than a tenth of the time, while there is somebody else to ask.
                    now = time.monotonic()
                    self._last_until[candidate.backend] = now + min(60.0, 10 * (now - started))
                error.details.update(backend=candidate.backend, model=candidate.model)
                said.append((candidate, error))
            else:
                self.uses[candidate.backend] += 1
                self._last_until.pop(candidate.backend, None)
                return answered
        return said

    def _in_order(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        now = time.monotonic()
        return sorted(candidates, key=lambda candidate: self._last_until.get(candidate.backend, now) > now)

    async def _ask(
        self,
        candidate: Candidate,
        body: dict[str, Any],
        started: float,
        read: Callable[[Candidate, httpx2.Response, float], Awaitable[T]],
    ) -> T:
        candidate, response = await self._send(candidate, body)
        try:
            if response.status_code != 200:
                raise await refusal_of(response, candidate.backend)
            return await read(candidate, response, started)
        except BaseException:
            await response.aclose()
            raise

    async def _send(
        self, candidate: Candidate, body: dict[str, Any], path: str = "/v1/chat/completions"
    ) -> tuple[Candidate, httpx2.Response]:
        url = self._url(candidate.backend)
        try:
            return await self._send_to(url + path, candidate, body)
        except ServiceError as error:
            # It may have moved to another port since we looked.
            now = self._url(candidate.backend)
            if error.code != "upstream_unreachable" or now == url:
                raise
            return await self._send_to(now + path, candidate, body)

    async def _send_to(
        self, target: str, candidate: Candidate, body: dict[str, Any]
    ) -> tuple[Candidate, httpx2.Response]:
        if candidate.backend == BACKENDS["ollama"]:
            language = candidate.language
            candidate = Candidate(
                candidate.backend, await self._installed(target.partition("/v1/")[0], candidate.model)
            )
            if words := self._sorry(candidate.model, language):
                raise ServiceError(TOO_SMALL, words)
        content = json.dumps({**body, "model": candidate.model}).encode()
        # Not compressed: the client, who gets these very bytes, may not understand that.
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        headers.update(self._peers.headers(candidate.backend))
        return candidate, await send(self.client, "POST", target, headers, content, name=candidate.backend)

    def _url(self, name: str) -> str:
        url = self._peers.url(name)
        if url is None:
            raise ServiceError("upstream_not_configured", f"the address of {name} is not known")
        return url

    async def _installed(self, url: str, wanted: str) -> str:
        """The local model to use: the wanted one, with or without a tag, else the first that is installed."""
        models = await self._list(url)
        for model in models:
            if wanted in (model, model.partition(":")[0]):
                return model
        return models[0] if models else wanted

    async def _list(self, url: str) -> list[str]:
        at, known, models = self._models
        if known == url and time.monotonic() - at < REMEMBERED:
            return models
        name = BACKENDS["ollama"]
        response = await send(self.client, "GET", f"{url}/v1/models", self._peers.headers(name), name=name)
        if response.status_code != 200:
            raise await refusal_of(response, name)
        document = await json_of(response)
        entries = document.get("data") if isinstance(document, dict) else None
        models = [str(one["id"]) for one in entries or () if isinstance(one, dict) and "id" in one]
        self._models = (time.monotonic(), url, models)
        return models

    async def _state(self, name: str) -> str:
        url = self._peers.url(name)
        at, known, word = self._looked.get(name, (float("-inf"), None, ""))
        if known != url or time.monotonic() - at >= (0.2 if word == LOADING else REMEMBERED):
            word = await self._look(name)
            self._looked[name] = (time.monotonic(), url, word)
        return word

    async def _look(self, name: str) -> str:
        try:
            page = f"{self._url(name)}/health/ready"
        except ServiceError as error:
            return error.code
        return await readiness(self.client, page, None, patience=1.0)


def all_failed(said: Sequence[ServiceError]) -> ServiceError:
    """What a client is told when nobody answered: who said what, and when the first may be back."""
    words = "; ".join(f"{error.details['backend']}: {error.code} ({error.message})" for error in said)
    backends = [{"code": error.code, "message": error.message, **error.details} for error in said]
    wait = min((error.retry_after for error in said if error.retry_after), default=5)
    return ServiceError("all_backends_failed", words or "no backend", retry_after=wait, backends=backends)
