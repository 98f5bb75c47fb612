"""Asking the two backends, one after the other, until one answers."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from examples.client import client_for
from examples.forward import send
from examples.peers import Peers
from examples.sandra_ia.classify import Candidate
from examples.web import ServiceError

BACKENDS = ("groq-api", "ollama-mcp")
# Answers that say that the request itself is wrong: no other model would do better.
CLIENTS_FAULT = (400, 413, 422)
REMEMBERED = 5.0  # seconds that a look at a backend, or its list of models, is believed


@dataclass(frozen=True, slots=True)
class Answered:
    """A backend that began to answer; its body is still to be read."""

    candidate: Candidate
    response: httpx2.Response


class Backends:
    """Groq API and Ollama MCP, wherever they are just now."""

    def __init__(self, peers: Peers) -> None:
        self.client = client_for()
        self.uses: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._peers = peers
        self._looked: dict[str, tuple[float, str]] = {}
        self._models: dict[str, tuple[float, list[str]]] = {}

    async def states(self) -> dict[str, str]:
        """`ok` for each backend that is ready, else the code of what is wrong."""
        words = await asyncio.gather(*(self._state(name) for name in BACKENDS))
        return dict(zip(BACKENDS, words, strict=True))

    async def complete(self, candidates: Sequence[Candidate], body: dict[str, Any]) -> Answered:
        """The first candidate that answers the chat request; a ServiceError with what each said when none does."""
        said: list[dict[str, Any]] = []
        for candidate in candidates:
            try:
                return await self._complete(candidate, body)
            except ServiceError as error:
                if error.status in CLIENTS_FAULT:
                    raise
                self.failures[candidate.backend] += 1
                said.append({"backend": candidate.backend, "code": error.code, "message": error.message})
        words = "; ".join(f"{one['backend']}: {one['code']} ({one['message']})" for one in said)
        raise ServiceError("all_backends_failed", words or "no backend", retry_after=5, backends=said)

    async def text(self, candidates: Sequence[Candidate], messages: list[dict[str, Any]]) -> tuple[Candidate, str]:
        """The same, as one finished text."""
        answered = await self.complete(candidates, {"messages": messages, "stream": False})
        name = answered.candidate.backend
        try:
            document = json.loads(await answered.response.aread())
            return answered.candidate, str(document["choices"][0]["message"]["content"] or "")
        except (httpx2.HTTPError, ValueError, LookupError, TypeError):
            raise ServiceError("upstream_error", f"the answer of {name} can not be read", 502) from None
        finally:
            await answered.response.aclose()

    async def _complete(self, candidate: Candidate, body: dict[str, Any]) -> Answered:
        url = self._url(candidate.backend)
        if candidate.backend == "ollama-mcp":
            candidate = Candidate(candidate.backend, await self._installed(url, candidate.model))
        content = json.dumps({**body, "model": candidate.model}).encode()
        headers = {"content-type": "application/json", **self._peers.headers(candidate.backend)}
        target = f"{url}/v1/chat/completions"
        response = await send(self.client, "POST", target, headers, content, name=candidate.backend)
        if response.status_code != 200:
            raise await _refusal(response, candidate.backend)
        self.uses[candidate.backend] += 1
        return Answered(candidate, response)

    def _url(self, name: str) -> str:
        url = self._peers.url(name)
        if url is None:
            raise ServiceError("upstream_not_configured", f"the address of {name} is not known")
        return url

    async def _installed(self, url: str, wanted: str) -> str:
        """The local model to use: the wanted one, with or without a tag, else the first that is installed."""
        models = await self._list(url)
        for model in models:
            if model == wanted or model.partition(":")[0] == wanted:
                return model
        return models[0] if models else wanted

    async def _list(self, url: str) -> list[str]:
        at, models = self._models.get(url, (float("-inf"), []))
        if time.monotonic() - at < REMEMBERED:
            return models
        headers = self._peers.headers("ollama-mcp")
        response = await send(self.client, "GET", f"{url}/v1/models", headers, name="ollama-mcp")
        if response.status_code != 200:
            raise await _refusal(response, "ollama-mcp")
        try:
            models = [str(model["id"]) for model in json.loads(await response.aread())["data"] or ()]
        except (httpx2.HTTPError, ValueError, LookupError, TypeError):
            models = []
        finally:
            await response.aclose()
        self._models = {url: (time.monotonic(), models)}
        return models

    async def _state(self, name: str) -> str:
        at, word = self._looked.get(name, (float("-inf"), ""))
        if time.monotonic() - at >= REMEMBERED:
            word = await self._look(name)
            self._looked[name] = (time.monotonic(), word)
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


async def _refusal(response: httpx2.Response, name: str) -> ServiceError:
    """What a backend said instead of answering; both shapes of errors are understood."""
    code, message = "upstream_error", f"answered {response.status_code}"
    try:
        error = json.loads(await response.aread())["error"]
        if isinstance(error, str):
            message = error
        else:
            code, message = str(error.get("code") or error.get("type") or code), str(error.get("message") or message)
    except (httpx2.HTTPError, ValueError, LookupError, TypeError, AttributeError):
        pass
    finally:
        await response.aclose()
    return ServiceError(code, message[:500], response.status_code, backend=name)
