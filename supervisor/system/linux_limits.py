"""How much a child may have: limits of setrlimit(2), and the room for its arguments and environment."""

import contextlib
import os
import resource

_MOST_WORDS = 6 * 1024 * 1024  # bytes
_OWN_STACK = 16 * 1024  # bytes: a program that began with 12 left was killed before its first line
_PAGE = os.sysconf("SC_PAGE_SIZE")  # bytes
_CAP_SYS_RESOURCE = 24  # capability.h


def highest_limit(number: int) -> int:
    """The highest limit of this resource that a child may get, RLIM_INFINITY where there is none.

    It is our own hard limit, but for who has CAP_SYS_RESOURCE, as root mostly has outside of containers: setrlimit(2).
    No process may have more open files than fs.nr_open says, proc(5).
    """
    if not _may_raise():
        return resource.getrlimit(number)[1]
    if number == resource.RLIMIT_NOFILE:
        with contextlib.suppress(OSError, ValueError), open("/proc/sys/fs/nr_open") as file:
            return int(file.read())
        return resource.getrlimit(number)[1]
    return resource.RLIM_INFINITY


def _may_raise() -> bool:
    with contextlib.suppress(OSError, ValueError), open("/proc/self/status") as status:
        effective = next(line for line in status if line.startswith("CapEff"))
        return bool(int(effective.split()[1], 16) >> _CAP_SYS_RESOURCE & 1)
    return False


def room_for_words(stack: int) -> int:
    """How many bytes the arguments and the environment of a program may take together, with a pointer for each.

    `stack` is the limit of its stack in bytes, -1 for none, 0 where it has ours.  Source: execve(2), "Limits on size of
    arguments and environment": a quarter of that limit, at least 32 pages, and since Linux 4.13 at most 6 MiB.  They
    lie on the stack: where it is smaller than 32 pages, the program needs some of it for itself.
    """
    stack = stack or resource.getrlimit(resource.RLIMIT_STACK)[0]
    if stack == resource.RLIM_INFINITY:
        return _MOST_WORDS
    return min(max(min(stack // 4, _MOST_WORDS), 32 * _PAGE), max(stack - _OWN_STACK, 0))
