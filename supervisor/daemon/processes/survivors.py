"""Who is left of a process tree that was killed."""

import contextlib
import os
from collections.abc import Collection

from supervisor import system
from supervisor.core.reasons import Survivors
from supervisor.daemon.processes.reaper import Reaper
from supervisor.process import tree
from supervisor.process.shared import is_shared
from supervisor.system import SIGKILL


def survivors(pids: Collection[int], user: str = "") -> Survivors:
    """Those who are left after SIGKILL; `user` is whose they are, if they may not be killed."""
    if not pids:
        return Survivors()
    first, *others = sorted(pids)
    return Survivors(first, system.process_name(first) or "", len(others), user)


def kill_unclaimed(reaper: Reaper, run_id: str) -> set[int]:
    """Kills those of our children of whom nobody knows whose they are."""
    orphans = set(system.children_of(os.getpid())) - reaper.others()
    unclaimed = [pid for pid in orphans if tree.is_unclaimed(pid, run_id) and not is_shared(pid)]
    found = {pid for root in unclaimed for pid in (root, *system.descendants_of(root))}
    for pid in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            system.send_signal(pid, SIGKILL)
    return found
