"""Gives each service ports of its own: those that the source names, else the next free block."""

from collections.abc import Container, Mapping, Sequence

from supervisor.convert.draft import Draft
from supervisor.core.browsers import BLOCKED_BY_BROWSERS

SIZE = 3  # ports of a pool: the fewest that leave room to rotate
FIRST, STEP = 8000, 10  # of services whose port nothing names
FIRST_EPHEMERAL = 32768  # Linux' default, ip(7); those of other systems begin higher
FIRST_UNPRIVILEGED = 1024


def assign(
    services: Sequence[Draft], ephemeral: Container[int], reserved: Mapping[int, str], mentioned: Container[int]
) -> None:
    """Write the `pool` of every service that has one; no two overlap, and none has a port that is `reserved`.

    No spare port is one that is `mentioned`: some program binds it by itself.
    """
    taken = dict(reserved)
    firsts: dict[str, int] = {}
    for service in services:
        if service.has_pool and service.ports:
            wanted = service.ports[0]
            if why := _against(wanted, ephemeral) or (f"is that of `{taken[wanted]}`" if wanted in taken else ""):
                service.notes.append(f"port {wanted} {why}, so the pool is another one: tell its clients")
            else:
                taken[wanted] = service.name
                firsts[service.name] = wanted
    for service in services:
        if not service.has_pool:
            continue
        if service.name in firsts:
            pool = [firsts[service.name]]
            candidates = iter([*range(pool[0] + 1, FIRST_EPHEMERAL), *range(FIRST_UNPRIVILEGED, pool[0])])
            while len(pool) < SIZE:
                port = next(candidates)
                if port not in taken and port not in mentioned and not _against(port, ephemeral):
                    pool.append(port)
        else:
            pool = _next_block(taken, ephemeral, mentioned)
        taken |= dict.fromkeys(pool, service.name)
        service.fields["pool"] = pool


def _next_block(taken: Container[int], ephemeral: Container[int], mentioned: Container[int]) -> list[int]:
    starts = [*range(FIRST, FIRST_EPHEMERAL - SIZE, STEP), *range(FIRST_UNPRIVILEGED, FIRST, STEP)]
    for first in starts:
        block = list(range(first, first + SIZE))
        if not any(port in taken or port in mentioned or _against(port, ephemeral) for port in block):
            return block
    raise AssertionError("a services.yaml has at most 1000 services, and there are more blocks than that")


def _against(port: int, ephemeral: Container[int]) -> str:
    """Why a port should not be in a pool; empty if nothing is against it."""
    if port < FIRST_UNPRIVILEGED:
        return "is one that only root may bind"
    if port in BLOCKED_BY_BROWSERS:
        return "is one that browsers refuse to open"
    if port >= FIRST_EPHEMERAL or port in ephemeral:
        return "can be taken by any outgoing connection"
    return ""
