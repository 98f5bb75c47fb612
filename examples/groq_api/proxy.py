"""One request to Groq: which key it takes, what happens when that is no good, and who answers in Groq's place.

When every key is over its limit for a model, the client gets Groq's own last words about it, with its status 429: they
name the limit that was met, and clients know what to do about them.
"""

import logging
import math
import time
from dataclasses import dataclass

import httpx2

from examples.client import client_for
from examples.forward import send
from examples.groq_api.body import Body
from examples.groq_api.fallback import PATHS, Fallback
from examples.groq_api.keys import Key, Keys, retry_after
from examples.groq_api.limits import Limits
from examples.groq_api.words import Words, words_of
from examples.web import ServiceError

log = logging.getLogger("groq-api")

NAME = "Groq"
# What a gateway in front of Groq answers when Groq itself is away.
AWAY = (502, 503, 504)
# So long /health tells of a failure, unless an answer comes before that; in seconds.
TOLD = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose body is still to be read, and whether it is the fallback's."""

    response: httpx2.Response
    is_fallback: bool = False


class Proxy:
    """`base` is Groq's address, to which `/openai/v1` is added, or the whole address of an API, which ends in `/v1`."""

    def __init__(self, base: str, keys: Keys, fallback: Fallback | None, silence: float) -> None:
        self.keys = keys
        self.fallback = fallback
        self.client = client_for(base, silence=silence)
        self.rotated = 0  # times that a request was sent again with another key
        self._api = base if base.endswith("/v1") else f"{base}/openai/v1"
        self._failed_at = float("-inf")
        self._failure: ServiceError | None = None
        self._skip_until = float("-inf")
        self.limits = Limits()
        self._words: dict[str, Words] = {}  # what Groq said last of a model whose limit is met

    def problem(self) -> ServiceError | None:
        """Why no key can be used now, if so."""
        now = time.monotonic()
        if not len(self.keys):
            return ServiceError("upstream_not_configured", "no key for Groq: set GROQ_API_KEY", retry_after=60)
        if not self.keys.available(now):
            message = f"none of the {len(self.keys)} keys can be used now: Groq refused them"
            return ServiceError("all_keys_limited", message, retry_after=self.keys.wait(now))
        return None

    def failure(self) -> ServiceError | None:
        """Why Groq could not be reached the last time, when that is not long ago."""
        return self._failure if time.monotonic() - self._failed_at < TOLD else None

    async def answer(self, method: str, path: str, query: str, headers: httpx2.Headers, body: Body) -> Answer:
        """Groq's answer to a request for `path` below `/openai/v1`, else the fallback's.

        When neither has one, the error is Groq's and tells what the fallback said.
        """
        fallback = self.fallback if path in PATHS else None
        answer: httpx2.Response | None = None
        try:
            if fallback and self._failure and time.monotonic() < self._skip_until:
                raise self._failure.with_traceback(None)
            answer = await self._groq(method, f"{self._api}{path}{query}", headers, body)
            if not fallback or answer.status_code not in (429, *AWAY):
                return Answer(answer)
            error = ServiceError("upstream_error", f"{NAME} answered {answer.status_code}")
        except ServiceError as groq:
            if not fallback or groq.status < 500:
                raise
            error = groq
        try:
            response = await fallback.answer(method, path, query, headers, body)
        except ServiceError as other:
            if answer:
                kept, answer = answer, None
                return Answer(kept)
            details = {"fallback": {"code": other.code, "message": other.message}}
            raise ServiceError(error.code, error.message, error.status, error.retry_after, **details) from None
        finally:
            if answer:
                await answer.aclose()
        log.info("answered by the fallback", extra={"facts": {"why": error.code}})
        return Answer(response, is_fallback=True)

    async def _groq(self, method: str, url: str, headers: httpx2.Headers, body: Body) -> httpx2.Response:
        model = body.model()
        limited: Words | None = None
        for _ in range(len(self.keys)):  # not longer: `Retry-After: 0` would bring the same key back at once
            key = self.keys.take(time.monotonic(), model)
            if key is None:
                break
            headers = httpx2.Headers(headers)
            headers["authorization"] = f"Bearer {key.secret}"
            answer = await self._send(method, url, headers, body)
            self.limits.learn(model, key.number, answer.headers)
            if answer.status_code not in (401, 429):
                return answer
            self._let_rest(key, answer, model)
            if answer.status_code == 429:
                limited = await words_of(answer)
                self._keep(model, limited)
            else:
                await answer.aclose()
            if not body.repeatable:
                break
            self.rotated += 1
        return limited.again() if limited else self._last_words(model)

    def _keep(self, model: str, limited: Words) -> None:
        now = time.monotonic()
        for other in [other for other in self._words if self.keys.available(now, other)]:
            del self._words[other]
        self._words[model] = limited

    def _last_words(self, model: str) -> httpx2.Response:
        """Groq's last words about a model for which all keys rest; a ServiceError when it is not the limit."""
        if problem := self.problem():
            raise problem
        wait = max(1, math.ceil(self.keys.wait(time.monotonic(), model)))
        if words := self._words.get(model):
            return words.again(wait)
        why = "Groq refused a key, and the body is too large to be kept for the next one: try again"
        raise ServiceError("key_refused", why, retry_after=wait)

    async def _send(self, method: str, url: str, headers: httpx2.Headers, body: Body) -> httpx2.Response:
        started = time.monotonic()
        try:
            answer = await send(self.client, method, url, headers, body.content(), name=NAME)
        except ServiceError as error:
            if error.status >= 500:
                self._failed_at, self._failure = time.monotonic(), error
                # Where there is somebody else to ask, no more than a tenth of the time goes into trying in vain.
                self._skip_until = self._failed_at + min(60.0, 10 * (self._failed_at - started))
            raise
        self._failure = None
        return answer

    def _let_rest(self, key: Key, answer: httpx2.Response, model: str) -> None:
        now = time.monotonic()
        if answer.status_code == 401:
            why, seconds = "refused", self.keys.refused(key, now)
        else:
            pause = retry_after(answer.headers.get("retry-after"), time.time())
            why, seconds = "limited", self.keys.limited(key, now, pause, model)
        facts = {"key": key.number, "of": len(self.keys), "why": why, "model": model, "seconds": round(seconds, 1)}
        log.warning("a key rests", extra={"facts": facts})
