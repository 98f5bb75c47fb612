"""Who depends on whom in a running stack, kept so that a change of one is looked at by those it concerns.  Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from supervisor.annotations import Protocol
from supervisor.core.conditions import is_done
from supervisor.core.order import Condition, with_dependencies
from supervisor.core.service import Service
from supervisor.core.state import State


class Member(Protocol):
    """What the rules between services look at; the daemon's slots are such."""

    @property
    def service(self) -> Service: ...
    @property
    def needs(self) -> Mapping[str, Condition]:
        """The services that it depends on, and how far each must have come."""

    @property
    def restarts_with(self) -> Collection[str]:
        """Those of them after which it is restarted."""

    @property
    def is_wanted(self) -> bool:
        """Whether somebody has asked for it, and nobody has stopped it since."""

    @property
    def starts(self) -> int:
        """How many processes it has had."""

    @property
    def seen_starts(self) -> Mapping[str, int]:
        """The same of those that it is restarted after, when its process was spawned."""

    @property
    def seen_ports(self) -> Mapping[str, int]:
        """Where its process was told that the others are."""

    @property
    def replicas(self) -> "Sequence[Member]":
        """All of its service, the first one first; it is one of them, and mostly the only one."""

    @property
    def least(self) -> int:
        """How many of them have to be ready for the service to be."""


class Relations:
    """The dependencies of the members in both directions, worked out again after `forget`."""

    def __init__(self, members: Mapping[str, Member]) -> None:
        self._members = members
        self.forget()

    def forget(self) -> None:
        """There are other services now, or some depend on others than before."""
        self._dependants: dict[str, list[str]] | None = None
        self._positions: dict[str, int] = {}
        self._followers: tuple[str, ...] = ()

    def graph(self) -> dict[str, Collection[str]]:
        """Service -> the services it depends on, without those that a reload has removed already; each by replica."""
        return {name: self.needs(name) for name in self._members}

    def needs(self, name: str) -> tuple[str, ...]:
        """The services that one depends on, without those that a reload has removed already; all their replicas."""
        found: list[str] = []
        for need in self._members[name].needs:
            if need in self._members:
                replicas = self._members[need].replicas
                found += (need,) if len(replicas) == 1 else (each.service.name for each in replicas)
        return tuple(found)

    def dependants(self, name: str) -> list[str]:
        """The services that depend on one."""
        return self._known().get(name, [])

    def followers(self) -> tuple[str, ...]:
        """Those that are restarted after what they depend on."""
        self._known()
        return self._followers

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that there are, in the order of the file."""
        self._known()
        return sorted((name for name in names if name in self._members), key=self._positions.__getitem__)

    def need_a_stopped_one(self, names: Collection[str]) -> bool:
        """Whether one of these, or something that they need, is stopped."""
        return any(svc.state is State.STOPPED for svc in self._all_of(names))

    def need_a_server_that_ended(self, names: Collection[str]) -> bool:
        """Whether one of these needs a server that has ended without a failure, and may be started again."""
        return any(svc.state is State.EXITED and not is_done(svc) for svc in self._all_of(names))

    def _all_of(self, names: Collection[str]) -> list[Service]:
        return [self._members[name].service for name in with_dependencies(self.graph(), names)] if names else []

    def _known(self) -> dict[str, list[str]]:
        if self._dependants is None or len(self._positions) != len(self._members):
            self._dependants = {}
            self._positions = {name: position for position, name in enumerate(self._members)}
            self._followers = tuple(name for name, member in self._members.items() if member.restarts_with)
            for name in self._members:
                for need in self.needs(name):
                    self._dependants.setdefault(need, []).append(name)
        return self._dependants
