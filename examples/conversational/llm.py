"""Whoever answers: Sandra IA, or another server that speaks OpenAI's API."""

import json
import time
from collections.abc import AsyncGenerator
from typing import Any

import httpx2

from examples.client import client_for, readiness
from examples.forward import send
from examples.peers import Peers
from examples.web import ServiceError

PEER = "sandra-ia"
REMEMBERED = 5.0  # seconds that a look is believed


class Llm:
    """`url` is that of the API, with its `/v1`; empty means Sandra, wherever it is just now, who picks the model."""

    def __init__(self, peers: Peers, url: str = "", model: str = "auto") -> None:
        self.client = client_for(url)
        self._peers = peers
        self._fixed = url.rstrip("/")
        self._model = model
        self._looked: tuple[float, str] = (float("-inf"), "")

    async def state(self) -> str:
        """`ok`, or the code of what is wrong."""
        at, word = self._looked
        if time.monotonic() - at >= REMEMBERED:
            word = await self._look()
            self._looked = (time.monotonic(), word)
        return word

    async def answer(self, messages: list[dict[str, str]], about: dict[str, str] | None = None) -> AsyncGenerator[str]:
        """The pieces of the answer as they come; a ServiceError `llm_unavailable` when there is none.

        `about` gets who it is that answers, as far as that one says it: `backend` and `model`.
        """
        url, headers = self._where()
        content = json.dumps({"model": self._model, "messages": messages, "stream": True}).encode()
        headers = {"content-type": "application/json", "accept": "text/event-stream", **headers}
        try:
            response = await send(self.client, "POST", f"{url}/chat/completions", headers, content, name="the LLM")
        except ServiceError as error:
            raise ServiceError("llm_unavailable", error.message) from None
        try:
            if response.status_code != 200:
                raise ServiceError("llm_unavailable", _why(response.status_code, await response.aread()))
            about = {} if about is None else about
            if who := response.headers.get("x-sandra-backend") or response.headers.get("x-portsup-backend"):
                about["backend"] = who
            is_over = False
            async for line in response.aiter_lines():
                data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
                if data == "[DONE]":
                    return
                event = json.loads(data) if data else None
                if isinstance(event, dict) and isinstance(event.get("model"), str):
                    about.setdefault("model", event["model"])
                is_over = is_over or _is_last(event)
                if piece := _piece(event):
                    yield piece
            if not is_over:  # neither the last event nor a reason to end: it looks whole, and is not
                raise ServiceError("llm_unavailable", "the answer broke off")
        except (httpx2.HTTPError, ValueError) as error:
            why = str(error) or type(error).__name__
            raise ServiceError("llm_unavailable", f"the answer broke off: {why}") from None
        finally:
            await response.aclose()

    def _where(self) -> tuple[str, dict[str, str]]:
        if self._fixed:
            return self._fixed, {}
        url = self._peers.url(PEER)
        if url is None:
            raise ServiceError("llm_unavailable", f"the address of {PEER} is not known")
        return f"{url}/v1", self._peers.headers(PEER)

    async def _look(self) -> str:
        try:
            url, headers = self._where()
        except ServiceError as error:
            return error.code
        page = f"{url}/models" if self._fixed else url.removesuffix("/v1") + "/health/ready"
        return await readiness(self.client, page, headers, patience=1.5)


def _piece(event: Any) -> str:
    if not isinstance(event, dict):
        return ""
    if isinstance(error := event.get("error"), dict):
        raise ServiceError("llm_unavailable", str(error.get("message") or error))
    try:
        return str(event["choices"][0]["delta"].get("content") or "")
    except (LookupError, TypeError, AttributeError):
        return ""  # the last event often has no choice


def _is_last(event: Any) -> bool:
    """Whether a part of an answer gives the reason why there will be no more."""
    try:
        return bool(event["choices"][0].get("finish_reason"))
    except (LookupError, TypeError, AttributeError):
        return False


def _why(status: int, body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])[:500]
    except (ValueError, LookupError, TypeError):
        return f"the LLM answered {status}"
