"""Many things in a few words."""

from collections.abc import Collection
from itertools import islice

MOST = 5  # that are named


def first_of(names: Collection[str], most: int = 20) -> str:
    """Names in their order: all of a few, of many the first ones and how many others there are."""
    shown = ", ".join(islice(names, most))
    return shown if len(names) <= most else f"{shown} and {counted(len(names) - most, 'other')}"


def some_of(ports: Collection[int], more: int = 0) -> str:
    """The ports in ascending order: all of a few, of many the first ones and how many others there are.

    `more` are not among them.
    """
    named = sorted(ports)
    count = len(named) + more
    if count <= MOST:
        return ", ".join(map(str, named))
    kept = MOST - 2
    return f"{', '.join(map(str, named[:kept]))} and {count - kept} others"


def counted(count: int, one: str, several: str = "") -> str:
    """`1 file`, `2 files`; `several` where that is not `one` with an s."""
    return f"{count} {one if count == 1 else several or one + 's'}"


def often(count: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
