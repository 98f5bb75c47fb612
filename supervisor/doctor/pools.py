"""Checks of the pools of a stack: against the system's own ports, against browsers, and against other stacks.  Pure."""

from collections.abc import Collection, Container, Iterator, Mapping, Sequence

from supervisor.core.browsers import BLOCKED_BY_BROWSERS
from supervisor.core.instance import max_instances, overlap, ports_of
from supervisor.dataclass import dataclass, field
from supervisor.doctor.finding import Finding, Level
from supervisor.words import findings as words


@dataclass(frozen=True, slots=True)
class Machine:
    """What the system does with ports by itself."""

    ephemeral: range = range(0)  # given to outgoing connections
    first_unprivileged: int = 0
    may_bind_all: bool = False  # root, or the like
    reserved: Mapping[int, str] = field(default_factory=dict)  # by whom


Pools = Mapping[str, Sequence[int]]


def check_pools(
    pools: Pools, stride: int, machine: Machine, instance: int = 1, fetch_urls: Mapping[str, str] | None = None
) -> Iterator[Finding]:
    """What stands against the ports of a stack's first instance, how many instances fit, whether `instance` does.

    `fetch_urls` are other addresses of services, for clients that refuse their ports.
    """
    for service, pool in pools.items():
        yield from _check_pool(service, pool, machine, (fetch_urls or {}).get(service, ""))
    if any(pools.values()):
        most = max_instances(pools, stride)
        why = overlap(pools, stride, most + 1)
        if instance > most:
            why_not = overlap(pools, stride, instance)
            yield Finding("instances", Level.ERROR, *words.no_such_instance(instance, why_not, most))
        level = Level.OK if most > 1 else Level.NOTE
        yield Finding("instances", level, *words.fitting(most, why))


def _check_pool(service: str, pool: Sequence[int], machine: Machine, fetch_url: str) -> Iterator[Finding]:
    if privileged := _those(pool, range(1, machine.first_unprivileged)):
        level = Level.NOTE if machine.may_bind_all else Level.ERROR
        yield Finding("privileged", level, *words.privileged(service, privileged))
    if ephemeral := _those(pool, machine.ephemeral):
        yield Finding("ephemeral", Level.WARNING, *words.ephemeral(service, ephemeral, machine.ephemeral))
    for port in _those(pool, machine.reserved):
        yield Finding("reserved", Level.WARNING, *words.reserved(service, port, machine.reserved[port]))
    if blocked := _those(pool, BLOCKED_BY_BROWSERS):
        yield Finding("browser", Level.NOTE, *words.blocked(service, blocked, fetch_url))


def check_neighbours(
    name: str, pools: Pools, stride: int, instance: int, leased: Mapping[int, tuple[str, int, str]]
) -> Iterator[Finding]:
    """Where instance `instance` of this stack would meet ports that other stacks have leased.

    `leased` has stack, instance and service by port.
    """
    for service, pool in pools.items():
        for port in ports_of(pool, instance, stride):
            stack, number, other = leased.get(port, ("", 0, ""))
            if stack and (stack, number) != (name, instance):
                yield Finding("overlap", Level.WARNING, *words.leased_to(service, port, other, stack, number))


def check_strangers(service: str, holders: Mapping[int, str], pool: Sequence[int]) -> Iterator[Finding]:
    """Who sits on the ports of a pool; `holders` has words by port."""
    taken = [port for port in pool if port in holders]
    level = Level.ERROR if len(taken) == len(pool) else Level.WARNING
    for port in taken:
        yield Finding("taken", level, *words.taken(service, port, holders[port]))


def _those(pool: Sequence[int], ports: Container[int] | Collection[int]) -> list[int]:
    return [port for port in pool if port in ports]
