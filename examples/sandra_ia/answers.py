"""What a backend answers, read: a whole document, the beginning of a stream, or a refusal."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2

from examples.sandra_ia.classify import Candidate
from examples.web import ServiceError


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


async def finished(candidate: Candidate, response: httpx2.Response, started: float) -> Answer:
    document = await json_of(response)
    try:
        message = document["choices"][0]["message"]
        if not isinstance(message, dict):
            raise TypeError
    except (LookupError, TypeError):
        raise _nonsense(candidate) from None
    stand_in = response.headers.get("x-portsup-backend", "")
    return Answer(candidate, document, message, round((time.monotonic() - started) * 1000), stand_in)


async def begun(candidate: Candidate, response: httpx2.Response, _: float) -> Stream:
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


def is_about_the_model(error: ServiceError) -> bool:
    """Groq says 400 for a model that it does not have any more, and 413 for more than one may ask for in a minute."""
    return error.code.startswith("model_") or error.code == "rate_limit_exceeded"


def _nonsense(candidate: Candidate) -> ServiceError:
    return ServiceError("upstream_error", f"the answer of {candidate.backend} cannot be read", 502)


async def json_of(response: httpx2.Response) -> Any:
    """A response's body; None when it is not JSON."""
    try:
        return json.loads(await response.aread())
    except httpx2.TimeoutException:
        raise ServiceError("upstream_timeout", "the answer did not end in time", 504) from None
    except (httpx2.HTTPError, ValueError, RecursionError):
        return None
    finally:
        await response.aclose()


async def refusal_of(response: httpx2.Response, name: str) -> ServiceError:
    """What a backend said instead of answering; both shapes of errors are understood."""
    document = await json_of(response)
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
    """Without halves of surrogate pairs, which JSON can carry and UTF-8 cannot: a model may stop within an emoji."""
    return text.encode("utf-8", "replace").decode()
