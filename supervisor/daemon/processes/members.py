"""Who belongs to the process tree of a service."""

import os

from supervisor.daemon.processes.reaper import Reaper
from supervisor.daemon.service.slot import Child, Slot
from supervisor.process import tree
from supervisor.process.kinship import is_member


class Members:
    """Finds the processes of services of one run, also where a child of ours asks, see `Inquiries`."""

    def __init__(self, reaper: Reaper, run_id: str) -> None:
        self.reaper = reaper
        self.run_id = run_id
        self._daemon = os.getpid()

    def of(self, slot: Slot, child: Child) -> set[int]:
        """The pids of one process tree of a service."""
        return tree.members(self.tree(slot, child))

    def has(self, slot: Slot, child: Child, pid: int) -> bool:
        """Whether a process is of this tree; takes as long however many others are."""
        return is_member(self.tree(slot, child), pid)

    def tree(self, slot: Slot, child: Child) -> tree.Tree:
        """By what the processes of this tree are known."""
        others = self.reaper.others(child.pid, child.main)
        return tree.Tree(child.pid, self.run_id, slot.of, self._daemon, others, child.invocation)
