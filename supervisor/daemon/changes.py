"""The one way by which a change of a service becomes known: whoever has to know of it has said so before."""

from collections.abc import Callable

from supervisor.annotations import Protocol
from supervisor.core.service import Service

OnFault = Callable[[Service, Exception], object]


class Follower(Protocol):
    """Whoever is told of every change of a service, once it is so."""

    def __call__(self, before: Service, after: Service, /) -> object: ...


class Changes:
    """All followers; each is told in the order in which they came, and before anything else happens.

    An exception in one of them keeps nothing from the others.  It goes to what the follower came with, or else to
    `on_fault`: what the stack as a whole knows of its services is wrong from then on.
    """

    def __init__(self, on_fault: OnFault) -> None:
        self._on_fault = on_fault
        self._followers: list[tuple[Follower, OnFault]] = []

    def follow(self, follower: Follower, on_fault: OnFault | None = None) -> None:
        """Tells this one, too, from now on."""
        self._followers.append((follower, on_fault or self._on_fault))

    def tell(self, before: Service, after: Service) -> None:
        """A service was `before`, and is `after` now."""
        for follower, on_fault in self._followers:
            try:
                follower(before, after)
            except Exception as error:
                on_fault(after, error)
