"""The points at which a system call can fail: where, which, how."""

import errno
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.faults.board import CUT_SHORT

# What portsup does while a call fails; the number of a step is its place here.
STEPS = (
    "up", "status", "ls", "restart", "rolling", "rotate", "crash", "reload", "stop", "start", "logs", "down",
    "foreground", "exec", "prune", "scale", "kill",
)  # fmt: skip
# Which process, by how often it was forked: the command, the guardian, the daemon, what the daemon forks.
DEPTHS = ("front", "guardian", "daemon", "child")

_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_CHANGES = (errno.EROFS, errno.EIO, errno.ENOMEM)
# What each call may fail with on Linux, by its manual page; of those that mean the same to us, one.
ERRORS: Mapping[str, Sequence[int]] = {
    "import": (errno.EMFILE, errno.ENOMEM, errno.EIO),
    "open": (*_DESCRIPTORS, errno.EIO, errno.EINTR),
    "open_write": (*_DESCRIPTORS, errno.ENOSPC, errno.EROFS, errno.EIO, errno.EINTR),
    "read": (errno.EIO, errno.EINTR, errno.ENOMEM),
    "read_pipe": (errno.EINTR,),
    "write": (errno.ENOSPC, errno.EIO, errno.EINTR, CUT_SHORT),
    "write_pipe": (errno.EINTR, errno.EAGAIN, errno.EPIPE, CUT_SHORT),
    "close": (errno.EIO,),
    "stat": (errno.EIO, errno.ENOMEM),
    "fstat": (errno.EIO, errno.ENOMEM),
    "rename": (errno.ENOSPC, *_CHANGES),
    "link": (errno.ENOSPC, *_CHANGES),
    "unlink": _CHANGES,
    "mkdir": (errno.ENOSPC, *_CHANGES),
    "chmod": _CHANGES,
    "utime": _CHANGES,
    "truncate": (errno.EIO, errno.EINTR),
    "sync": (errno.EIO, errno.ENOSPC),
    "flock": (errno.ENOLCK,),
    "dup": (errno.EMFILE, errno.ENOMEM),
    "pipe": _DESCRIPTORS,
    "socket": _DESCRIPTORS,
    "bind": (errno.ENOMEM, errno.EADDRINUSE),
    "bind_path": (errno.ENOMEM, errno.ENOSPC, errno.EROFS, errno.EIO),
    "listen": (errno.EADDRINUSE, errno.ENOMEM),
    "accept": (*_DESCRIPTORS, errno.EAGAIN, errno.EINTR, errno.ECONNABORTED),
    "connect": (errno.EAGAIN, errno.EINTR, errno.ENOMEM),
    "setsockopt": (errno.ENOMEM,),
    "getsockopt": (errno.ENOBUFS,),
    "send": (errno.EINTR, errno.ENOBUFS, errno.ENOMEM, errno.EPIPE, CUT_SHORT),
    "recv": (errno.EINTR, errno.ENOMEM),
    "poll": (errno.EINTR,),
    "epoll_create": _DESCRIPTORS,
    "epoll_ctl": (errno.ENOMEM, errno.ENOSPC),
    "epoll_wait": (errno.EINTR,),
    "signalfd": _DESCRIPTORS,
    "inotify_init": _DESCRIPTORS,
    "inotify_watch": (errno.ENOSPC, errno.ENOMEM),
    "pidfd_open": _DESCRIPTORS,
    "getfd": _DESCRIPTORS,
    "seccomp": (errno.ENOMEM, errno.EBUSY),
    "ioctl": (errno.EINTR,),
    "addfd": (errno.EMFILE, errno.ENOENT),
    "fork": (errno.EAGAIN, errno.ENOMEM),
    "execve": (errno.ENOMEM, errno.EIO, errno.ENFILE),
    "wait": (errno.EINTR,),
    "opendir": (*_DESCRIPTORS, errno.EIO),
    "readdir": (errno.EIO,),
    "readlink": (errno.EIO, errno.ENOMEM),
    "access": (errno.EIO, errno.ENOMEM),
    "getcwd": (errno.ENOMEM,),
    "mmap": (errno.ENOMEM,),
    "thread": (errno.EAGAIN,),
}
# What goes on until somebody does something about it.
LASTING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EROFS, errno.EIO)
_SHORT = "SHORT"
Call = tuple[str, int, str]  # step, process and name


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """The call number `number`, from 1, of that name in that step and process fails with `error`.

    With `lasts` so does every call that can from there to the end of the step, as on a disk that is full.
    """

    step: str
    depth: int
    call: str
    number: int
    error: int
    lasts: bool = False

    def __str__(self) -> str:
        name = _SHORT if self.error == CUT_SHORT else errno.errorcode[self.error]
        return f"{self.step}/{DEPTHS[self.depth]}/{self.call}/{self.number}/{name}{'+' if self.lasts else ''}"

    @classmethod
    def parse(cls, text: str) -> "Point":
        """The point that is written like this; raises ValueError."""
        step, depth, call, number, name = text.split("/")
        error = CUT_SHORT if name == _SHORT else getattr(errno, name.removesuffix("+"))
        return cls(step, DEPTHS.index(depth), call, int(number), error, name.endswith("+"))

    @property
    def affected(self) -> tuple[str, ...]:
        """The calls that fail with it while it lasts."""
        if not self.lasts:
            return ()
        return tuple(call for call, errors in ERRORS.items() if self.error in errors and call != "close")


