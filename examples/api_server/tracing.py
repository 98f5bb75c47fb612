"""What has gone through the gateway: the last of it as spans, all of it as figures for Prometheus."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import prometheus_client as prometheus
from prometheus_client.exposition import choose_encoder

from examples.trace import Trace, follow

KEPT = 1000
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)  # seconds
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "WEBSOCKET"))
prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each


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
    flags: str = "01"  # of traceparent: 01 when whoever began the trace wants it kept
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
        return {key: value for key, value in asdict(self).items() if key not in ("clock", "flags")}


class Spans:
    """The last 1000 spans, and figures of all that there were; `sent` gets each as it ends."""

    def __init__(self, sent: Callable[[Span], None] | None = None) -> None:
        self._ring: deque[Span] = deque(maxlen=KEPT)
        self._seen = 0
        self._sent = sent
        self.registry = mine = prometheus.CollectorRegistry()
        labels = ["service", "method", "status"]
        self._requests = prometheus.Counter("gateway_requests", "Requests passed on.", labels, registry=mine)
        self._errors = prometheus.Counter(
            "gateway_errors", "Requests that got no answer from the service.", ["service", "code"], registry=mine
        )
        self._first = prometheus.Histogram(
            "gateway_first_byte_seconds", "Time to the head of an answer.", ["service"], buckets=BUCKETS, registry=mine
        )
        self._took = prometheus.Histogram(
            "gateway_request_seconds", "Time to the end of an answer.", ["service"], buckets=BUCKETS, registry=mine
        )
        self._running = prometheus.Gauge("gateway_running", "Requests under way.", ["service"], registry=mine)

    def begin(self, trace: Trace | None, service: str, method: str, path: str) -> Span:
        trace = trace or follow("")
        self._running.labels(service).inc()
        return Span(
            trace.trace_id, trace.span_id, trace.parent_id, service, method, path[:200], time.time(), trace.flags
        )

    def end(self, span: Span) -> None:
        span.ms = span.elapsed()
        self._seen += 1
        self._ring.append(span)
        self._running.labels(span.service).dec()
        method = span.method if span.method in METHODS else "OTHER"
        self._requests.labels(span.service, method, str(span.status)).inc()
        self._first.labels(span.service).observe(span.first_ms / 1000)
        self._took.labels(span.service).observe(span.ms / 1000)
        if span.error:
            self._errors.labels(span.service, span.error).inc()
        if self._sent:
            self._sent(span)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The figures in the format that a scraper accepts, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

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
