"""The process trees of all services: who belongs to them, how they are killed, and when nothing of them is left."""

import asyncio
import os
from collections.abc import Callable, Mapping
from signal import SIGCONT

from supervisor import system
from supervisor.config.spec import StopTo
from supervisor.core import events as ev
from supervisor.core.state import State
from supervisor.daemon.reaper import Reaper, code_and_signal
from supervisor.daemon.slot import Child, Slot
from supervisor.ports.holders import Holder
from supervisor.process import tree

TakeBack = Callable[[Slot, Callable[[Holder | None], None]], None]

LEFTOVER_CHECK = 0.1  # seconds between looks at what a main process left behind, beside SIGCHLD


class Trees:
    """Follows the processes of the services to the end of their last descendant."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, slots: Mapping[str, Slot], run_id: str,
        on_main_exit: Callable[[Slot, Child], None], on_gone: Callable[[Slot, Child], None], take_back: TakeBack,
    ) -> None:  # fmt: skip
        self._loop = loop
        self._slots = slots
        self._run_id = run_id
        self._daemon = os.getpid()
        self._on_main_exit = on_main_exit
        self._on_gone = on_gone
        self._take_back = take_back
        self.reaper = Reaper(loop, self._look_for_leftovers)

    def follow(self, slot: Slot, child: Child) -> None:
        """Tells the service when this process ends; say it before the loop runs again after the spawn."""
        self._watch(slot, child, child.pid)

    def _watch(self, slot: Slot, child: Child, pid: int) -> None:
        self.reaper.watch(pid, lambda status: self._main_exited(slot, child, pid, status))

    def terminate(self, slot: Slot, pid: int, number: int) -> None:
        """The signal to a process of a service and its group, or as `stop_signal` says; to its rest if it is gone."""
        child = slot.child_of(pid)
        if slot.spec.stop_to is StopTo.MAIN and child is not None and child.send_signal(number):
            child.send_signal(SIGCONT)  # one that is stopped would take the signal only after the grace period
            return
        if not tree.terminate(pid, number) and child is not None:
            tree.terminate_outside(0, self.members(slot, child), number)

    def kill(self, slot: Slot, pid: int) -> None:
        """SIGKILL to the whole tree of one process of a service."""
        child = slot.child_of(pid)
        if child is not None:
            tree.kill(self._tree(slot, child))

    def members(self, slot: Slot, child: Child) -> set[int]:
        """The pids of one process tree of a service; also for children of ours that answer a question, see `Worker`."""
        return tree.members(self._tree(slot, child))

    def _is_gone(self, slot: Slot, child: Child) -> bool:
        return tree.is_gone(self._tree(slot, child))

    def _tree(self, slot: Slot, child: Child) -> tree.Tree:
        others = self.reaper.others(child.pid, child.main)
        return tree.Tree(child.pid, self._run_id, slot.spec.name, self._daemon, others, child.invocation)

    def _main_exited(self, slot: Slot, child: Child, pid: int, status: int) -> None:
        if child.main != pid and slot.ending_of(child) is None and child.main in system.children_of(os.getpid()):
            self._watch(slot, child, child.main)  # that one stands for it from now on
            return
        child.exit = code_and_signal(status)
        self._on_main_exit(slot, child)
        self.look_at_leftovers(slot, child, is_first=True)

    def _look_for_leftovers(self) -> None:
        for slot in self._slots.values():
            for child in slot.children():
                self.look_at_leftovers(slot, child)

    def look_at_leftovers(self, slot: Slot, child: Child, *, is_first: bool = False) -> None:
        """Sees whether a tree whose main process has ended is gone, and what to do about it if not."""
        if child.exit is None or child not in slot.children():
            return
        code, signal = child.exit
        if child.handoff.is_over() if child.handoff is not None else self._is_gone(slot, child):
            self._all_gone(slot, child)
            return
        ending = slot.ending_of(child)
        if is_first:
            if ending is State.TERMINATING and slot.spec.stop_to is StopTo.MAIN:
                self.kill(slot, child.pid)
            elif ending is State.TERMINATING:
                tree.terminate_outside(child.pid, self.members(slot, child), slot.spec.stop_signal)
            slot.keeper.tell(ev.MainExited(child.pid, code, signal))
            self._loop.call_later(LEFTOVER_CHECK, self._recheck, slot, child)
        elif ending is State.KILLING or (ending is State.TERMINATING and slot.spec.stop_to is StopTo.MAIN):
            self.kill(slot, child.pid)

    def _recheck(self, slot: Slot, child: Child) -> None:
        self.look_at_leftovers(slot, child)
        if child in slot.children():
            self._loop.call_later(LEFTOVER_CHECK, self._recheck, slot, child)

    def _all_gone(self, slot: Slot, child: Child) -> None:
        code, signal = child.exit or (None, None)
        child.end_tasks()  # one may have begun after its end did: what is ending can still begin to listen
        child.output.finish()
        if child.handoff is not None:
            child.handoff.close()
        if slot.sockets is not None:
            slot.sockets.process_ended(child.invocation)
        self._on_gone(slot, child)
        slot.ran = self._loop.time() - child.spawned_at

        def tell(holder: Holder | None) -> None:
            slot.keeper.tell(ev.Exited(child.pid, code, signal, intruder=holder.text if holder else ""))

        if child is slot.child:
            slot.child = None
        else:
            slot.beside = None
        if slot.lease is not None and not slot.children():
            if slot.lease.pool == slot.pool:
                self._take_back(slot, tell)
                return
            slot.lease.release()  # a reload gave it another pool, and this process lived on
            slot.lease = None
        tell(None)

    async def kill_everything(self, seconds: float) -> None:
        """Ends all process trees without asking the services, and waits for that; for when nothing else is sure."""
        deadline = self._loop.time() + seconds
        while self._loop.time() < deadline:
            children = [(slot, child) for slot in self._slots.values() for child in slot.children()]
            left = [(slot, child) for slot, child in children if not self._is_gone(slot, child)]
            if not left:
                return
            for slot, child in left:
                self.kill(slot, child.pid)
            await asyncio.sleep(LEFTOVER_CHECK)
