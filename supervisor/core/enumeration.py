"""Many things in a few words."""

from collections.abc import Collection

MOST = 5  # that are named


def some_of(ports: Collection[int]) -> str:
    """The ports in ascending order: all of a few, of many the first ones and how many more there are."""
    named = sorted(ports)
    if len(named) <= MOST:
        return ", ".join(map(str, named))
    kept = MOST - 2
    return f"{', '.join(map(str, named[:kept]))} and {len(named) - kept} others"
