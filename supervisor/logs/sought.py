"""What a search looks for in the log of one service, and in which part of it."""

import time
from collections.abc import Mapping

from supervisor.dataclass import dataclass, field
from supervisor.logs.blocks import Block
from supervisor.logs.line import Line
from supervisor.logs.part import LogPosition
from supervisor.logs.query import Query, matching


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of the logs is meant: seconds since 1970, for each service or for all; places by service.

    `count` is how many matches of each service are wanted, the last ones, or None for all.
    """

    since: float = 0.0
    until: float = float("inf")
    started: Mapping[str, float] = field(default_factory=dict)  # nothing from before is meant
    begin: Mapping[str, LogPosition] = field(default_factory=dict)
    end: Mapping[str, LogPosition] = field(default_factory=dict)
    count: int | None = None


class Sought:
    """What is looked for in the log of one service, within which times, and until when."""

    def __init__(self, query: Query, span: Span, service: str, seconds: float | None) -> None:
        self.count = span.count
        self.begin, self.end = span.begin.get(service), span.end.get(service)
        self.is_late = False
        self._query = query
        self._since, self._until = max(span.since, span.started.get(service, 0.0)), span.until
        self._seconds, self._begun = seconds, time.monotonic()
        self.has_end = self._until < float("inf")
        self.has_times = self._since > 0 or self.has_end

    def is_over(self, share: float = 1.0) -> bool:
        """Whether this part of the time has passed."""
        is_over = self._seconds is not None and time.monotonic() - self._begun > self._seconds * share
        self.is_late = self.is_late or is_over
        return is_over

    def is_within(self, line: Line) -> bool:
        return self._since <= line.time <= self._until

    def is_before(self, line: Line) -> bool:
        return line.time < self._since

    def is_after(self, line: Line) -> bool:
        return line.time > self._until

    def matches(self, block: Block) -> list[int]:
        """Which lines of a block match, whenever they were written; raises UsageError where that takes too long."""
        texts = block.texts()
        return matching(self._query, texts) if self._query else list(range(len(texts)))
