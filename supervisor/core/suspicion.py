"""Whether somebody else listens on the port of a service, or it looked so for a moment.  Pure.

A socket is nobody's while the process that has it exits; it is another's while that one, just forked, closes what it
has of its parent; and a process that executes a program has no mark for a moment.  So who is seen once is suspected.
"""

from collections.abc import Hashable, Iterable, Mapping

from supervisor.dataclass import dataclass, field

LASTS = 1.0  # seconds after which one who is still there is there for good
COMES_AGAIN = 3.0  # the same for those who come and go, so that each look finds others


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Those whom looks have found that do not belong there, each with the moment of the first look that did.

    Moments are in monotonic seconds; `since` is that since which every look has found somebody.
    """

    seen: Mapping[Hashable, float] = field(default_factory=dict)
    since: float | None = None

    def looked(self, found: Iterable[Hashable], now: float) -> "Suspicion":
        """After a look that has found these."""
        seen = {each: self.seen.get(each, now) for each in found}
        since = now if self.since is None else self.since
        return Suspicion(seen, since if seen else None)

    def sure(self, now: float) -> Hashable | None:
        """One who is no matter of a moment, None if there is nobody."""
        if self.since is not None and now - self.since >= COMES_AGAIN:
            return next(iter(self.seen))
        return next((each for each, first in self.seen.items() if now - first >= LASTS), None)
