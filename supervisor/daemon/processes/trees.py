"""The process trees of all services: who belongs to them, how they are killed, and when nothing of them is left."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator, Mapping

from supervisor import system
from supervisor.config.spec import StopTo
from supervisor.core import events as ev
from supervisor.core.reasons import Survivors
from supervisor.core.state import Role, State
from supervisor.daemon.console.reporter import Reporter
from supervisor.daemon.processes import anyway
from supervisor.daemon.processes.heirs import Heir, heir_of, is_in_background
from supervisor.daemon.processes.members import Members
from supervisor.daemon.processes.reaper import code_and_signal
from supervisor.daemon.processes.survivors import kill_unclaimed, survivors
from supervisor.daemon.service.slot import Child, Slot
from supervisor.dataclass import dataclass
from supervisor.ports.holders import Holder
from supervisor.process import tree
from supervisor.system import SIGCONT

TakeBack = Callable[[Slot, Callable[[Holder | None], None]], None]

LEAVES_WITHIN = 0.5  # seconds from the end of a program until its child has left its session, as daemon(3) does
LEFTOVER_CHECK = 0.1  # seconds between looks at what a main process left behind, beside SIGCHLD


@dataclass(frozen=True, slots=True)
class Ends:
    """Who sees to what a process leaves: its questions once it has ended, the rest once its tree is gone."""

    main_exited: Callable[[Slot, Child], None]
    gone: Callable[[Slot, Child], None]
    take_back: TakeBack
    left: Callable[[Slot], None] = lambda slot: None  # one of several replicas has


class Trees:
    """Follows the processes of the services to the end of their last descendant."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, slots: Mapping[str, Slot], members: Members, ends: Ends,
        pid_file: Callable[[Slot], str], reporter: Reporter,
    ) -> None:  # fmt: skip
        self._loop = loop
        self._slots = slots
        self._members = members
        self._reaper = members.reaper
        self._ends = ends
        self._pid_file = pid_file
        self._reporter = reporter
        self._reaper.follow_orphans(self._look_for_leftovers)

    def follow(self, slot: Slot, child: Child) -> None:
        """Tells the service when this process ends; say it before the loop runs again after the spawn."""
        self._watch(slot, child, child.pid)

    def _watch(self, slot: Slot, child: Child, pid: int) -> None:
        self._reaper.watch(pid, lambda status: self._look(slot, child, self._main_exited, pid, status))

    def _look(self, slot: Slot, child: Child, look: Callable[..., object], *facts: int) -> None:
        """Looks at one tree: what the system refuses is tried again, and what nobody expected is its own trouble."""
        try:
            look(slot, child, *facts)
        except OSError:
            if child in slot.children():
                self._loop.call_later(LEFTOVER_CHECK, self._look, slot, child, look, *facts)
        except Exception as error:
            child.exit = child.exit or (code_and_signal(facts[-1]) if facts else (child.ended, None))
            child.ended = None
            self._faulted(slot, child, error)
            self._loop.call_later(LEFTOVER_CHECK, self._recheck, slot, child)

    def _faulted(self, slot: Slot, child: Child, error: Exception) -> None:
        """Once for each process: what goes wrong may do so at every look."""
        if not child.has_faulted and child in slot.children():
            child.has_faulted = True
            slot.keeper.failed(error, child.pid)

    def terminate(self, slot: Slot, pid: int, number: int) -> None:
        """The signal to a process of a service and its group, or as `stop_signal` says; to its rest if it is gone."""
        child = slot.child_of(pid)
        if child is not None:
            child.is_asked = True
        if slot.spec.stop_to is StopTo.MAIN and child is not None and child.send_signal(number):
            child.send_signal(SIGCONT)  # one that is stopped would take the signal only after the grace period
            return
        if not tree.terminate(pid, number) and child is not None:
            with contextlib.suppress(OSError):
                tree.terminate_outside(0, self._members.of(slot, child), number)

    def kill(self, slot: Slot, pid: int) -> None:
        """SIGKILL to the whole tree of one process of a service."""
        child = slot.child_of(pid)
        if child is None:
            return
        child.is_asked = True
        found = tree.kill(self._members.tree(slot, child))
        if not found and self._is_lost(child):
            lost = sum(self._is_lost(each) for each_slot in self._slots.values() for each in each_slot.children())
            found = kill_unclaimed(self._reaper, self._members.run_id) if lost == 1 else set()
        if refused := [pid for pid in found if not tree.may_kill(pid)]:
            self._tell_survivors(slot, child, survivors(refused, system.process_user(refused[0])))

    def _is_lost(self, child: Child) -> bool:
        """Whether there is somebody left of a tree of whom only its filter knows."""
        return child.exit is not None and child.handoff is not None and not child.handoff.is_over()

    def _tell_survivors(self, slot: Slot, child: Child, who: Survivors) -> None:
        if who != child.survivors:
            child.survivors = who
            slot.keeper.tell(ev.Survived(child.pid, who))

    def abandon(self, slot: Slot, pid: int) -> None:
        """Gives up what is left of one process of a service: it is none of its any more."""
        child = slot.child_of(pid)
        if child is None:
            return
        self._reporter.abandoned(slot.spec.name, sorted(self._members.of(slot, child)))
        slot.close_sockets()
        self._ends.main_exited(slot, child)
        self._all_gone(slot, child)

    def _is_gone(self, slot: Slot, child: Child) -> bool:
        try:
            return tree.is_gone(self._members.tree(slot, child))
        except OSError:  # no descriptor or memory to look with: not as far as we know, and there is another look
            return False

    def _is_over(self, slot: Slot, child: Child) -> bool:
        if child.handoff is None:
            return self._is_gone(slot, child)
        if not child.handoff.is_over():
            return False
        # Since Linux 6.11 one that exits lets go of its filter first, and of its memory and its locks after that.
        with contextlib.suppress(OSError):  # no descriptor or memory to look with: the filter is the best that we know
            return not tree.has_ending(self._members.tree(slot, child))
        return True

    def _main_exited(self, slot: Slot, child: Child, pid: int, status: int) -> None:
        if child.main != pid and slot.ending_of(child) is None and child.main in system.children_of(os.getpid()):
            self._watch(slot, child, child.main)  # that one stands for it from now on
            return
        code, signal = code_and_signal(status)
        is_clean = code in slot.spec.success_exit_codes and not slot.spec.one_shot
        if is_clean and slot.ending_of(child) is None and (slot.service.port or slot.spec.pid_file):
            child.ended, child.ended_at = code, self._loop.time()
            self._await_heir(slot, child)
        else:
            self._ended(slot, child, code, signal)

    def _ended(self, slot: Slot, child: Child, code: int | None, signal: int | None) -> None:
        child.exit = code, signal
        self._ends.main_exited(slot, child)
        self.look_at_leftovers(slot, child, is_first=True)

    def _may_come(self, slot: Slot, child: Child) -> bool:
        """Whether a program that has just begun may have put itself into the background, and is not yet so far."""
        if not is_starting(slot, child) or slot.ending_of(child) is not None:
            return False
        roots = tree.roots(self._members.tree(slot, child))
        if self._loop.time() < child.ended_at + LEAVES_WITHIN:
            return bool(roots)
        return any(slot.spec.pid_file or is_in_background(pid, child.pid) for pid in roots)

    def _await_heir(self, slot: Slot, child: Child) -> None:
        code = child.ended
        if code is None or child not in slot.children() or self.look_for_heir(slot, child):
            return
        is_hidden = slot.ending_of(child) is None and not tree.can_look()
        if is_hidden or self._may_come(slot, child):
            self._loop.call_later(LEFTOVER_CHECK, self._look, slot, child, self._await_heir)
        else:
            child.ended = None
            self._ended(slot, child, code, None)

    def look_for_heir(self, slot: Slot, child: Child) -> bool:
        """Puts another process in the place of a main process that has ended well; whether there is one."""
        heir = None if child.ended is None else self._heir(slot, child)
        if heir is not None:
            child.ended, child.main, child.told = None, heir.pid, system.identity_of(heir.pid)
            self._reporter.heir(slot.spec.name, heir.pid, heir.why)
            self._watch(slot, child, heir.pid)
        return heir is not None

    def _heir(self, slot: Slot, child: Child) -> Heir | None:
        file = self._pid_file(slot)
        port = None if file and is_starting(slot, child) else slot.service.port
        return heir_of(self._members.tree(slot, child), file, port)

    def _look_for_leftovers(self) -> None:
        for slot in self._slots.values():
            for child in slot.children():
                self._try_to_look(slot, child)

    def all_exit(self, slot: Slot, child: Child) -> None:
        """Every process of a tree has begun to exit: most have ended by now, and the signal comes after their pipes."""
        if child.exit is None:
            self._reaper.reap()
        self.look_at_leftovers(slot, child)

    def look_at_leftovers(self, slot: Slot, child: Child, *, is_first: bool = False) -> None:
        """Sees whether a tree whose main process has ended is gone, and what to do about it if not."""
        if child.exit is None or child not in slot.children():
            return
        if self._is_over(slot, child):
            self._all_gone(slot, child)
            return
        ending = slot.ending_of(child)
        if is_first:
            if ending is State.TERMINATING and slot.spec.stop_to is StopTo.MAIN:
                self.kill(slot, child.pid)
            elif ending is State.TERMINATING:
                with contextlib.suppress(OSError):  # nobody can be looked up just now: they get SIGKILL in time
                    tree.terminate_outside(child.pid, self._members.of(slot, child), slot.spec.stop_signal)
            slot.keeper.tell(ev.MainExited(child.pid, *child.exit, had_port=_had_port(child)))
            self._loop.call_later(LEFTOVER_CHECK, self._recheck, slot, child)
        elif ending is State.KILLING:
            self.kill(slot, child.pid)
            left = self._members.of(slot, child)
            if all(map(tree.may_kill, left)):
                self._tell_survivors(slot, child, survivors(left))
        elif ending is State.TERMINATING and slot.spec.stop_to is StopTo.MAIN:
            self.kill(slot, child.pid)

    def _recheck(self, slot: Slot, child: Child) -> None:
        self._try_to_look(slot, child)
        if child in slot.children():
            self._loop.call_later(LEFTOVER_CHECK, self._recheck, slot, child)

    def _try_to_look(self, slot: Slot, child: Child) -> None:
        try:
            self.look_at_leftovers(slot, child)
        except OSError:  # no descriptor or memory to look with: there is another look
            pass
        except Exception as error:
            self._faulted(slot, child, error)

    def _all_gone(self, slot: Slot, child: Child) -> None:
        code, signal = child.exit or (None, None)
        slot.keeper.contain(anyway.each, self._last_acts(slot, child), pid=child.pid)
        slot.ran = self._loop.time() - child.spawned_at

        def tell(holder: Holder | None) -> None:
            slot.keeper.tell(ev.Exited(child.pid, code, signal, holder.why if holder else "", _had_port(child)))
            self._ends.left(slot)

        if child is slot.child:
            slot.child = None
        else:
            slot.beside = None
        if slot.lease is not None and not any(each.children() for each in slot.replicas):
            try:
                if slot.lease.pool == slot.pool:
                    self._ends.take_back(slot, tell)
                    return
                slot.lease.release()  # a reload gave it another pool, and this process lived on
                slot.shared.lease = None
            except Exception as error:
                slot.keeper.failed(error, child.pid)
        tell(None)

    def _last_acts(self, slot: Slot, child: Child) -> Iterator[anyway.Act]:
        yield (child.end_tasks,)  # one may have begun after its end did: it can still begin to listen
        yield (child.output.finish,)
        if child.handoff is not None:
            yield (child.handoff.close,)
        if child.doors is not None:
            seats = () if slot.sockets is None else slot.sockets.seats().values()
            yield child.doors.release_past, seats, child.invocation
        yield slot.leave_sockets, child.invocation
        yield self._ends.gone, slot, child

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


def is_starting(slot: Slot, child: Child) -> bool:
    """Whether a process of a service is not ready yet."""
    if child is slot.beside:
        return slot.service.beside is not None and slot.service.beside.role is Role.SUCCESSOR
    return slot.service.state is State.STARTING


def _had_port(child: Child) -> bool:
    """Whether it listened on its port until it ended, as far as anybody can tell."""
    leftovers = None if child.handoff is None else child.handoff.leftovers
    return leftovers is not None and leftovers.has_begun
