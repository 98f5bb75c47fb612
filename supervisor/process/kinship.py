"""Whether one process belongs to a service, without looking at all the others."""

from supervisor import system
from supervisor.process.tree import Tree, belongs, orphans

MOST_ANCESTORS = 200  # between a process and that of its service


def is_member(tree: Tree, pid: int) -> bool:
    """Whether a living process is one of a service: `pid in members(tree)`, but only its ancestors are looked at.

    So it takes as long for a service of thousands of processes.  One with more ancestors than MOST_ANCESTORS is none.
    """
    if system.HAS_JOBS:
        return pid in system.job_members(tree.main)
    at, parent = pid, 0
    for _ in range(MOST_ANCESTORS):
        if at == tree.main:
            break
        parent = system.parent_of(at)
        if parent == tree.daemon:
            if at in tree.others or not belongs(at, tree):
                return False
            break
        if parent <= 1:  # of an orphan, where those do not come to us
            if at not in orphans(tree, system.children_of(tree.daemon)):
                return False
            break
        at = parent
    else:
        return False
    return system.identity_of(pid) is not None
