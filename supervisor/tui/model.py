"""What the terminal view knows of a stack: rows in the order to show them, and what the services used.  Pure."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence

from supervisor.api.rows import ordered
from supervisor.api.values import ServiceStatus, Usages
from supervisor.words import view

HOUR = 360  # moments, one every 10 s


class Model:
    """The figures of the services beside their rows."""

    def __init__(self) -> None:
        self._moments: dict[str, deque[tuple[float, float | None, int | None]]] = {}
        self._seen: dict[str, tuple[ServiceStatus, float]] = {}

    def take(self, usages: Usages) -> None:
        """Adds what a subscription or `trend` tells; a moment that is known already is left alone."""
        for name, load in usages.services.items():
            moments = self._moments.setdefault(name, deque(maxlen=HOUR))
            for moment in zip(usages.times, load.cpu_s, load.memory, strict=True):
                if not moments or moment[0] > moments[-1][0]:
                    moments.append(moment)

    def age(self, row: ServiceStatus, now: float) -> float | None:
        """How old its process is by now, which a row tells as it was when it came."""
        seen = self._seen.get(row.name)
        if seen is None or seen[0] is not row:
            seen = self._seen[row.name] = (row, now)
        return None if row.uptime_s is None else row.uptime_s + max(0.0, now - seen[1])

    def cpu(self, name: str) -> float | None:
        """The share of one processor between the last two moments; None before there are two of one process."""
        moments = self._moments.get(name)
        if moments is None or len(moments) < 2:
            return None
        (before, cpu_before, _), (now, cpu_now, _) = list(moments)[-2:]
        if cpu_before is None or cpu_now is None or cpu_now < cpu_before or now <= before:
            return None
        return (cpu_now - cpu_before) / (now - before)

    def memory(self, name: str) -> int | None:
        """Bytes at the last moment."""
        moments = self._moments.get(name)
        return moments[-1][2] if moments else None

    def memories(self, name: str) -> list[int | None]:
        """Bytes at each moment of the last hour."""
        return [memory for _, _, memory in self._moments.get(name, ())]


def shown(rows: Sequence[ServiceStatus], needs: Mapping[str, Collection[str]], text: str = "") -> list[ServiceStatus]:
    """The rows whose name has `text` in it, the broken ones first, the others behind what they need."""
    return [row for row in ordered(rows, needs) if text.casefold() in row.name.casefold()]


def head_line(name: str, instance: int, rows: Sequence[ServiceStatus]) -> str:
    """The stack in one line: how many of its services are as they should be."""
    fine = sum(row.is_fine for row in rows)
    return view.head(name, instance, fine, len(rows))
