"""Why no more instances of a stack can exist beside one another."""

from collections.abc import Sequence

from supervisor.core.instance import LAST_PORT, Overlap

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def overlap(found: Overlap | None) -> str:
    """Why there cannot be as many instances, "" if there can."""
    if found is None:
        return ""
    if found.instance == 1 and found.other is not None:
        return f"`{found.service}` and `{found.other}` share port {found.port}"
    fit = _NUMBERS[found.fitting] if found.fitting < len(_NUMBERS) else str(found.fitting)
    fitting = f"{fit} instance fits" if found.fitting == 1 else f"{fit} instances fit"
    mine = f"pool {_ports(found.pool)} of `{found.service}` in instance {found.instance}"
    if found.other is None:
        return f"{mine} goes beyond port {LAST_PORT}: {fitting}"
    whose = "the same service" if found.other == found.service else f"`{found.other}`"
    return f"{mine} takes ports of {whose} ({_ports(found.others)}) in instance 1: {fitting}"


def _ports(pool: Sequence[int]) -> str:
    if len(pool) > 1 and list(pool) == list(range(pool[0], pool[0] + len(pool))):
        return f"{pool[0]}-{pool[-1]}"
    return ", ".join(map(str, pool))
