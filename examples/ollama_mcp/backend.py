"""The real Ollama behind this service, if there is one."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2

from examples.client import client_for
from examples.forward import send
from examples.service import SettingError
from examples.web import ServiceError

# For so long an answer (or none) to "are you there?" is believed, in seconds.
REMEMBERED = 5.0


class Ollama:
    """The server at `base`; empty means that none is configured."""

    def __init__(self, base: str, timeout: float, default_model: str = "") -> None:
        if base and not base.startswith(("http://", "https://")):
            raise SettingError(f"`OLLAMA_BASE_URL` must begin with http:// or https://, not be `{base}`")
        self.base = base.rstrip("/")
        self.default_model = default_model
        self.client = client_for(self.base, silence=timeout)
        self._looking = asyncio.Lock()
        self._looked = float("-inf")
        self._problem: ServiceError | None = None

    async def problem(self) -> ServiceError | None:
        """Why it can not be used just now; None when it answers."""
        if not self.base:
            return ServiceError("no_backend", "no model: set OLLAMA_BASE_URL to a running Ollama", retry_after=30)
        async with self._looking:
            if time.monotonic() - self._looked >= REMEMBERED:
                self._problem = await self._look()
                self._looked = time.monotonic()
        return self._problem

    async def require(self) -> None:
        if problem := await self.problem():
            raise problem

    async def answer(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | AsyncIterator[bytes] | None
    ) -> httpx2.Response:
        """What it answers to any request, the body still to be read."""
        await self.require()
        try:
            return await send(self.client, method, self.base + path, headers, content, name="Ollama")
        except ServiceError:
            self._looked = float("-inf")  # it may be gone: look again before the next request
            raise

    async def _look(self) -> ServiceError | None:
        try:
            answer = await self.client.get(f"{self.base}/api/version", timeout=1.0)
            if answer.status_code == 200 and "version" in answer.json():
                return None
            why = f"answers {answer.status_code}, which is not how Ollama answers"
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TypeError) as error:
            why = f"does not answer: {str(error) or type(error).__name__}"
        where = httpx2.URL(self.base).netloc.decode(errors="replace").rpartition("@")[2]
        return ServiceError("no_backend", f"the Ollama at {where} {why}", retry_after=REMEMBERED)

    async def models(self) -> list[dict[str, Any]]:
        """What is installed there, as `GET /api/tags` tells it."""
        answer = await self._whole("GET", "/api/tags", None)
        models = answer.get("models")
        return [model for model in models if isinstance(model, dict)] if isinstance(models, list) else []

    async def model(self, wanted: str | None) -> str:
        """The model to use: the one asked for, else `OLLAMA_MODEL`, else the first that is installed."""
        if wanted or self.default_model:
            return wanted or self.default_model
        for model in await self.models():
            return str(model.get("name"))
        raise ServiceError("no_model", "Ollama has no model yet: `ollama pull` one", 503, retry_after=30)

    async def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One JSON answer."""
        return await self._whole("POST", path, {**body, "stream": False})

    async def stream(self, path: str, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """The parts of a streamed answer."""
        answer = await self._answer("POST", path, {**body, "stream": True})
        try:
            async for line in answer.aiter_lines():
                if line.strip():
                    part = json.loads(line)
                    if "error" in part:
                        raise ServiceError("upstream_error", str(part["error"]), 502)
                    yield part
        except (httpx2.HTTPError, ValueError) as error:
            raise ServiceError("upstream_broke_off", f"Ollama broke off its answer: {error}", 502) from None
        finally:
            await answer.aclose()

    async def _whole(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        answer = await self._answer(method, path, body)
        try:
            value = json.loads(await answer.aread())
        except (httpx2.HTTPError, ValueError) as error:
            raise ServiceError("upstream_error", f"Ollama's answer can not be read: {error}", 502) from None
        finally:
            await answer.aclose()
        return value if isinstance(value, dict) else {}

    async def _answer(self, method: str, path: str, body: dict[str, Any] | None) -> httpx2.Response:
        content = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if content else {}
        answer = await self.answer(method, path, headers, content)
        if answer.status_code < 400:
            return answer
        try:
            text = (await answer.aread()).decode("utf-8", "replace")
        except httpx2.HTTPError:
            text = ""
        finally:
            await answer.aclose()
        try:
            text = str(json.loads(text)["error"])
        except (ValueError, TypeError, KeyError):
            pass
        code = "model_not_found" if answer.status_code == 404 else "upstream_error"
        raise ServiceError(code, text[:500] or f"Ollama answered {answer.status_code}", answer.status_code)
