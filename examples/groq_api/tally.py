"""How many requests there were, how they ended and how long they took, as JSON and for Prometheus."""

from collections import Counter
from collections.abc import Callable

import prometheus_client as prometheus
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which says when the service started

# Seconds: short answers of fast models take 0.2, long ones and speech half a minute.
BUCKETS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120)
FIRST_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 20)
MOST_MODELS = 100  # names come from clients; the ones after that are counted together
OTHER = "other"


class Tally:
    """Counts since the service started."""

    def __init__(self) -> None:
        self._ends: Counter[str] = Counter()  # by HTTP status of the upstream, or the code of our own error
        self._seconds = 0.0
        self._fallback = 0
        self._models: set[str] = set()
        self.registry = prometheus.CollectorRegistry()
        mine = self.registry
        self._requests = prometheus.Counter("groq_requests", "Requests by how they ended.", ["end"], registry=mine)
        self._by_model = prometheus.Counter(
            "groq_model_requests", "Requests by model and by how they ended.", ["model", "end"], registry=mine
        )
        self._took = prometheus.Histogram(
            "groq_request_seconds", "Time from a request to the end of its answer.", buckets=BUCKETS, registry=mine
        )
        self._model_took = prometheus.Histogram(
            "groq_model_seconds", "The same by model.", ["model"], buckets=BUCKETS, registry=mine
        )
        self._first = prometheus.Histogram(
            "groq_first_byte_seconds",
            "Time to the first byte of an answer.",
            ["model"],
            buckets=FIRST_BUCKETS,
            registry=mine,
        )
        self._fallbacks = prometheus.Counter("groq_fallback", "Requests that the fallback answered.", registry=mine)
        self._left = prometheus.Gauge(
            "groq_limit_remaining", "What Groq says is left of a model's limits.", ["model", "kind"], registry=mine
        )

    def gauge(self, name: str, help_: str, value: Callable[[], float]) -> None:
        """A figure that is looked up when it is asked for."""
        prometheus.Gauge(name, help_, registry=self.registry).set_function(value)

    def counter(self, name: str, help_: str, value: Callable[[], float]) -> None:
        """A count that somebody else keeps."""
        self.registry.register(_Count(name, help_, value))

    def begun(self, model: str, seconds: float) -> None:
        """The first byte of an answer came."""
        self._first.labels(self._label(model)).observe(seconds)

    def count(self, end: str, seconds: float, model: str = "", *, fallback: bool = False) -> None:
        self._ends[end] += 1
        self._seconds += seconds
        self._fallback += fallback
        self._requests.labels(end).inc()
        self._took.observe(seconds)
        self._by_model.labels(self._label(model), end).inc()
        self._model_took.labels(self._label(model)).observe(seconds)
        if fallback:
            self._fallbacks.inc()

    def report(self) -> dict[str, object]:
        return {"requests": dict(self._ends), "seconds": round(self._seconds, 3), "fallback": self._fallback}

    def exposition(self, accept: str, left: dict[str, dict[str, float]]) -> tuple[bytes, str]:
        """The figures in the format that a scraper accepts, and its content type; `left` is what Limits reports."""
        for model, kinds in left.items():
            for kind, value in kinds.items():
                self._left.labels(self._label(model), kind).set(value)
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def _label(self, model: str) -> str:
        if model not in self._models and len(self._models) >= MOST_MODELS:
            return OTHER
        self._models.add(model)
        return model


class _Count(Collector):
    def __init__(self, name: str, help_: str, value: Callable[[], float]) -> None:
        self._name, self._help, self._value = name, help_, value

    def collect(self) -> list[prometheus.Metric]:
        return [CounterMetricFamily(self._name, self._help, self._value())]
