"""What somebody is told who does not look: which events, how many together, and how often.  Pure.

Seconds are monotonic.
"""

from collections.abc import Mapping
from enum import StrEnum

from supervisor.annotations import Any
from supervisor.core import journal
from supervisor.dataclass import dataclass, field

DESKTOP = "desktop"  # a target that needs no extra
PERIOD = 300.0  # seconds within which a service that restarts OFTEN times is said to flap
OFTEN = 3
GATHER = 1.0  # seconds for which what happens together is gathered
MOST = 20  # lines of one notice


class Occasion(StrEnum):
    """What can be told."""

    FAILED = "failed"
    FLAPPING = "flapping"
    UNHEALTHY = "unhealthy"
    READY = "ready"


USUAL = (Occasion.FAILED, Occasion.FLAPPING, Occasion.UNHEALTHY)


@dataclass(frozen=True, slots=True)
class Notify:
    """Whom to tell what, and how many seconds apart at least."""

    on: tuple[Occasion, ...] = USUAL
    to: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    every: float = 60.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    occasion: Occasion
    event: Mapping[str, Any]


@dataclass(slots=True)
class Gathering:
    """Gathers what is to be told, and says when."""

    entries: list[Entry] = field(default_factory=list)
    left_out: int = 0  # beside those
    _quiet_until: float = 0.0
    _restarts: dict[str, list[float]] = field(default_factory=dict)

    def hear(self, event: Mapping[str, Any], notify: Notify, now: float) -> bool:
        """Whether this event is to be told."""
        occasion = self._occasion(event, now)
        if occasion is None or occasion not in notify.on:
            return False
        if len(self.entries) < MOST:
            self.entries.append(Entry(occasion, dict(event)))
        else:
            self.left_out += 1
        return True

    def due(self, now: float) -> float:
        """When to tell what has been gathered, from `now` on."""
        return max(now + GATHER, self._quiet_until)

    def take(self, notify: Notify, now: float) -> tuple[list[Entry], int]:
        """What is told now, and how many others are left out of that; nothing more for a while."""
        taken, self.entries = self.entries, []
        left_out, self.left_out = self.left_out, 0
        self._quiet_until = now + notify.every
        return taken, left_out

    def _occasion(self, event: Mapping[str, Any], now: float) -> Occasion | None:
        match event["event"]:
            case journal.ServiceFailed.event | journal.Fatal.event:
                return Occasion.FAILED
            case journal.ServiceUnhealthy.event:
                return Occasion.UNHEALTHY
            case journal.ServiceReady.event:
                return Occasion.READY
            case journal.ServiceRestarts.event:
                return Occasion.FLAPPING if self._flaps(str(event.get("service")), now) else None
        return None

    def _flaps(self, service: str, now: float) -> bool:
        """Whether this restart is one too many; said once, until it has run for a whole period without any."""
        times = [*(each for each in self._restarts.get(service, ()) if now - each < PERIOD), now]
        self._restarts[service] = times[-OFTEN - 1 :]
        return len(times) == OFTEN
