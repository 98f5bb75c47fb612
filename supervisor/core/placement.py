"""Who may run a service when several machines could: one holder at a time, for as long as its lease.  Pure.

The registry of a cluster keeps one `Book`.  A holder renews its lease again and again, and counts from the moment in
which it asked; the book counts from the moment in which it heard that, so it is always the holder who stops first.
"""

from collections.abc import Mapping

from supervisor.dataclass import dataclass, field, replace

BEAT = 1.0  # seconds between two renewals
BEATS = 3  # renewals that may be lost before a holder begins to stop
RESERVE = 2.0  # seconds for killing what has not stopped, and for clocks that do not run equally fast
SURE = 3.0  # seconds for which a registry may believe that it is still the only one


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a service may run on a cluster, and what it takes there; all of it is Ray's business."""

    cpus: float = 0.0
    gpus: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)  # that its node must have
    node: str = ""  # name, address or id of the only node that it may run on
    spread: bool = False  # on a node with few others


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a lease is, and how long a service may take to stop when its node has lost the cluster; in seconds."""

    lease: float = 15.0
    grace: float = 5.0

    @property
    def patience(self) -> float:
        """How long after its last renewal a holder begins to stop."""
        return self.lease - RESERVE - self.grace

    @property
    def kill_after(self) -> float:
        """How long after its last renewal a holder kills what is left."""
        return self.lease - RESERVE

    @property
    def is_kept(self) -> bool:
        """Whether a node that has lost the cluster can have ended its services before another one has them."""
        return self.patience >= BEATS * BEAT

    @property
    def least(self) -> float:
        """The shortest lease that goes with the grace."""
        return self.grace + RESERVE + BEATS * BEAT


@dataclass(frozen=True, slots=True)
class Holding:
    """Who has a service: `until` is on the clock of the registry."""

    epoch: int
    holder: str
    node: str
    until: float
    is_over: bool = False  # nothing of it runs any more

    def is_free(self, now: float) -> bool:
        """Whether another holder may have the service."""
        return self.is_over or now >= self.until


@dataclass(frozen=True, slots=True)
class Book:
    """Who has which service."""

    lease: float
    held: Mapping[str, Holding]

    def claim(self, service: str, holder: str, node: str, now: float, wall: float) -> "tuple[Book, Holding | None]":
        """The service for `holder`, or None as long as somebody else may run it.

        Epochs grow; by `wall`, seconds since 1970, they do so also when the book was lost with its cluster.
        """
        before = self.held.get(service)
        if before is not None and not before.is_free(now):
            return self, None
        epoch = max(int(wall * 1000), before.epoch + 1 if before is not None else 1)
        return self._with(service, Holding(epoch, holder, node, now + self.lease))

    def renew(self, service: str, holder: str, epoch: int, now: float) -> "tuple[Book, Holding | None]":
        """The same holding with a longer lease, None if `holder` has it no longer, or was silent for too long."""
        found = self.held.get(service)
        if found is None or found.is_free(now) or (found.holder, found.epoch) != (holder, epoch):
            return self, None
        return self._with(service, replace(found, until=now + self.lease))

    def over(self, service: str, epoch: int) -> "Book":
        """That nothing of this epoch runs any more."""
        found = self.held.get(service)
        if found is None or found.epoch != epoch:
            return self
        return self._with(service, replace(found, is_over=True))[0]

    def found_again(self, service: str, holding: Holding, now: float) -> "Book":
        """What another registry had given, which is gone; its leases count from now."""
        return self._with(service, replace(holding, until=now + SURE + self.lease))[0]

    def _with(self, service: str, holding: Holding) -> "tuple[Book, Holding]":
        return replace(self, held={**self.held, service: holding}), holding
