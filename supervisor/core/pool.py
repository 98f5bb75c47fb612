"""Which port of its pool a service gets."""

from collections.abc import Mapping, Sequence

from supervisor.core.port_state import Quarantine
from supervisor.core.reasons import Cause, NotTried
from supervisor.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Pick:
    """The port that the service gets, and why those that come before it are not used."""

    port: int
    skipped: tuple[tuple[int, Cause], ...] = ()


@dataclass(frozen=True, slots=True)
class NoPick:
    """No port can be used; why, port by port, in the order of the pool."""

    reasons: tuple[tuple[int, Cause], ...]


def pick(
    pool: Sequence[int],
    *,
    taken: Mapping[int, Cause],
    avoid: Mapping[int, Cause],
    quarantines: Mapping[int, Quarantine],
    now: float,
    leaving: int | None = None,
    strict: bool = False,
) -> Pick | NoPick:
    """The first usable port of `pool`; after `leaving` its successors come first, and itself last.

    `taken` are ports that somebody else has, `avoid` those the service had trouble with, each with the reason.
    `strict`: the first port or none.
    """
    reasons: dict[int, Cause] = {}
    for port in _in_order(pool, leaving, strict):
        why = taken.get(port) or avoid.get(port) or _quarantined(quarantines.get(port), now)
        if not why:
            return Pick(port, tuple(reasons.items()))
        reasons[port] = why
    if strict:
        reasons |= dict.fromkeys(pool[1:], NotTried(is_strict=True))
    return NoPick(tuple((port, reasons[port]) for port in pool))


def _in_order(pool: Sequence[int], leaving: int | None, strict: bool) -> Sequence[int]:
    if strict:
        return pool[:1]
    if leaving not in pool:
        return pool
    start = pool.index(leaving) + 1
    return [*pool[start:], *pool[:start]]


def _quarantined(quarantine: Quarantine | None, now: float) -> Cause:
    return quarantine.why if quarantine is not None and not quarantine.is_over(now) else ""
