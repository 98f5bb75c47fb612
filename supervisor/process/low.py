"""Places with low numbers for the descriptors that a child needs, so that it gets a copy of the first of ours alone.

With 200 services we have some 1,500.  clone(2) copies them all for each child, and execve(2) closes them again, which
takes half a millisecond when none of them is in a cache.  A child that begins with our own table of them (CLONE_FILES)
and leaves it by close_range(2) has only those below a number, see `vfork`.  What it needs has to lie there.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence

from supervisor import system

if not system.HAS_JOBS:
    import fcntl

_COUNT = 7  # as many as a child needs, and our own standard streams
_places: list[int] = []  # each is /dev/null when nobody needs it
_kept: list[int] = []  # the same, for what stays there


def reserve() -> None:
    """Takes the places, where that was not done; to be called before there are many descriptors.  Raises OSError."""
    if _places:
        return
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    with contextlib.ExitStack() as undo:
        undo.callback(os.close, null)
        taken = []
        for _ in range(_COUNT + 2):
            taken.append(fcntl.fcntl(null, fcntl.F_DUPFD_CLOEXEC, 3))
            undo.callback(os.close, taken[-1])
        undo.pop_all()
    os.close(null)
    _places[:], _kept[:] = taken[:-1], taken[-1:]


@contextlib.contextmanager
def lent(descriptors: Sequence[int]) -> Iterator[Sequence[int]]:
    """Where there are copies of these, in their order, while the block lasts; nothing if that cannot be.

    The copies are close-on-exec.
    """
    *places, null = _reserved() or [0]
    used = places[: len(descriptors)]
    try:
        yield used if _put(descriptors, used) else ()
    finally:
        for place in used:  # whoever reads from a pipe waits until nobody has its other end
            os.dup2(null, place, inheritable=False)


def keep(descriptor: int) -> int:
    """Moves a descriptor to a place of its own for good, where there is one left; gives its number."""
    if not _kept or not _put((descriptor,), _kept):
        return descriptor
    os.close(descriptor)
    return _kept.pop()


def _put(descriptors: Sequence[int], places: Sequence[int]) -> bool:
    if len(descriptors) != len(places):
        return False
    try:
        for descriptor, place in zip(descriptors, places, strict=True):
            os.dup2(descriptor, place, inheritable=False)
    except OSError:  # one of our standard streams is closed
        return False
    return True


def _reserved() -> list[int]:
    with contextlib.suppress(OSError):  # no descriptor is left
        reserve()
    return _places
