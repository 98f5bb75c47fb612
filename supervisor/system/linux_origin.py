"""Where a process comes from: its parent, and its mark, `core.marks`.

The mark is a resource limit that the kernel keeps and does not heed, RLIMIT_LOCKS.

It has had no effect since Linux 2.4.25, getrlimit(2), and no program has a reason to change it.  Like all limits it
goes from parent to child, through execve(2), setsid(2) and every change of user, and cannot be raised by who is not
root.  proc_pid_limits(5) shows it to everybody, also of processes into which nobody may look otherwise.

The soft limit is the mark.  The hard one is the same, unless a portsup above has set it already: that one knows its
own by it.
"""

from supervisor.core.marks import LARGEST
from supervisor.system.linux import pids, read_of, stat_of

_LOCKS = 10  # asm-generic/resource.h; missing in Python
_NAME = b"Max file locks"


def parent_of(pid: int) -> int:
    """The parent of a process; 0 for one that is gone, or whose parent we do not see."""
    fields = stat_of(pid)
    return int(fields[1]) if len(fields) > 1 else 0


def orphans_of(pid: int) -> list[int]:
    """None: those that have come from a child subreaper are its children."""
    return []


def mark_room() -> int:
    """Below which number the marks of our children have to be."""
    hard = _hard()
    return LARGEST if hard is None else min(hard, LARGEST)


def mark_limit(mark: int) -> tuple[int, int, int] | None:
    """The resource, the soft and the hard limit that mark a child; None where it cannot be."""
    hard = _hard()
    if not mark or (hard is not None and mark > hard):
        return None
    return _LOCKS, mark, mark if hard is None else hard


def _hard() -> int | None:
    """The hard limit of this process; None for no limit."""
    import resource  # late: a file of its own, which the quick commands have no use for

    hard = resource.getrlimit(_LOCKS)[1]
    return None if hard == resource.RLIM_INFINITY else hard


def marks_of(pid: int) -> tuple[int, ...]:
    """The mark of a process first, then that of the portsup above; nothing for one that is gone or has none."""
    for line in read_of(pid, "limits").splitlines():
        if line.startswith(_NAME):
            fields = line[len(_NAME) :].split()[:2]
            return tuple(int(each) for each in fields if each.isdigit())
    return ()


def pids_with_marks() -> dict[int, tuple[int, ...]]:
    """Every process that has any."""
    found = ((pid, marks_of(pid)) for pid in pids())
    return {pid: marks for pid, marks in found if marks}
