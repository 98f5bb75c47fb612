"""Another server with the same API, asked in Groq's place when Groq cannot answer."""

import json
import re
import time
from typing import Any

import httpx2

from examples.client import client_for
from examples.forward import send
from examples.groq_api.body import Body
from examples.peers import Peers
from examples.service import SettingError
from examples.web import ServiceError

# What a server for chats can do, too; speech and files are Groq's alone.
PATHS = frozenset(("/models", "/chat/completions", "/completions", "/embeddings", "/responses"))
REMEMBERED = 5.0  # seconds that a look at its models is believed
NAME = "the fallback"
_OF_THE_BODY = ("content-length", "content-encoding", "transfer-encoding", "connection")  # as it came


class Fallback:
    """`where` is the address of an API with its `/v1`, or the name of a service of the stack.

    A service is found through portsup each time it is asked, so it may move. The other server does not have Groq's
    models: it is asked for its own of the same name, else for `model`, else for the first that it lists.
    """

    def __init__(self, where: str, model: str, peers: Peers, silence: float) -> None:
        self._is_address = where.startswith(("http://", "https://"))
        if not self._is_address and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", where):
            raise SettingError("`GROQ_FALLBACK_URL` must be http://…/v1 or the name of a service like `ollama-mcp`")
        self.client = client_for(where if self._is_address else "", silence=silence)
        self._where = where.rstrip("/")
        self._model = model
        self._peers = peers
        self._models: tuple[float, str, list[str]] = (float("-inf"), "", [])

    async def state(self) -> str:
        """`ok`, or the code of what is wrong with it."""
        try:
            return "ok" if await self._list() else "no_model"
        except ServiceError as error:
            return error.code

    async def answer(self, method: str, path: str, query: str, headers: httpx2.Headers, body: Body) -> httpx2.Response:
        """Its answer, the body still to be read; a ServiceError when it has none either."""
        await body.read_on()
        if not body.repeatable:
            raise ServiceError("body_too_large", "the body is too large to be sent a second time", 413)
        headers = httpx2.Headers(headers)
        headers.pop("content-length", None)
        headers.update(self._token())
        content = await self._with_its_model(body.arrived()) if method == "POST" else body.arrived()
        url = f"{self._url()}{path}{query}"
        response = await send(self.client, method, url, headers, content or None, name=NAME)
        if response.status_code in (401, 404, 429) or response.status_code >= 500:
            raise await _refusal(response)
        return await _with_tier(response) if path == "/chat/completions" and response.is_success else response

    async def _with_its_model(self, content: bytes) -> bytes:
        try:
            asked = json.loads(content)
            wanted = asked["model"]
        except (ValueError, LookupError, TypeError, RecursionError):
            return content  # it will say itself what is wrong with that
        models = await self._list()
        alike = (model for model in models if wanted in (model, model.partition(":")[0]))
        asked["model"] = next(alike, "") or self._model or next(iter(models), wanted)
        return json.dumps(asked).encode()

    async def _list(self) -> list[str]:
        url = self._url()
        at, known, models = self._models
        if known != url or time.monotonic() - at >= REMEMBERED:
            response = await send(self.client, "GET", f"{url}/models", self._token(), name=NAME)
            if response.status_code != 200:
                raise await _refusal(response)
            models = _ids(await _read(response))
            self._models = (time.monotonic(), url, models)
        return models

    def _url(self) -> str:
        url = self._where if self._is_address else self._peers.url(self._where)
        if url is None:
            raise ServiceError("upstream_not_configured", f"the address of {self._where} is not known", retry_after=5)
        return url if self._is_address else f"{url}/v1"

    def _token(self) -> dict[str, str]:
        return {} if self._is_address else self._peers.headers(self._where)


async def _with_tier(response: httpx2.Response) -> httpx2.Response:
    """A whole answer with the `service_tier` that Groq's always have, and that clients of Groq read: LiteLLM does."""
    if not response.headers.get("content-type", "").lower().startswith("application/json"):
        return response
    content = await response.aread()
    await response.aclose()
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        content = json.dumps({**document, "service_tier": document.get("service_tier") or "default"}).encode()
    kept = {name: value for name, value in response.headers.items() if name not in _OF_THE_BODY}
    return httpx2.Response(response.status_code, headers=kept, stream=httpx2.ByteStream(content))


async def _read(response: httpx2.Response) -> Any:
    try:
        return json.loads(await response.aread())
    except (httpx2.HTTPError, ValueError, RecursionError):
        return None
    finally:
        await response.aclose()


def _ids(document: Any) -> list[str]:
    entries = document.get("data") if isinstance(document, dict) else None
    return [str(one["id"]) for one in entries or () if isinstance(one, dict) and "id" in one]


async def _refusal(response: httpx2.Response) -> ServiceError:
    document = await _read(response)
    error = document.get("error") if isinstance(document, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    message = f"{NAME} answered {response.status_code}"
    return ServiceError(str(code or "upstream_error"), message, retry_after=5)
