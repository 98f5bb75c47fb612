"""Linux: what processes use of the machine, out of /proc."""

import os
import time
from collections.abc import Collection

from supervisor.system.contract import FOREVER, Usage
from supervisor.system.linux import PAGE, children_of, read_of, stat_of

MOST_THREADS = 32  # each has a list of children of its own
_TICKS = os.sysconf("SC_CLK_TCK")  # a second, in the units of proc(5)


def usage_of(pids: Collection[int], until: float = FOREVER) -> Usage:
    """What these processes use together.

    The processor time is also that of children which one of them has waited for.  Of those that it has not come to at
    `until`, in monotonic seconds, the pages that they share count in each.
    """
    ticks = count = 0
    for pid in pids:
        fields = stat_of(pid)
        if len(fields) > 14:  # it has not ended meanwhile
            count += 1
            ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime: fields 14 to 17 of proc(5)
    memory = 0
    for pid in pids:
        resident = _resident(pid)
        memory += resident if time.monotonic() >= until else _share_of(pid, resident)
    return Usage(ticks / _TICKS, memory, count)


def is_alone_within(pid: int, limit: int) -> bool:
    """Whether a process has no children and at most so many bytes resident; a look at two or three small files."""
    fields = stat_of(pid)
    if len(fields) < 22 or int(fields[17]) > MOST_THREADS or int(fields[21]) * PAGE > limit:  # num_threads, rss
        return False
    return not children_of(pid)


def memory_above(pids: Collection[int], limit: int) -> int:
    """The bytes of memory that these processes have together, 0 if that is no more than `limit`.

    Pages that they share count once.  Making that out takes the kernel a millisecond a process, so it is asked only
    where their resident pages, counted in each, are above the limit.
    """
    resident = {pid: _resident(pid) for pid in pids}
    if sum(resident.values()) <= limit:
        return 0
    total = sum(_share_of(pid, size) for pid, size in resident.items())
    return total if total > limit else 0


def _resident(pid: int) -> int:
    fields = read_of(pid, "statm").split()
    return int(fields[1]) * PAGE if len(fields) > 1 else 0


def _share_of(pid: int, resident: int) -> int:
    """The proportional share, proc(5), of a process in bytes; `resident` where we may not look, or it has ended."""
    lines = read_of(pid, "smaps_rollup").splitlines()
    share = next((line for line in lines if line.startswith(b"Pss:")), b"")
    return int(share.split()[1]) * 1024 if share else resident
