"""What the ports and locks of a pool can be, and when a port that failed may be tried again."""

from enum import StrEnum

from supervisor.core.reasons import Cause
from supervisor.dataclass import dataclass


class PortState(StrEnum):
    """One port of a pool, as seen by the service that the pool belongs to."""

    ACTIVE = "active"  # the one the service got
    SPARE = "spare"  # leased too, nobody else gets it
    TAKEN = "taken"  # somebody else has it
    QUARANTINED = "quarantined"  # it failed lately


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A port that failed is skipped `until` then, in monotonic seconds."""

    why: Cause
    until: float

    def is_over(self, now: float) -> bool:
        """Whether the port may be used again."""
        return now >= self.until


def state_of(*, is_active: bool, is_leased: bool, quarantine: Quarantine | None, now: float) -> PortState:
    """How one port of a pool stands."""
    if is_active:
        return PortState.ACTIVE
    if quarantine is not None and not quarantine.is_over(now):
        return PortState.QUARANTINED
    return PortState.SPARE if is_leased else PortState.TAKEN
