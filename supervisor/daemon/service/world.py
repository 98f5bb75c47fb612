"""Carries out what the services ask for: leases ports, spawns, ends process trees, and reports what comes of it."""

import contextlib
import functools
import itertools
import signal
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from supervisor.annotations import Any
from supervisor.core import events as ev
from supervisor.core.reasons import Cause, NotRun, SocketNotKept
from supervisor.core.service import Service
from supervisor.core.state import IS_LIVE, Milestone, Role, State
from supervisor.core.stdin import Stdin
from supervisor.daemon.changes import Changes
from supervisor.daemon.checks.idleness import Idleness
from supervisor.daemon.checks.process_checks import ProcessChecks
from supervisor.daemon.console.broadcast import Feed
from supervisor.daemon.console.reporter import Reporter
from supervisor.daemon.faults import of_service
from supervisor.daemon.handoff.farewell import see_off
from supervisor.daemon.instance import Instance
from supervisor.daemon.options import PortRules
from supervisor.daemon.processes import anyway
from supervisor.daemon.processes.errands import Errands
from supervisor.daemon.processes.inquiries import Inquiries
from supervisor.daemon.processes.members import Members
from supervisor.daemon.processes.reaper import Reaper
from supervisor.daemon.processes.trees import Ends, Trees
from supervisor.daemon.service.callers import Callers
from supervisor.daemon.service.clients import Clients
from supervisor.daemon.service.environment import socket_of
from supervisor.daemon.service.leasing import Leasing
from supervisor.daemon.service.output import Output
from supervisor.daemon.service.programs import Programs
from supervisor.daemon.service.sd_notify import SdNotify
from supervisor.daemon.service.slot import Child, Slot
from supervisor.daemon.service.spawner import Spawner, spawn_failed
from supervisor.daemon.service.visitors import Visitors
from supervisor.daemon.stalls import leave_time
from supervisor.dataclass import replace
from supervisor.process import tree
from supervisor.process.filters import Filters
from supervisor.process.spawn import Command
from supervisor.process.stdin import StdinPipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.control.messages import Usage
    from supervisor.daemon.service.hooks import Hooks