def every(counts: Mapping[Call, int], at: Mapping[Call, Mapping[int, str]] | None = None) -> Iterator[Point]:
    """All points of a run in which each call was made so often; what lasts begins at the 1st, 2nd, 4th, … call.

    `at` tells from where in the program a call was made, by its number.  Of those that were made from the same place in
    the same step and process, one point fails the first of them and one the last.
    """
    for (step, depth, call), count in sorted(counts.items()):
        numbers = range(1, count + 1)
        apart = numbers if at is None else ends_of_each(numbers, at.get((step, depth, call), {}))
        for error in ERRORS.get(call, ()):
            for number in numbers:
                if number in apart:
                    yield Point(step, depth, call, number, error)
                if error in LASTING and call != "close" and number & (number - 1) == 0:
                    yield Point(step, depth, call, number, error, lasts=True)


def ends_of_each(numbers: Iterable[int], places: Mapping[int, str]) -> set[int]:
    """The first and the last of those that have the same place, and all that have none."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for number in numbers:
        place = places.get(number, str(number))
        first.setdefault(place, number)
        last[place] = number
    return {*first.values(), *last.values()}


def apart(points: Iterable[Point], seed: int, at: Mapping[Call, Mapping[int, str]]) -> Iterator[Point]:
    """Of points that are the same call from the same place, in whatever step and process, one.

    The first call of a place and the last are not the same, nor what lasts in one step and in another, since more fails
    after it.
    """
    kinds: dict[tuple[str, str, int, str, bool], list[Point]] = {}
    seen: set[tuple[Call, str, int]] = set()
    for point in sorted(points):
        where = (point.step, point.depth, point.call)
        place = at.get(where, {}).get(point.number)
        if place is None:
            yield point
            continue
        is_first = point.lasts or (where, place, point.error) not in seen
        if not point.lasts:
            seen.add((where, place, point.error))
        step = point.step if point.lasts else ""
        kinds.setdefault((place, point.call, point.error, step, is_first), []).append(point)
    chance = random.Random(seed)
    for kind in sorted(kinds):
        yield chance.choice(kinds[kind])


def sample(
    points: Iterable[Point], seed: int, places: Mapping[Call, Mapping[int, str]] | None = None
) -> Iterator[Point]:
    """The same points in an order in which one of each kind comes before there are two of any.

    Those are of a kind that fail the same way in the same two lines of the program, where `places` tells them, in
    whatever step; or else in the same step, process and call.
    """
    kinds: dict[tuple[str, str, int, bool], list[Point]] = {}
    for point in points:
        place = (places or {}).get((point.step, point.depth, point.call), {}).get(point.number)
        where = " ".join(place.split()[:2]) if place else f"{point.step} {point.depth}"
        kinds.setdefault((where, point.call, point.error, point.lasts), []).append(point)
    chance = random.Random(seed)
    left = [kinds[kind] for kind in sorted(kinds)]
    for each in left:
        chance.shuffle(each)
    while left:
        chance.shuffle(left)
        for each in left:
            yield each.pop()
        left = [each for each in left if each]
