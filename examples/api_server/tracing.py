"""What has gone through the gateway lately."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from examples.trace import Trace, follow

KEPT = 1000


@dataclass(slots=True)
class Span:
    """One request that the gateway passed on; `ms` is the time until the last byte of its answer."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    method: str
    path: str  # without the query, which may hold a token
    started: float  # seconds since 1970
    status: int = 0
    error: str = ""  # the code of our own error, where the service did not answer
    first_ms: float = 0.0  # until the status line of the answer
    ms: float = 0.0
    clock: float = field(default_factory=time.monotonic)

    def answered(self, status: int, error: str = "") -> None:
        self.status, self.error = status, error
        self.first_ms = self.elapsed()

    def elapsed(self) -> float:
        return round((time.monotonic() - self.clock) * 1000, 1)

    def view(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key != "clock"}


class Spans:
    """The last 1000 spans, and how many there were in all."""

    def __init__(self) -> None:
        self._ring: deque[Span] = deque(maxlen=KEPT)
        self._seen = 0

    def begin(self, trace: Trace | None, service: str, method: str, path: str) -> Span:
        trace = trace or follow("")
        return Span(trace.trace_id, trace.span_id, trace.parent_id, service, method, path[:200], time.time())

    def end(self, span: Span) -> None:
        span.ms = span.elapsed()
        self._seen += 1
        self._ring.append(span)

    def latest(self, limit: int, service: str | None = None, trace_id: str | None = None) -> list[dict[str, Any]]:
        """The newest first."""
        found: Iterator[Span] = (
            span
            for span in reversed(self._ring)
            if service in (None, span.service) and trace_id in (None, span.trace_id)
        )
        return [span.view() for span, _ in zip(found, range(limit), strict=False)]

    def stats(self) -> dict[str, Any]:
        """Counts and times by service, of the spans that are kept."""
        by_service: dict[str, list[Span]] = {}
        for span in self._ring:
            by_service.setdefault(span.service, []).append(span)
        services = {name: _summary(spans) for name, spans in sorted(by_service.items())}
        return {"seen": self._seen, "kept": len(self._ring), "limit": KEPT, "services": services}


def _summary(spans: list[Span]) -> dict[str, Any]:
    times = sorted(span.ms for span in spans)
    errors = sum(span.status >= 500 for span in spans)
    return {
        "requests": len(spans),
        "errors": errors,
        "p50_ms": times[len(times) // 2],
        "p95_ms": times[min(len(times) - 1, len(times) * 95 // 100)],
        "max_ms": times[-1],
    }
