"""Who may start within a budget for memory, and who is stopped for that.  Pure.

The costs are those that services.yaml names: what a service uses is known only when it is too late.  Whoever has a
process, or will have one without asking again, has its cost.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum

from supervisor.annotations import Protocol
from supervisor.core.reasons import NoRoom
from supervisor.core.service import Service
from supervisor.core.service.idling import can_go
from supervisor.core.state import AT_REST, IS_ENDING, State, Then
from supervisor.dataclass import dataclass, field

WITHOUT = AT_REST | {State.ACQUIRING, State.IDLE, State.WAITING}  # no process, and it asks before it has one
RESOURCES = ("memory", "gpu_memory")


class Evict(StrEnum):
    """Which of the services that nobody uses is stopped first."""

    LRU = "lru"  # the one that was used longest ago


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes that services may cost together; 0 for any memory, and of graphics processors for what the driver tells."""

    memory: int = 0
    gpu_memory: int = 0
    evict: Evict = Evict.LRU


@dataclass(frozen=True, slots=True)
class Cost:
    """Bytes, in the order of RESOURCES."""

    memory: int = 0
    gpu_memory: int = 0

    def __bool__(self) -> bool:
        return bool(self.memory or self.gpu_memory)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.memory + other.memory, self.gpu_memory + other.gpu_memory)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.memory - other.memory, self.gpu_memory - other.gpu_memory)

    def of(self, resource: str) -> int:
        """How much of one resource."""
        return self.memory if resource == "memory" else self.gpu_memory


@dataclass(frozen=True, slots=True)
class Limits:
    """What all services may cost together; None for any."""

    memory: int | None = None
    gpu_memory: int | None = None

    def free(self, held: Cost) -> Cost:
        """What is left; more than anybody wants of what is not limited."""
        return Cost(_left(self.memory, held.memory), _left(self.gpu_memory, held.gpu_memory))

    def __bool__(self) -> bool:
        return self.memory is not None or self.gpu_memory is not None


def _left(limit: int | None, held: int) -> int:
    return 1 << 62 if limit is None else limit - held


class Tenant(Protocol):
    """A service that costs something."""

    @property
    def service(self) -> Service: ...
    @property
    def cost(self) -> Cost: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows for those who would start: they may, or these are stopped for them, or they wait, and why."""

    admitted: list[str] = field(default_factory=list)
    stopped: dict[str, str] = field(default_factory=dict)  # for whom
    waiting: dict[str, NoRoom] = field(default_factory=dict)


def holds(svc: Service) -> bool:
    """Whether a service has its cost."""
    return svc.state not in WITHOUT or svc.pid is not None


def goes(svc: Service) -> bool:
    """Whether a service gives its cost back soon, or it is just being found out whether it does."""
    return bool(svc.makes_room_for) or (svc.state in IS_ENDING and svc.then in (Then.IDLE, Then.STOP, Then.FAIL))


def held_by(tenants: Mapping[str, Tenant]) -> Cost:
    """What all services cost together now."""
    return sum((each.cost for each in tenants.values() if holds(each.service)), Cost())


def plan(
    queue: Sequence[str], tenants: Mapping[str, Tenant], limits: Limits, needed_by: Callable[[str], Collection[str]]
) -> Plan:
    """What follows for those in the `queue`, who asked in this order; nobody is stopped for one that needs it.

    Room that is being made for one is not taken by those who came after it.
    """
    made = Plan()
    free = limits.free(held_by(tenants))
    going = sum((each.cost for each in tenants.values() if holds(each.service) and goes(each.service)), Cost())
    for name in queue:
        cost = tenants[name].cost
        if _fits(cost, free):
            made.admitted.append(name)
            free -= cost
            continue
        if not _fits(cost, free + going):
            found = _victims(cost, free + going, tenants, {name, *needed_by(name), *made.stopped})
            made.stopped.update(dict.fromkeys(found, name))
            going = sum((tenants[each].cost for each in found), going)
        made.waiting[name] = _no_room(cost, free, tenants)
        if _fits(cost, free + going):
            free -= cost
    return made


def _victims(cost: Cost, free: Cost, tenants: Mapping[str, Tenant], spared: Collection[str]) -> list[str]:
    """Who is stopped so that there is room, longest unused first; nobody if that is not enough."""
    able = [name for name, each in tenants.items() if name not in spared and can_go(each.service)]
    found: list[str] = []
    for name in sorted(able, key=lambda each: tenants[each].service.used_at):
        if any(tenants[name].cost.of(each) and cost.of(each) > free.of(each) for each in RESOURCES):
            found.append(name)
            free += tenants[name].cost
            if _fits(cost, free):
                return found
    return []


def _fits(cost: Cost, free: Cost) -> bool:
    return all(not cost.of(each) or cost.of(each) <= free.of(each) for each in RESOURCES)


def _no_room(cost: Cost, free: Cost, tenants: Mapping[str, Tenant]) -> NoRoom:
    short = next(each for each in RESOURCES if cost.of(each) > free.of(each))
    holders = {name: each for name, each in tenants.items() if each.cost.of(short) and holds(each.service)}
    leaving = {name: each for name, each in holders.items() if goes(each.service) and not each.service.makes_room_for}
    coming = sum((each.cost for each in leaving.values()), free)
    is_coming = bool(leaving) and _fits(cost, coming)
    return NoRoom(short, cost.of(short), max(0, free.of(short)), tuple(leaving if is_coming else holders), is_coming)
