"""One id for a request on its way through all services, and log lines that carry it."""

import json
import logging
import re
import secrets
import time
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# W3C Trace Context, 3.2: version 00 ends after the flags, a later one may have more behind them.
_TRACEPARENT = re.compile(
    r"(?!ff)(?:00(?=.{53}$)|(?!00)[0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
_ABSOLUTE = re.compile(r"https?://([\w.:\[\]-]*)(?=/|\Z)", re.ASCII | re.IGNORECASE)
_PLAIN = re.compile(r"[\w./:@%+*,-]+")


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a request is on its way: `trace_id` is the same in every service, `span_id` is ours."""

    trace_id: str
    span_id: str
    parent_id: str = ""  # the caller's span; empty where the way begins
    flags: str = "01"

    @property
    def header(self) -> str:
        """What the next service gets as `traceparent`."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current() -> Trace | None:
    """The trace of the request that is being answered; tasks and threads started for it have it too."""
    return _current.get()


def follow(traceparent: str) -> Trace:
    """The caller's trace taken one step further, or a new one where there is none that can be read."""
    span = secrets.token_hex(8)
    match = _TRACEPARENT.fullmatch(traceparent.strip())
    if match is None or not match[1].strip("0") or not match[2].strip("0"):
        return Trace(secrets.token_hex(16), span)
    return Trace(match[1], span, match[2], match[3])


def in_origin_form(scope: Scope) -> Scope:
    """A request for `http://localhost/path`, as it may be written to a proxy, as one for `/path` at that host.

    RFC 9112 section 3.2.2: every server takes it, and goes by the host in it.
    """
    found = _ABSOLUTE.match(scope["path"]) if scope["type"] == "http" else None
    if not found:
        return scope
    raw: bytes = scope.get("raw_path") or b""
    return {
        **scope,
        "path": scope["path"][found.end() :] or "/",
        "raw_path": raw[found.end() :] or b"/",
        "headers": [*(each for each in scope["headers"] if each[0] != b"host"), (b"host", found[1].encode("latin-1"))],
    }


# Where clients of OpenAI, Groq and Anthropic look for what to tell the people who run a service.
REQUEST_IDS = ("x-request-id", "request-id")


class Traced:
    """Around an application: gives each request its trace, tells it to the client, and logs how it ended.

    A path is logged without its query, which may hold a token. Health checks come every few seconds and are logged at
    `debug` only, also those that answer 503 for as long as an upstream is away.
    """

    def __init__(self, app: ASGIApp, name: str) -> None:
        self.app = app
        self._log = logging.getLogger(name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        scope = in_origin_form(scope)
        trace = follow(Headers(scope=scope).get("traceparent", ""))
        _current.set(trace)  # never taken back: the server runs each request in a task, and the value ends with that
        started = time.monotonic()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["traceparent"] = trace.header
                for name in REQUEST_IDS:
                    headers.setdefault(name, trace.trace_id)
                # RFC 9110, 6.6.1; that of an answer which is passed on stays.
                headers.setdefault("date", formatdate(usegmt=True))
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            is_probe = "/health" in scope["path"] and (status < 400 or status == 503)
            level = logging.DEBUG if is_probe else logging.INFO
            facts = {
                "method": scope.get("method", "WEBSOCKET"),
                "path": scope["path"][:200],
                "status": status,
                "ms": round((time.monotonic() - started) * 1000, 1),
            }
            self._log.log(level, "request", extra={"facts": facts})


class TextLines(logging.Formatter):
    """`INFO sandra-ia: request method=POST path=/chat status=200 ms=12.3 trace=4bf9…`."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        words = (f" {key}={_quoted(value)}" for key, value in _facts(record).items())
        return super().formatMessage(record) + "".join(words)


class JsonLines(logging.Formatter):
    """One JSON object a line: `time` (seconds since 1970), `level`, `logger`, `event`, then the facts."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    trace = current()
    return {**getattr(record, "facts", {}), **({"trace": trace.trace_id} if trace else {})}


def _quoted(value: Any) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
