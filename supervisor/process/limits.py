"""What a program may use of the machine, setrlimit(2)."""

from collections.abc import Mapping

from supervisor import system
from supervisor.core.limits import UNLIMITED
from supervisor.words import programs

if not system.HAS_JOBS:
    import resource

    RESOURCES = {
        "nofile": resource.RLIMIT_NOFILE,
        "nproc": resource.RLIMIT_NPROC,
        "address_space": resource.RLIMIT_AS,
        "cpu_time": resource.RLIMIT_CPU,
        "file_size": resource.RLIMIT_FSIZE,
        "core": resource.RLIMIT_CORE,
        "stack": resource.RLIMIT_STACK,
        "memlock": resource.RLIMIT_MEMLOCK,
    }

# Resource, soft and hard limit.
Limit = tuple[int, int, int]


def limits(wanted: Mapping[str, int]) -> list[Limit]:
    """The limits by the names of RESOURCES, in bytes, seconds or pieces, UNLIMITED for the most that we may give.

    Raises SpawnError for what we may not set.
    """
    if system.HAS_JOBS:
        if wanted:
            raise programs.no_limits()
        return []
    found: list[Limit] = []
    for name, value in wanted.items():
        number = RESOURCES[name]
        most = system.highest_limit(number)
        if value == UNLIMITED:
            found.append((number, most, most))
            continue
        is_bounded = most != resource.RLIM_INFINITY
        if is_bounded and value > most:
            raise programs.limit_too_high(name, value, most)
        # At the soft limit the program hears SIGXCPU, which tells why it ends; at the hard one the kernel kills it.
        hard = value + 1 if name == "cpu_time" else value
        found.append((number, value, min(hard, most) if is_bounded else hard))
    return found
