"""How long a process that is to end may take for the clients that wait for it.  Pure."""

from supervisor.dataclass import dataclass, replace

ACCEPTS_WITHIN = 0.25  # seconds in which a process that has nothing else to do accepts at least one of them
AT_MOST = 2.0  # seconds for all of them
SEEN_EVERY = 0.02  # seconds; where a machine is too busy for us to look that often, the process has to wait as well


@dataclass(frozen=True, slots=True)
class Patience:
    """Until when it is waited for, in monotonic seconds: longer whenever `fewest`, the clients that wait, gets less."""

    until: float
    end: float
    fewest: int | None = None
    seen_at: float | None = None

    def seen(self, waiting: int, now: float, *, is_held_up: bool = False) -> "Patience":
        """So many wait now; `is_held_up`: it is busy, or some of them get to it only when another process has ended."""
        stalled = 0.0 if self.seen_at is None else max(now - self.seen_at - SEEN_EVERY, 0.0)
        if self.fewest is not None and waiting >= self.fewest and not is_held_up:
            return replace(self, seen_at=now, until=min(self.until + stalled, self.end))
        return replace(self, seen_at=now, fewest=waiting, until=min(now + ACCEPTS_WITHIN, self.end))

    def lasts(self, now: float) -> bool:
        """Whether it is waited any longer."""
        return now < self.until


def patience_from(now: float, deadline: float | None) -> Patience:
    """For a process that is killed at a deadline: half of the time until then is its own."""
    end = now + AT_MOST if deadline is None else min(now + AT_MOST, now + (deadline - now) / 2)
    return Patience(min(now + ACCEPTS_WITHIN, end), end)
