"""One instance of a stack from start to end: takes its number, leases, starts, watches, and leaves nothing behind."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

from supervisor import system
from supervisor.config.selection import selected, starts_by_itself
from supervisor.config.spec import ServiceSpec, StackSpec
from supervisor.core import events as ev
from supervisor.core.instance import ports_of
from supervisor.core.service import Service
from supervisor.core.state import ENDED, State
from supervisor.daemon import garbage
from supervisor.daemon.console.broadcast import Feed
from supervisor.daemon.console.foreground import Foreground, let_go_of
from supervisor.daemon.console.reporter import Reporter
from supervisor.daemon.faults import is_anybody_there, lock_lost, no_port, too_late
from supervisor.daemon.options import Options
from supervisor.daemon.requests.commands import Commands
from supervisor.daemon.requests.control_socket import ControlSocket
from supervisor.daemon.requests.status import environment_told
from supervisor.daemon.rounds import Rounds
from supervisor.daemon.service.slot import Slot, new_slot
from supervisor.daemon.service.world import StackWorld
from supervisor.daemon.stack.ending import Ending
from supervisor.daemon.stack.endpoints import document
from supervisor.daemon.stack.reload import Reloader
from supervisor.daemon.stack.rendering import Renderer
from supervisor.daemon.stack.stack import Stack
from supervisor.daemon.stack.waiting import missing, settled, told
from supervisor.daemon.tasks import begin
from supervisor.daemon.writing import Writing
from supervisor.errors import ExitCode, LockLost, PortsupError, refusal
from supervisor.logs.journal import Journal
from supervisor.ports.instance_lock import InstanceLock
from supervisor.ports.leases import Loss
from supervisor.ports.record import Owner
from supervisor.ports.runtime import RuntimeDir
from supervisor.process.signals import BY_HAND, INSISTENT, STOPPING, Wish, meaning
from supervisor.process.tree import RUN_ID

FATAL_GRACE = 0.4  # seconds the stack gets to stop once a lock is lost or we are killed: it has to be gone within one
KILL_WAIT = 6.0  # seconds until even a process in the kernel's hands is given up on


class Daemon:
    """The running instance."""

    def __init__(
        self, spec: StackSpec, options: Options, runtime: RuntimeDir, lock: InstanceLock, journal: Journal,
        front: Foreground, run_id: str, state_dir: Path,
    ) -> None:  # fmt: skip
        self._spec, self._options = spec, options
        self._runtime = runtime
        self._lock = lock
        self._journal = journal
        self._front = front
        self._instance = lock.number
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[PortsupError | None] = self._loop.create_future()
        self._loop.set_exception_handler(self._on_mistake)
        self._signals, self._guardian = 0, os.getppid()
        self._has_reported, self._begun = False, self._loop.time()
        self._facts = {
            "PORTSUP_STACK": spec.name,
            "PORTSUP_INSTANCE": str(self._instance),
            RUN_ID: run_id,
            "PORTSUP_ENDPOINTS": runtime.endpoints(spec.name, self._instance),
            "PORTSUP_SOCKET": runtime.socket(spec.name, self._instance),
        }
        owner = system.identity_of(os.getpid())
        assert owner is not None
        slots: dict[str, Slot] = {}
        self._reporter = Reporter(front, journal, slots)
        news = Feed(front)
        journal.on_event = news.event
        self._world = StackWorld(
            self._loop, lambda service: Owner(spec.name, self._instance, service, run_id, owner), runtime, news,
            self._facts, self._instance, slots, self._reporter, options.hands_over,
            always_strict=options.strict_ports, strict=spec.strict_ports,
        )  # fmt: skip
        self._world.observer = self
        self._writing = Writing(journal, slots, self._reporter.say)

        def slot_of(stack: StackSpec, service: ServiceSpec) -> Slot:
            pool = ports_of(service.pool, self._instance, stack.stride)
            slot = new_slot(service, pool, self._world, self._loop, state_dir)
            slot.is_optional = not starts_by_itself(service, options.profiles)
            return slot

        slots.update((name, slot_of(spec, service)) for name, service in spec.services.items())
        front.introduce(tuple(spec.services))
        self._stack = Stack(self._world.slots, self._loop, self, front.is_live)
        self._renderer = Renderer(
            spec, self._instance, self._stack, self._reporter, self._world.errands, self._world.programs.endpoints,
            self._world.programs.environment_of_commands,
        )  # fmt: skip
        reloader = Reloader(
            spec, options.files, options.profiles, self._instance, self._stack, journal, self._world, slot_of,
            self._on_new_services, lock.announce_files,
        )  # fmt: skip
        self._commands = Commands(
            self._stack, spec.name, self._instance, self._world.programs.endpoints,
            partial(environment_told, self._world, self._facts), self._asked_down, journal.redact, news, reloader,
            self._world.measure,
        )  # fmt: skip
        self._ending = Ending(self._stack, options.abort, self._reporter, journal)
        self._lock_watch: Rounds | None = None
        self._control = ControlSocket(self._facts["PORTSUP_SOCKET"], self._commands.handle, journal, self._loop)

    async def run(self) -> int:
        """Runs until it is told to end; raises PortsupError for what ended it against its will."""
        for number in STOPPING:
            self._loop.add_signal_handler(number, self._on_signal, number)
        try:
            await self._control.open()
            self._journal.info("instance starts", instance=self._instance, directory=str(self._spec.directory))
            wanted = self._stack.start(selected(self._spec, self._options.services, self._options.profiles))
            self._lock_watch = Rounds(
                self._loop, self._runtime, self._lock, self._world.slots, self._world.checks, self._journal,
                self._on_losses, self._mend_control, self._front.beats(),
            )  # fmt: skip
            reporting = begin(self._report_when_up(wanted), self._loop)
            error = await self._end
            reporting.cancel()
            usual = self._stack.exit_code()
            await self._wind_down(error)
            if error is not None:
                raise error
            return self._ending.exit_code(usual)
        finally:
            await self._clean_up()
            if self._ending.is_due_to_a_service:  # before all was up, perhaps
                self._front.ready(self._ending.exit_code(0))

    async def _wind_down(self, error: PortsupError | None) -> None:
        self._renderer.close()
        if isinstance(error, LockLost):
            self._stack.stop_all(FATAL_GRACE, in_order=False)
        else:
            self._stack.stop_all()
        await self._stack.until(self._stack.is_at_rest)

    def _on_mistake(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception that nobody caught is a mistake of ours: going on would mean to supervise by accident."""
        error = context.get("exception") or RuntimeError(context["message"])
        if (refused := refusal(error)) is not None:
            self._fatal(refused)
            return
        self._journal.error("mistake in portsup", error=repr(error))
        if not self._end.done():
            self._end.set_exception(error)

    async def _clean_up(self) -> None:
        if not self._stack.is_at_rest():  # only after a mistake of ours
            with contextlib.suppress(Exception):
                self._stack.kill_all()  # or else they would be started again
            await self._world.trees.kill_everything(KILL_WAIT)
        self._give_back()
        self._commands.ended()
        await asyncio.sleep(0)  # for the answers to other requests that waited for the end
        self._journal.info("instance ended", instance=self._instance)
        self._control.close()

    def _give_back(self) -> None:
        """Each thing by itself: where one cannot be given back the others are, and the lock comes last in any case."""
        with contextlib.ExitStack() as back:
            back.callback(self._lock.release)
            back.callback(self._remove_endpoints)
            back.callback(self._world.close)
            back.callback(self._control.stop_listening)  # before the number is free: the next one has the same path
            if self._lock_watch is not None:
                back.callback(self._lock_watch.close)

    def _remove_endpoints(self) -> None:
        with contextlib.suppress(OSError):  # whatever a stranger made of it
            os.unlink(self._facts["PORTSUP_ENDPOINTS"])

    def on_change(self, before: Service, after: Service) -> None:
        self._reporter.changed(before, after, self._loop.time())
        self._commands.changed(before, after)
        if after.state in ENDED and after.pid is None:
            self._loop.call_soon(self._look_for_the_end, after)

    def on_ports_changed(self) -> None:
        content = document(self._spec.name, self._instance, self._world.programs.endpoints())
        self._writing.endpoints(self._facts["PORTSUP_ENDPOINTS"], content)
        self._renderer.render()

    def on_no_port(self, svc: Service) -> None:
        slot, now = self._world.slots[svc.name], self._loop.time()
        if slot.obstacle is not None:
            self._fatal(slot.obstacle)
            return
        if not is_anybody_there(slot, now):
            self._reporter.quote(slot)
        self._fatal(no_port(slot, self._spec.file.name, now))

    def _on_new_services(self, spec: StackSpec) -> None:
        self._spec = self._renderer.spec = spec
        self._front.introduce(tuple(spec.services))
        self._loop.call_soon(self.on_ports_changed)

    def on_waiting(self, slots: Collection[Slot]) -> None:
        self._reporter.waiting(told(slots, self._world.slots, self._loop.time(), self._stack.stop_since))

    def changed(self, before: Service, after: Service) -> None:
        lease = self._world.slots[after.name].lease
        if after.state is State.WAITING and lease is not None and self._lock_watch is not None:
            self._lock_watch.follow(lease)
        self._stack.changed(before, after)

    def await_dependencies(self, svc: Service) -> None:
        self._stack.await_dependencies(svc)

    def _on_losses(self, losses: Collection[Loss]) -> None:
        for loss in losses:
            owner = next((slot for slot in self._world.slots.values() if loss.port in slot.pool), None)
            self._journal.error("lock lost", port=loss.port, why=loss.why)
            if owner is not None:
                owner.keeper.tell(ev.LockLost(loss.port, loss.why))
            self._fatal(lock_lost(loss, owner, self._instance, self._runtime.path))

    def _mend_control(self) -> None:
        if not self._end.done():
            self._control.mend()
        if (self._writing.look() or self._renderer.has_unwritten) and not self._end.done():
            self.on_ports_changed()

    async def _report_when_up(self, wanted: frozenset[str]) -> None:
        slots = [self._world.slots[name] for name in wanted]
        with garbage.collected_again():
            late = await settled(self._stack, slots, self._options.wait_timeout, self._reporter.waiting)
        if late:
            self._fatal(too_late(late, self._options.wait_timeout or 0.0))
            return
        self._world.record_spares()
        self._writing.look()
        failed = missing(slots)
        self._reporter.up(self._spec.name, self._instance, failed, self._loop.time() - self._begun)
        self._has_reported = True
        self._renderer.stack_is_up()
        self._front.ready(int(self._stack.exit_code() or (ExitCode.GAVE_UP if failed else ExitCode.OK)))
        if self._options.is_detached:
            self._front.detach()
            let_go_of(2)
        self._end_if_nothing_is_left()

    def _look_for_the_end(self, svc: Service) -> None:
        """Ends the instance where the end of `svc` ends all."""
        if not self._end.done() and self._ending.is_brought_about_by(svc):
            self._finish(None)
        self._end_if_nothing_is_left()

    def _end_if_nothing_is_left(self) -> None:
        """Ends the instance when all that should run has ended by itself; one that was stopped waits for a start."""
        if self._has_reported and self._stack.has_nothing_left(self._options.is_detached):
            self._reporter.say("\nnothing is left to supervise")
            self._finish(None)

    def _on_signal(self, number: signal.Signals) -> None:
        is_orphaned = os.getppid() != self._guardian  # it was killed, while we run or while we stop already
        is_at_work = self._options.is_detached and self._has_reported and not self._end.done()
        wish = meaning(number, self._signals, is_orphaned=is_orphaned, is_at_work=is_at_work)
        self._signals += wish is not Wish.RELOAD and (self._signals == 0 or number in INSISTENT)
        if wish is Wish.RELOAD:
            self._commands.reload()
        elif wish in (Wish.STOP, Wish.STOP_AT_ONCE):
            self._reporter.say(f"\nstopping ({number.name}){'; once more kills' if number in BY_HAND else ''}")
            self._finish(None)
            if wish is Wish.STOP_AT_ONCE:  # nobody is left to clean up after us
                self._stack.stop_all(FATAL_GRACE, in_order=False)
        elif wish is Wish.KILL:
            self._reporter.say("killing what is left")
            self._stack.kill_all()

    def _asked_down(self, timeout: float | None) -> None:
        self._reporter.say("stopping (`portsup down`)")
        self._finish(None)
        if timeout is not None:
            self._stack.stop_all(timeout)

    def _fatal(self, error: PortsupError) -> None:
        if not self._end.done():
            self._journal.error("fatal", what=error.what, why=error.why, exit_code=int(error.exit_code))
        self._finish(error)

    def _finish(self, error: PortsupError | None) -> None:
        if not self._end.done():
            self._end.set_result(error)
            self._lock.announce_end()
            self._reporter.stopping()
            if isinstance(error, LockLost):
                self._stack.stop_all(FATAL_GRACE, in_order=False)
