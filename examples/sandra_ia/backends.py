"""Asking the backends, one after the other, until one answers.

Who answers with an error, with something that is no answer, or not at all gives way to the next; so does a stream that
breaks off before its first word. From the first word on there is no way back.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2

from examples.client import client_for
from examples.forward import send
from examples.peers import Peers
from examples.sandra_ia.classify import BACKENDS, Candidate
from examples.web import ServiceError

# Answers that say that the request itself is wrong: no other model would do better.
CLIENTS_FAULT = (400, 413, 422)
REMEMBERED = 5.0  # seconds that a look at a backend, or its list of models, is believed
LOADING = "model_loading"  # what Ollama MCP says until its own model is there, which takes a moment only
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer: OpenAI's document and its first choice's message."""

    candidate: Candidate
    document: dict[str, Any]
    message: dict[str, Any]
    ms: int  # milliseconds that it took
    stand_in: str = ""  # what Groq API says when somebody else answered for it

    @property
    def text(self) -> str:
        return _whole_letters(str(self.message.get("content") or ""))


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that has begun: `raw` is all of it."""

    candidate: Candidate
    response: httpx2.Response
    raw: AsyncIterator[bytes]


class Backends:
    """Groq API and Ollama MCP, wherever they are just now."""

    def __init__(self, peers: Peers, silence: float) -> None:
        self.client = client_for(silence=silence)
        self.uses: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._peers = peers
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
        return await self._first(candidates, {**body, "stream": False}, _finished)

    async def stream(self, candidates: Sequence[Candidate], body: dict[str, Any]) -> Stream:
        """The first answer that begins to stream; its response is for the caller to close."""
        return await self._first(candidates, {**body, "stream": True}, _begun)

    async def _first(
        self,
        candidates: Sequence[Candidate],
        body: dict[str, Any],
        read: Callable[[Candidate, httpx2.Response, float], Awaitable[T]],
    ) -> T:
        said: list[ServiceError] = []
        for candidate in self._in_order(candidates):
            started = time.monotonic()
            try:
                answered = await self._ask(candidate, body, started, read)
            except ServiceError as error:
                if error.status in CLIENTS_FAULT and not _is_about_the_model(error):
                    raise
                self.failures[candidate.backend] += 1
                if error.code in ("upstream_unreachable", "upstream_timeout"):
                    # Waiting in vain shall not take more than a tenth of the time, while there is somebody else to ask.
                    now = time.monotonic()
                    self._last_until[candidate.backend] = now + min(60.0, 10 * (now - started))
                error.details.update(backend=candidate.backend, model=candidate.model)
                said.append(error)
            else:
                self.uses[candidate.backend] += 1
                self._last_until.pop(candidate.backend, None)
                return answered
        raise all_failed(said)

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
                raise await _refusal(response, candidate.backend)
            return await read(candidate, response, started)
        except BaseException:
            await response.aclose()
            raise

    async def _send(self, candidate: Candidate, body: dict[str, Any]) -> tuple[Candidate, httpx2.Response]:
        url = self._url(candidate.backend)
        try:
            return await self._send_to(url, candidate, body)
        except ServiceError as error:
            # It may have moved to another port since we looked.
            now = self._url(candidate.backend)
            if error.code != "upstream_unreachable" or now == url:
                raise
            return await self._send_to(now, candidate, body)

    async def _send_to(self, url: str, candidate: Candidate, body: dict[str, Any]) -> tuple[Candidate, httpx2.Response]:
        if candidate.backend == BACKENDS["ollama"]:
            candidate = Candidate(candidate.backend, await self._installed(url, candidate.model))
        content = json.dumps({**body, "model": candidate.model}).encode()
        # Not compressed: the client, who gets these very bytes, may not understand that.
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        headers.update(self._peers.headers(candidate.backend))
        target = f"{url}/v1/chat/completions"
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
            raise await _refusal(response, name)
        document = await _json(response)
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
            response = await self.client.get(f"{self._url(name)}/health/ready", timeout=1.0)
            return "ok" if response.status_code == 200 else str(response.json()["error"]["code"])
        except ServiceError as error:
            return error.code
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return "upstream_unreachable"
        except (ValueError, LookupError, TypeError):
            return "upstream_error"


def all_failed(said: Sequence[ServiceError]) -> ServiceError:
    """What a client is told when nobody answered: who said what, and when the first may be back."""
    words = "; ".join(f"{error.details['backend']}: {error.code} ({error.message})" for error in said)
    backends = [{"code": error.code, "message": error.message, **error.details} for error in said]
    wait = min((error.retry_after for error in said if error.retry_after), default=5)
    return ServiceError("all_backends_failed", words or "no backend", retry_after=wait, backends=backends)


async def _finished(candidate: Candidate, response: httpx2.Response, started: float) -> Answer:
    document = await _json(response)
    try:
        message = document["choices"][0]["message"]
        if not isinstance(message, dict):
            raise TypeError
    except (LookupError, TypeError):
        raise _nonsense(candidate) from None
    stand_in = response.headers.get("x-portsup-backend", "")
    return Answer(candidate, document, message, round((time.monotonic() - started) * 1000), stand_in)


async def _begun(candidate: Candidate, response: httpx2.Response, _: float) -> Stream:
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        raise _nonsense(candidate)
    parts = response.aiter_raw()
    head = b""
    try:
        while not (event := _first_event(head)):
            head += await anext(parts)
    except httpx2.TimeoutException:
        raise ServiceError("upstream_timeout", f"{candidate.backend} took too long to answer", 504) from None
    except (httpx2.HTTPError, StopAsyncIteration):
        raise ServiceError("upstream_broke_off", f"{candidate.backend} broke off its answer", 502) from None
    if isinstance(event.get("error"), dict):
        raise _told(event["error"], 502, candidate.backend)
    if "choices" not in event:
        raise _nonsense(candidate)

    async def all_of_it() -> AsyncIterator[bytes]:
        yield head
        async for part in parts:
            yield part

    return Stream(candidate, response, all_of_it())


def _first_event(head: bytes) -> dict[str, Any]:
    """The first event of a stream; empty while it is not there yet."""
    for line in head.split(b"\n")[:-1]:  # the last may be half a line
        if line.startswith(b"data:"):
            try:
                event = json.loads(line.removeprefix(b"data:"))
            except (ValueError, RecursionError):
                event = None
            return event if isinstance(event, dict) and event else {"unreadable": True}
    return {"unreadable": True} if len(head) > 1024 * 1024 else {}


def _is_about_the_model(error: ServiceError) -> bool:
    """Groq says 400 for a model that it does not have any more, and 413 for more than one may ask for in a minute."""
    return error.code.startswith("model_") or error.code == "rate_limit_exceeded"


def _nonsense(candidate: Candidate) -> ServiceError:
    return ServiceError("upstream_error", f"the answer of {candidate.backend} can not be read", 502)


async def _json(response: httpx2.Response) -> Any:
    """A response's body; None when it is not JSON."""
    try:
        return json.loads(await response.aread())
    except httpx2.TimeoutException:
        raise ServiceError("upstream_timeout", "the answer did not end in time", 504) from None
    except (httpx2.HTTPError, ValueError, RecursionError):
        return None
    finally:
        await response.aclose()


async def _refusal(response: httpx2.Response, name: str) -> ServiceError:
    """What a backend said instead of answering; both shapes of errors are understood."""
    document = await _json(response)
    error = document.get("error") if isinstance(document, dict) else None
    refusal = _told(error, response.status_code, name)
    wait = response.headers.get("retry-after", "")
    refusal.retry_after = float(wait[:9]) if wait.isdecimal() else 0  # a longer one would be infinite
    return refusal


def _told(error: Any, status: int, name: str) -> ServiceError:
    code, message = "upstream_error", f"answered {status}"
    if isinstance(error, str):
        message = error
    elif isinstance(error, dict):
        code, message = str(error.get("code") or error.get("type") or code), str(error.get("message") or message)
    return ServiceError(code, _whole_letters(message[:500]), status, backend=name)


def _whole_letters(text: str) -> str:
    """Without halves of surrogate pairs, which JSON can carry and UTF-8 can not: a model may stop within an emoji."""
    return text.encode("utf-8", "replace").decode()
