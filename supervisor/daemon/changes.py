"""The one way by which a change of a service becomes known: whoever has to know of it has said so before."""


from supervisor.annotations import Protocol
from supervisor.core.service import Service


class Follower(Protocol):
    """Whoever is told of every change of a service, once it is so."""

    def __call__(self, before: Service, after: Service, /) -> object: ...


class Changes:
    """All followers; each is told in the order in which they came, and before anything else happens."""

    def __init__(self) -> None:
        self._followers: list[Follower] = []

    def follow(self, follower: Follower) -> None:
        """Tells this one, too, from now on."""
        self._followers.append(follower)

    def tell(self, before: Service, after: Service) -> None:
        """A service was `before`, and is `after` now."""
        for follower in self._followers:
            follower(before, after)
