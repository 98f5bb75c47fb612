"""Checks of the pools of a stack: against the system's own ports, against browsers, and against other stacks.  Pure."""

from collections.abc import Collection, Container, Iterator, Mapping, Sequence

from supervisor.core.browsers import BLOCKED_BY_BROWSERS
from supervisor.core.instance import max_instances, overlap, ports_of
from supervisor.dataclass import dataclass, field
from supervisor.doctor.finding import Finding, Level


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
        why = overlap(pools, stride, most + 1) or ""
        if instance > most:
            what = f"there cannot be an instance {instance}: {overlap(pools, stride, instance)}"
            yield Finding("instances", Level.ERROR, what, f"take a number up to {most}")
        level = Level.OK if most > 1 else Level.NOTE
        remedy = "" if most > 1 else "a larger `instances: {stride: …}`, or pools that lie closer together"
        yield Finding(
            "instances", level, f"{most} instance{'s' if most != 1 else ''} can run side by side; {why}", remedy
        )


def _check_pool(service: str, pool: Sequence[int], machine: Machine, fetch_url: str) -> Iterator[Finding]:
    if privileged := _those(pool, range(1, machine.first_unprivileged)):
        level = Level.NOTE if machine.may_bind_all else Level.ERROR
        remedy = "take ports from 1024 on, or `sysctl net.ipv4.ip_unprivileged_port_start`"
        yield Finding("privileged", level, f"`{service}`: {_ports(privileged)} only root may bind", remedy)
    if ephemeral := _those(pool, machine.ephemeral):
        span = f"{machine.ephemeral.start}-{machine.ephemeral.stop - 1}"
        what = f"`{service}`: {_ports(ephemeral)} can be taken by any outgoing connection (the system uses {span})"
        remedy = f"take ports outside of it, or `sysctl net.ipv4.ip_local_reserved_ports={_list(ephemeral)}`"
        yield Finding("ephemeral", Level.WARNING, what, remedy)
    for port in _those(pool, machine.reserved):
        by = machine.reserved[port]
        yield Finding("reserved", Level.WARNING, f"`{service}`: port {port} is used by {by}", "take another port")
    if blocked := _those(pool, BLOCKED_BY_BROWSERS):
        clients = "browsers (ERR_UNSAFE_PORT) and other clients of the Fetch standard, such as fetch() in Node.js,"
        remedy = f"for them it is at {fetch_url}" if fetch_url else "take another port, or set `fetch_url`"
        yield Finding("browser", Level.NOTE, f"`{service}`: {clients} refuse {_ports(blocked)}", remedy)


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
                what = f"`{service}`: port {port} is leased to `{other}` of stack `{stack}` instance {number}"
                yield Finding("overlap", Level.WARNING, what, "give one of the two stacks other pools")


def check_strangers(service: str, holders: Mapping[int, str], pool: Sequence[int]) -> Iterator[Finding]:
    """Who sits on the ports of a pool; `holders` has words by port."""
    taken = [port for port in pool if port in holders]
    level = Level.ERROR if len(taken) == len(pool) else Level.WARNING
    for port in taken:
        yield Finding(
            "taken", level, f"`{service}`: port {port} is {holders[port]}", "end that program, or take another port"
        )


def _those(pool: Sequence[int], ports: Container[int] | Collection[int]) -> list[int]:
    return [port for port in pool if port in ports]


def _ports(ports: Sequence[int]) -> str:
    return f"port{'s' if len(ports) > 1 else ''} {_list(ports, ', ')}"


def _list(ports: Sequence[int], between: str = ",") -> str:
    return between.join(map(str, ports))