class StackWorld:
    """The real world of all services of one instance."""

    def __init__(
        self, instance: Instance, slots: dict[str, Slot], changes: Changes, news: Feed, reporter: Reporter,
        ports: PortRules,
    ) -> None:  # fmt: skip
        self.slots = slots
        self._loop = loop = instance.loop
        self._changes = changes
        self.news = news
        self._run_id = instance.run_id
        self._journal = instance.journal
        self._reporter = reporter
        self._ports = ports
        self._invocations = itertools.count(1)
        self.programs = Programs(slots, instance.facts(), instance.number)
        self._reaper = Reaper(loop)
        self.members = Members(self._reaper, instance.run_id)
        self.errands = Errands(loop, self._reaper, instance.run_id, self._number)
        self.inquiries = Inquiries(loop, self._reaper.watch)
        self.checks = ProcessChecks(instance, self.programs, self.members, self.errands, self.inquiries, reporter)
        self._notices = SdNotify(instance, self.members, reporter)
        strict = ports.strict or ports.always_strict
        self._leasing = Leasing(instance, slots, reporter, self.inquiries, strict=strict)
        ends = Ends(self.checks.forget, self._notices.ended, self._leasing.take_back, self._leasing.left)
        self.trees = Trees(loop, slots, self.members, ends, self.programs.pid_file, reporter)
        filters = Filters()
        self._starter = Spawner(loop, reporter, self._notices, filters, hands_over=ports.hands_over)
        callers = Callers(loop, self.programs, filters, hands_over=ports.hands_over)
        idleness = Idleness(loop, self.members, self.inquiries, self.checks.ask_process)
        visitors = Visitors(loop, idleness.why_busy, reporter.clients_unseen)
        self._clients = Clients(loop, slots, callers, visitors, reporter)
        self._hooks: Hooks | None = None  # once there was one to run
        changes.follow(self._see, lambda svc, error: slots[svc.name].keeper.failed(error))

    def _number(self) -> str:
        return str(next(self._invocations))

    def changed(self, before: Service, after: Service) -> None:
        self._changes.tell(before, after)

    def faulted(self, svc: Service, error: Exception) -> Cause:
        return of_service(svc.name, error, self._journal)

    def give_up(self, error: Exception) -> None:
        self._loop.call_exception_handler({"message": "a service", "exception": error})

    def _see(self, before: Service, after: Service) -> None:
        """What a change of a service means for its processes and sockets."""
        slot = self.slots[after.name]
        if after.port != before.port:
            self.programs.forget_endpoints()
        if after.pid != before.pid:
            slot.put_in_charge(after.pid)
        if slot.beside is not None and after.beside is not None and after.beside.role is not Role.SUCCESSOR:
            self.checks.forget(slot, slot.beside)
        if after.state is State.RUNNING and (before.state is not State.RUNNING or after.pid != before.pid):
            self.checks.watch_health(slot)
        elif after.state is not before.state and after.state not in IS_LIVE:
            for child in slot.children():
                self.checks.forget(slot, child)
        if after.reached is Milestone.LISTENING and before.reached < Milestone.LISTENING:
            for child in slot.children():
                with contextlib.suppress(OSError):  # nobody can be looked up just now: there is another look
                    self.trees.look_for_heir(slot, child)
        self._clients.see(slot, before, after)
        if slot.sockets is not None and not slot.shared.keeps_clients() and not slot.shared.has_last_clients():
            slot.close_sockets()

    # Ports

    def lease(self, svc: Service, wish: ev.LeasePort, answer: Callable[[ev.PortLeased | ev.NoPort], None]) -> None:
        self._leasing.lease(svc, wish, answer)

    def record_spares(self) -> None:
        """Has every port explained that is held, now that nobody waits for it."""
        self._leasing.record_spares()

    def quarantine(self, svc: Service, port: int, why: Cause) -> None:
        slot = self.slots[svc.name]
        if slot.lease is not None and not slot.shared.others_live(slot):
            slot.lease.quarantine(port, why, self._loop.time() + slot.spec.quarantine)

    def await_clients(self, svc: Service) -> ev.AwaitFailed | None:
        return self._clients.await_first(svc)

    def count_clients(self, svc: Service, pid: int) -> None:
        self._clients.count(svc, pid)

    def make_sure_unused(self, svc: Service, pid: int) -> None:
        self._clients.make_sure_of_none(svc, pid)

    def refuse_clients(self, svc: Service) -> None:
        self._clients.refuse(svc)

    # Processes

    def spawn(self, svc: Service, port: int | None) -> ev.Spawned | ev.SpawnFailed:
        slot = self.slots[svc.name]
        try:
            slot.child = self._begin(slot, port)
        except Exception as error:
            if not slot.shared.others_live(slot):
                slot.close_sockets()
                if slot.lease is not None:
                    slot.lease.take_back()
            return spawn_failed(error)
        return self._spawned(slot, slot.child)

    def spawn_beside(self, svc: Service, port: int | None) -> ev.Spawned | ev.SpawnFailed:
        slot = self.slots[svc.name]
        if port is not None and slot.sockets is None:
            return ev.SpawnFailed(SocketNotKept())
        try:
            slot.beside = self._begin(slot, port)
        except Exception as error:
            return spawn_failed(error)
        return self._spawned(slot, slot.beside)

    def _spawned(self, slot: Slot, child: Child) -> ev.Spawned:
        if child is slot.child:
            slot.log.forget()
        watch = functools.partial(slot.keeper.contain, self.checks.watch_start, slot, child, pid=child.pid)
        self._loop.call_soon(watch)
        return ev.Spawned(child.pid)

    def _begin(self, slot: Slot, port: int | None) -> Child:
        """A process of a service that was just started; raises PortsupError or OSError, and leaves none then."""
        seen = self.programs.ports()
        invocation = self._number()
        with contextlib.ExitStack() as undo:
            show = functools.partial(self.news.printed, slot)
            output = Output(self._loop, slot.spec.name, slot.log, show, self._reporter.redactor)
            undo.callback(output.close)
            undo.callback(slot.leave_sockets, invocation)
            told = {tree.INVOCATION: invocation}
            command = self.programs.command(slot, port, slot.spec.program, told, output.theirs, socket_of(slot.spec))
            if slot.spec.stdin is Stdin.OPEN:
                slot.stdin = slot.stdin or StdinPipe()
                command = replace(command, stdin=slot.stdin.fileno())
            pid, calls = self._starter.start(slot, command)
            undo.callback(tree.end_at_once, pid)
            if calls is not None:
                undo.callback(calls.close)
            output.begin(lambda error: slot.keeper.failed(error, pid))
            child = Child(
                pid, output, self._loop.time(), command.environment, seen, account=command.account,
                invocation=invocation,
            )  # fmt: skip
            if calls is not None:
                self._starter.hand_over(
                    slot, child, calls, lambda: self.members.of(slot, child),
                    lambda: self.trees.all_exit(slot, child),
                )  # fmt: skip
            undo.pop_all()
        self.trees.follow(slot, child)
        return child

    def run_hook(self, svc: Service, effect: ev.RunHook) -> None:
        if self._hooks is None:
            try:
                from supervisor.daemon.service.hooks import Hooks
            except (ImportError, OSError) as error:  # no descriptor or memory to load it with
                self.slots[svc.name].keeper.tell(ev.HookEnded(effect.number, NotRun(str(error)), is_final=False))
                return

            def make(slot: Slot, words: Sequence[str], told: Mapping[str, str], prints_to: tuple[int, int]) -> Command:
                told = {**told, tree.INVOCATION: self._number()}
                return self.programs.command(slot, slot.service.port, words, told, prints_to)

            self._hooks = Hooks(self._loop, self._reaper, self._run_id, make, self.news, self._reporter)
        self._hooks.run(self.slots[svc.name], effect)

    def end_hook(self, svc: Service, number: int) -> None:
        if self._hooks is not None:
            self._hooks.end(self.slots[svc.name], number)

    def measure(self, slots: Collection[Slot], then: "Callable[[Usage | None], None]") -> None:
        """Tells `then` what services use of the machine, None where that cannot be found out."""

        from supervisor.control.json_form import as_json, read  # late, as all that answers requests
        from supervisor.control.messages import Usage

        def question() -> dict[str, Any]:
            from supervisor.daemon.service.resources import measured

            return as_json(Usage(measured(slots, self.members.of)))

        self.inquiries.ask(question, lambda found: then(None if found is None else read(Usage, found)))

    def terminate(self, svc: Service, pid: int) -> None:
        slot = self.slots[svc.name]
        see_off(self._loop, slot, pid, lambda: self.trees.terminate(slot, pid, slot.spec.stop_signal))

    def abort(self, svc: Service, pid: int) -> None:
        self.trees.terminate(self.slots[svc.name], pid, signal.SIGABRT)

    def kill(self, svc: Service, pid: int) -> None:
        self.trees.kill(self.slots[svc.name], pid)

    def abandon(self, svc: Service, pid: int) -> None:
        self.trees.abandon(self.slots[svc.name], pid)

    def be_strict(self, strict: bool) -> None:
        """Whether leases that are made from now on are for the first port of a pool only."""
        self._leasing.strict = strict or self._ports.always_strict

    def discard(self, slot: Slot) -> None:
        """Forgets a replica, and gives the ports of its service back if there is no other; it has no process."""
        del self.slots[slot.spec.name]
        is_last = slot.shared.leave(slot)
        self._let_go(slot, gives_ports_back=is_last)
        self.programs.forget_endpoints()

    def _let_go(self, slot: Slot, *, gives_ports_back: bool) -> None:
        anyway.each(self._to_give_back(slot, gives_ports_back=gives_ports_back))

    def _to_give_back(self, slot: Slot, *, gives_ports_back: bool) -> Iterator[anyway.Act]:
        yield (slot.keeper.close,)
        for child in slot.children():
            yield self.checks.forget, slot, child
            yield (child.output.finish,)
            if child.handoff is not None:
                yield (child.handoff.close,)
        if self._hooks is not None:
            yield self._hooks.forget, slot
        yield self._notices.forget, slot
        if gives_ports_back:
            yield self._clients.forget, slot
            yield (slot.close_sockets,)
            if slot.lease is not None:
                yield (slot.lease.release,)
        if slot.stdin is not None:
            yield (slot.stdin.close,)
        yield (slot.log.close,)

    async def close(self) -> None:
        """Gives every port back; those of hundreds of services over several turns of the loop."""
        async with contextlib.AsyncExitStack() as back:  # whichever of them cannot be given back
            back.callback(self._reaper.close)
            back.callback(self._starter.close)
            for slot in self.slots.values():
                back.push_async_callback(leave_time, self._loop)
                back.callback(self._let_go, slot, gives_ports_back=slot is slot.replicas[0])
            back.callback(self.inquiries.close)
            back.callback(self.errands.close)
            back.callback(self._leasing.close)
