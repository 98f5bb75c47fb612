"""A real Ollama elsewhere on this machine or another, if there is one."""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

import httpx2

from examples.client import client_for
from examples.forward import send
from examples.service import SettingError
from examples.web import ServiceError

log = logging.getLogger("ollama-mcp")

# For so long an answer (or none) to "are you there?" is believed, in seconds.
REMEMBERED = 5.0
# Where an Ollama listens that nobody has set up otherwise. It is worth a look on every machine, and no fault when there
# is none.
USUAL = "http://127.0.0.1:11434"
# Goes along with "are you there?", so that two of us that are set up to ask one another find it out.
PROBE = "x-ollama-mcp-probe"


class Ollama:
    """The server at `base`; empty means that none is configured."""

    name = "ollama"

    def __init__(self, base: str, timeout: float, default_model: str = "") -> None:
        if base and not base.startswith(("http://", "https://")):
            raise SettingError(f"`OLLAMA_BASE_URL` must begin with http:// or https://, not be `{base}`")
        self.base = base.rstrip("/")
        self.is_expected = bool(base) and self.base != USUAL
        self.why = "OLLAMA_BASE_URL is not set"  # it cannot be used
        self.id = secrets.token_hex(8)
        self._default_model = default_model
        self._client = client_for(self.base, silence=timeout)
        self._looking = asyncio.Lock()
        self._looked = float("-inf")
        self._is_there = False

    async def is_there(self) -> bool:
        """Whether it answers; asked at most once in five seconds."""
        if not self.base:
            return False
        async with self._looking:
            if time.monotonic() - self._looked >= REMEMBERED:
                before, (self._is_there, self.why) = self._is_there, await self._look()
                self._looked = time.monotonic()
                if self._is_there is not before:
                    log.info("the Ollama at %s %s", self.place, "answers" if self._is_there else self.why)
        return self._is_there

    def forget(self) -> None:
        """It may be gone: look again before the next request."""
        self._looked = float("-inf")

    @property
    def place(self) -> str:
        """Where it is, for people: without a name and password that may stand in its address."""
        return httpx2.URL(self.base).netloc.decode(errors="replace").rpartition("@")[2]

    async def close(self) -> None:
        await self._client.aclose()

    async def answer(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | AsyncIterator[bytes] | None
    ) -> httpx2.Response:
        """What it answers to any request, the body still to be read."""
        try:
            return await send(self._client, method, self.base + path, headers, content, name="Ollama")
        except ServiceError:
            self.forget()
            raise

    async def models(self) -> list[dict[str, Any]]:
        """What is installed there, as `GET /api/tags` tells it."""
        answer = await self._whole("GET", "/api/tags", None)
        models = answer.get("models")
        return [model for model in models if isinstance(model, dict)] if isinstance(models, list) else []

    async def model(self, wanted: str | None) -> str:
        """The model to use: the one asked for, else `OLLAMA_MODEL`, else the first that is installed."""
        if wanted or self._default_model:
            return wanted or self._default_model
        for model in await self.models():
            return str(model.get("name"))
        raise ServiceError("no_model", "Ollama has no model yet: `ollama pull` one", 503, retry_after=30)

    async def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One JSON answer."""
        return await self._whole("POST", path, {**body, "stream": False})

    async def stream(self, path: str, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The parts of a streamed answer."""
        answer = await self._answer("POST", path, {**body, "stream": True})
        try:
            async for line in answer.aiter_lines():
                if line.strip():
                    part = json.loads(line)
                    if "error" in part:
                        raise ServiceError("upstream_error", str(part["error"])[:500], 502)
                    yield part
        except (httpx2.HTTPError, ValueError, TypeError) as error:
            raise ServiceError("upstream_broke_off", f"Ollama broke off its answer: {error}", 502) from None
        finally:
            await answer.aclose()

    async def _look(self) -> tuple[bool, str]:
        try:
            answer = await self._client.get(f"{self.base}/api/version", headers={PROBE: self.id}, timeout=1.0)
            if answer.status_code == 200 and "version" in answer.json():
                return True, ""
            return False, f"answers {answer.status_code}, which is not how Ollama answers"
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TypeError) as error:
            return False, f"does not answer: {str(error) or type(error).__name__}"

    async def _whole(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        answer = await self._answer(method, path, body)
        try:
            value = json.loads(await answer.aread())
        except (httpx2.HTTPError, ValueError) as error:
            raise ServiceError("upstream_error", f"Ollama's answer cannot be read: {error}", 502) from None
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
