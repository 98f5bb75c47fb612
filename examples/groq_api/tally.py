"""How many requests there were and how they ended, as JSON and for Prometheus."""

from collections import Counter


class Tally:
    """Counts since the service started."""

    def __init__(self) -> None:
        self._ends: Counter[str] = Counter()  # by HTTP status of the upstream, or the code of our own error
        self._seconds = 0.0
        self._fallback = 0

    def count(self, end: str, seconds: float, *, fallback: bool = False) -> None:
        self._ends[end] += 1
        self._seconds += seconds
        self._fallback += fallback

    def report(self) -> dict[str, object]:
        return {"requests": dict(self._ends), "seconds": round(self._seconds, 3), "fallback": self._fallback}

    def exposition(self, *, keys: int, available: int, running: int, limit: int, rotated: int) -> str:
        """Prometheus' text format 0.0.4.

        The names of ends are HTTP statuses and codes of ours, so no label needs a backslash.
        """
        lines = [
            "# HELP groq_requests_total Requests by how they ended.",
            "# TYPE groq_requests_total counter",
            *(f'groq_requests_total{{end="{end}"}} {count}' for end, count in sorted(self._ends.items())),
            "# HELP groq_request_seconds Time from a request to the end of its answer.",
            "# TYPE groq_request_seconds summary",
            f"groq_request_seconds_sum {self._seconds:.6f}",
            f"groq_request_seconds_count {self._ends.total()}",
        ]
        for name, kind, help_, value in (
            ("groq_fallback_total", "counter", "Requests that the fallback answered.", self._fallback),
            ("groq_rotations_total", "counter", "Times that a request was sent again with another key.", rotated),
            ("groq_running", "gauge", "Requests being answered.", running),
            ("groq_running_max", "gauge", "How many may be answered at once.", limit),
            ("groq_keys", "gauge", "Keys that are configured.", keys),
            ("groq_keys_available", "gauge", "Keys that can be used now.", available),
        ):
            lines += [f"# HELP {name} {help_}", f"# TYPE {name} {kind}", f"{name} {value}"]
        return "\n".join(lines) + "\n"
