"""One request to Groq: which key it takes, what happens when that is no good, and who answers in Groq's place."""

import logging
import time
from dataclasses import dataclass

import httpx2

from examples.client import client_for
from examples.forward import send
from examples.groq_api.body import Body
from examples.groq_api.fallback import PATHS, Fallback
from examples.groq_api.keys import Key, Keys, retry_after
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

    def problem(self) -> ServiceError | None:
        """Why no key can be used now, if so."""
        now = time.monotonic()
        if not len(self.keys):
            return ServiceError("upstream_not_configured", "no key for Groq: set GROQ_API_KEY", retry_after=60)
        if not self.keys.available(now):
            message = f"none of the {len(self.keys)} keys can be used now: over the limit, or refused"
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
            if not fallback or answer.status_code not in AWAY:
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
        for _ in range(len(self.keys)):  # not longer: `Retry-After: 0` would bring the same key back at once
            key = self.keys.take(time.monotonic())
            if key is None:
                break
            headers = httpx2.Headers(headers)
            headers["authorization"] = f"Bearer {key.secret}"
            answer = await self._send(method, url, headers, body)
            if answer.status_code not in (401, 429):
                return answer
            await answer.aclose()
            self._let_rest(key, answer)
            if not body.repeatable:
                message = "a key was over its limit, and the body is too large to be kept for the next one: try again"
                raise self.problem() or ServiceError("key_limited", message, retry_after=1)
            self.rotated += 1
        raise self.problem() or ServiceError("all_keys_limited", "a key has just come back: try again", retry_after=1)

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

    def _let_rest(self, key: Key, answer: httpx2.Response) -> None:
        now = time.monotonic()
        if answer.status_code == 401:
            seconds = self.keys.refused(key, now)
        else:
            seconds = self.keys.limited(key, now, retry_after(answer.headers.get("retry-after"), time.time()))
        facts = {"key": key.number, "of": len(self.keys), "why": key.why, "seconds": round(seconds, 1)}
        log.warning("a key rests", extra={"facts": facts})
