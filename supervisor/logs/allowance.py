"""How many events of one kind a service may cause, so that it cannot push everybody's history out of the journal."""

from collections.abc import Iterator

from supervisor.core.journal import BY_NAME
from supervisor.dataclass import dataclass

Kind = tuple[str, str]  # a service and an event


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and from then on one every so many seconds."""

    burst: int
    every: float


STEPS = Rate(100, 5.0)  # what a service goes through
NOTICES = Rate(10, 10.0)  # what its calls and messages cause, as often as it likes


def rate_of(event: str) -> Rate:
    """How often an event about one service is told."""
    kind = BY_NAME.get(event)
    return NOTICES if kind is not None and kind.is_frequent else STEPS


@dataclass(slots=True)
class _Account:
    left: float
    at: float  # seconds on the clock of the caller
    left_out: int = 0


class Allowances:
    """The account of each kind; the caller has the clock, in seconds."""

    def __init__(self) -> None:
        self._accounts: dict[Kind, _Account] = {}

    def admit(self, kind: Kind, rate: Rate, now: float) -> bool:
        """Whether one more may be told; it is counted if not."""
        account = self._accounts.get(kind)
        if account is None:
            account = self._accounts[kind] = _Account(rate.burst, now)
        account.left = min(rate.burst, account.left + max(0.0, now - account.at) / rate.every)
        account.at = now
        if account.left < 1:
            account.left_out += 1
            return False
        account.left -= 1
        return True

    def left_out(self) -> Iterator[tuple[Kind, int]]:
        """How many of which kind were not told since this was asked last."""
        for kind, account in self._accounts.items():
            if account.left_out:
                count, account.left_out = account.left_out, 0
                yield kind, count
