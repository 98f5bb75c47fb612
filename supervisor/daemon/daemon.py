"""One instance of a stack from start to end: takes its number, leases, starts, watches, and leaves nothing behind."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Collection, Sequence

from supervisor.annotations import Any
from supervisor.config.selection import selected
from supervisor.config.spec import StackSpec
from supervisor.core import events as ev
from supervisor.core import journal
from supervisor.core.service import Service
from supervisor.core.state import ENDED
from supervisor.daemon import garbage
from supervisor.daemon.automatic.automatic import Automatic
from supervisor.daemon.changes import Changes
from supervisor.daemon.console.broadcast import Feed
from supervisor.daemon.console.foreground import Foreground, let_go_of
from supervisor.daemon.console.reporter import Reporter
from supervisor.daemon.faults import ended_by, is_anybody_there, lock_lost, no_port, of_service, place_of, too_late
from supervisor.daemon.instance import Instance
from supervisor.daemon.loading import SETTLED_AFTER, settle
from supervisor.daemon.options import Options, PortRules
from supervisor.daemon.requests.control_socket import ControlSocket
from supervisor.daemon.requests.desk import Desk
from supervisor.daemon.rounds import Beating, Rounds
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.service.world import StackWorld
from supervisor.daemon.stack.ending import Ending
from supervisor.daemon.stack.endpoints import document
from supervisor.daemon.stack.graphics import asker
from supervisor.daemon.stack.new_slots import new_slots
from supervisor.daemon.stack.rendering import Renderer
from supervisor.daemon.stack.stack import Stack
from supervisor.daemon.stack.waiting import missing, settled, told
from supervisor.daemon.tasks import begin
from supervisor.daemon.writing import Writing
from supervisor.errors import ExitCode, LockLost, PortsupError, refusal
from supervisor.ports.instance_lock import InstanceLock
from supervisor.ports.leases import Loss
from supervisor.process import lifeline
from supervisor.process.signals import BY_HAND, INSISTENT, STOPPING, Wish, meaning
from supervisor.words import endings
from supervisor.words.reasons import text_of

JOURNAL_AFTER = 0.025  # seconds until it has what nobody looks at now: the next process of a service listens by then
FATAL_GRACE = 0.4  # seconds the stack gets to stop once a lock is lost or we are killed: it has to be gone within one
LAST_TURNS = 3  # of the loop, in which what was written to clients is sent as far as they take it
KILL_WAIT = 6.0  # seconds until even a process in the kernel's hands is given up on


class Daemon:
    """The running instance."""

    def __init__(
        self, spec: StackSpec, options: Options, instance: Instance, lock: InstanceLock, foreground: Foreground
    ) -> None:
        self._spec, self._options = spec, options
        self._instance, self._lock, self._foreground = instance, lock, foreground
        self._journal = journal = instance.journal
        self._loop = loop = instance.loop
        self._end: asyncio.Future[PortsupError | None] = loop.create_future()
        loop.set_exception_handler(self._on_mistake)
        self._signals, self._guardian = 0, lifeline.guardian()
        self._has_reported, self._begun, self._facts = False, loop.time(), instance.facts()
        slots: dict[str, Slot] = {}
        self._changes = changes = Changes(lambda _, error: self._broken(error))
        self._reporter = Reporter(foreground, journal, slots)
        news = Feed(foreground)
        journal.on_event = news.event
        ports = PortRules(options.hands_over, strict=spec.strict_ports, always_strict=options.strict_ports)
        self._world = world = StackWorld(instance, slots, changes, news, self._reporter, ports)
        self._writing = Writing(journal, slots, self._reporter.say)
        for name in spec.services:
            slots.update(new_slots(spec, name, instance, world, options.profiles))
        foreground.introduce([slot.label for slot in slots.values()])
        self._stack = Stack(slots, loop, self, foreground.is_live)
        self._ask_gpu = asker(world.inquiries, slots, world.members, self._reporter.gpu_memory_unknown)
        self._stack.room.configure(spec, self._ask_gpu)
        self._renderer = Renderer(spec, instance.number, self._stack, self._reporter, world.errands, world.programs)
        self._desk = desk = Desk(spec, options, instance, self._stack, world, self)
        self._ending = Ending(self._stack, options.abort, self._reporter, journal)
        self._rounds: Rounds | None = None  # once there are leases to look at
        self._control = ControlSocket(self._facts["PORTSUP_SOCKET"], desk.handle, journal, loop)
        self._reporter.has_clients = self._control.has_clients
        journal.later = lambda act: loop.call_later(JOURNAL_AFTER, act)
        note = lambda svc, error: of_service(svc.name, error, journal)  # noqa: E731  it is only not told
        changes.follow(self._tell_of, note)  # the world follows already; then who tells of them, then who acts on them
        changes.follow(desk.changed, note)
        changes.follow(self._stack.changed)
        self._automatic = Automatic(spec, instance, self._stack, self._world, changes, self._reporter)
        journal.also = self._automatic.hear

    async def run(self) -> int:
        """Runs until it is told to end; raises PortsupError for what ended it against its will."""
        for number in STOPPING:
            self._loop.add_signal_handler(number, self._on_signal, number)
        try:
            await self._control.open()
            self._journal.tell(
                journal.InstanceStarts(instance=self._instance.number, directory=str(self._spec.directory))
            )
            chosen = selected(self._spec, self._options.services, self._options.profiles)
            wanted = self._stack.start(self._stack.replicas_of(chosen), may_idle=True)
            await asyncio.sleep(0)  # until the first ports are taken: our own writing is no news
            self._rounds = Rounds(self._instance, self._lock, self._world.slots, self._world.checks, self)
            self._changes.follow(self._rounds.changed)
            reporting = begin(self._report_when_up(wanted), self._loop)
            error = await self._end
            reporting.cancel()
            usual = self._stack.exit_code()
            await self._wind_down()
            if error is not None:
                raise error
            return self._ending.exit_code(usual)
        finally:
            await self._clean_up()
            if self._ending.is_due_to_a_service:  # before all was up, perhaps
                self._foreground.ready(self._ending.exit_code(0))

    async def _wind_down(self) -> None:
        self._renderer.close()
        self._automatic.close()
        self._stack.stop_all()  # where a lock is lost `_finish` has begun with that, in a hurry
        await self._stack.until(self._stack.is_at_rest)
        if self._stack.stops_in_order:
            await self._automatic.finish()

    def _on_mistake(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception that nobody caught is a mistake of ours: going on would mean to supervise by accident."""
        self._broken(context.get("exception") or RuntimeError(context["message"]))

    def _broken(self, error: BaseException) -> None:
        if (refused := refusal(error)) is not None:
            self._fatal(refused)
            return
        self._journal.tell(journal.Mistake(error=repr(error), where=place_of(error)))
        if not self._end.done():
            self._end.set_exception(error)

    async def _clean_up(self) -> None:
        if not self._stack.is_at_rest():  # only after a mistake of ours
            with contextlib.suppress(Exception):
                self._stack.kill_all()  # or else they would be started again
            await self._world.trees.kill_everything(KILL_WAIT)
        await self._give_back()
        self._desk.ended()
        await asyncio.sleep(0)  # for the answers to other requests that waited for the end
        self._journal.tell(journal.InstanceEnded(instance=self._instance.number))
        self._control.close()
        for _ in range(LAST_TURNS):
            await asyncio.sleep(0)

    async def _give_back(self) -> None:
        """Each thing by itself: where one cannot be given back the others are, and the lock comes last in any case."""
        async with contextlib.AsyncExitStack() as back:
            back.callback(self._lock.release)
            back.callback(self._remove_endpoints)
            back.push_async_callback(self._world.close)
            back.callback(self._control.stop_listening)  # before the number is free: the next one has the same path
            if self._rounds is not None:
                back.callback(self._rounds.close)

    def _remove_endpoints(self) -> None:
        with contextlib.suppress(OSError):  # whatever a stranger made of it
            os.unlink(self._facts["PORTSUP_ENDPOINTS"])

    def _tell_of(self, before: Service, after: Service) -> None:
        self._reporter.changed(before, after, self._loop.time())
        if after.state in ENDED and after.pid is None:
            self._loop.call_soon(self._look_for_the_end, after)

    def on_ports_changed(self) -> None:
        content = document(self._spec.name, self._instance.number, self._world.programs.endpoints())
        self._writing.endpoints(self._facts["PORTSUP_ENDPOINTS"], content)
        self._renderer.render()

    def on_no_port(self, svc: Service) -> None:
        slot = self._world.slots[svc.name]
        if slot.obstacle is not None and self._has_reported:  # the others go on, and it is tried again
            self._reporter.obstructed(svc.name, slot.obstacle)
            return
        if slot.obstacle is None and not is_anybody_there(slot, self._loop.time()):
            self._reporter.quote(slot)
        self._fatal(slot.obstacle or no_port(slot, self._spec.file.name, self._loop.time()))

    def beats(self) -> Sequence[Beating]:
        """Who wants our sign of life."""
        return self._foreground.beats()

    def on_new_spec(self, spec: StackSpec) -> None:
        """A reload has taken effect."""
        self._lock.announce_files(tuple(map(os.fspath, spec.over)))
        self._spec = self._renderer.spec = spec
        self._automatic.configure(spec)
        self._stack.room.configure(spec, self._ask_gpu)
        self._foreground.introduce([slot.label for slot in self._world.slots.values()])
        self._loop.call_soon(self.on_ports_changed)

    def on_waiting(self, slots: Collection[Slot]) -> None:
        self._reporter.waiting(told(slots, self._world.slots, self._loop.time(), self._stack.stop_since))

    def on_losses(self, losses: Collection[Loss]) -> None:
        """Ends everything: these locks are no longer ours."""
        for loss in losses:
            owner = next((slot for slot in self._world.slots.values() if loss.port in slot.pool), None)
            self._journal.tell(journal.LockLost(port=loss.port, why=text_of(loss.why)))
            if owner is not None:
                owner.keeper.tell(ev.LockLost(loss.port, loss.why))
            self._fatal(lock_lost(loss, owner, self._instance.number, self._instance.runtime.path))

    def on_round(self) -> None:
        """Puts back what others have removed."""
        if not self._end.done():
            self._control.mend()
            self._stack.try_again()
            self._automatic.round()
            self._stack.room.round()
            if self._has_reported:
                self._journal.look()
        if (self._writing.look() or self._renderer.has_unwritten) and not self._end.done():
            self.on_ports_changed()

    async def _report_when_up(self, wanted: frozenset[str]) -> None:
        slots = [self._world.slots[name] for name in wanted]
        with garbage.collected_again():
            late = await settled(self._stack, slots, self._options.wait_timeout, self._reporter.waiting)
        if late and not self._end.done():
            self._fatal(too_late(late, self._options.wait_timeout or 0.0))
        if self._end.done():  # perhaps in this very turn: it has not come about yet that this is cancelled
            return
        self._world.record_spares()
        self._writing.look()
        failed = missing(slots)
        self._reporter.up(self._spec.name, self._instance.number, failed, self._loop.time() - self._begun)
        self._has_reported = True
        self._renderer.stack_is_up()
        await self._automatic.until_named()
        if self._end.done():
            return
        self._foreground.ready(int(self._stack.exit_code() or (ExitCode.GAVE_UP if failed else ExitCode.OK)))
        if self._options.is_detached:
            self._foreground.detach()
            let_go_of(2)
        self._loop.call_later(SETTLED_AFTER, settle, self._loop, lambda: self._spec)
        self._end_if_nothing_is_left()

    def _look_for_the_end(self, svc: Service) -> None:
        """Ends the instance where the end of `svc` ends all."""
        if not self._end.done() and self._ending.is_brought_about_by(svc):
            self._finish(None)
        self._end_if_nothing_is_left()

    def _end_if_nothing_is_left(self) -> None:
        """Ends the instance when all that should run has ended by itself; one that was stopped waits for a start."""
        is_going_on = self._has_reported and not self._end.done()
        if is_going_on and self._stack.has_nothing_left(self._options.is_detached):
            self._reporter.say(endings.NOTHING_LEFT)
            self._finish(None)

    def _on_signal(self, number: signal.Signals) -> None:
        is_orphaned = os.getppid() != self._guardian  # it was killed, while we run or while we stop already
        is_at_work = self._options.is_detached and self._has_reported and not self._end.done()
        wish = meaning(number, self._signals, is_orphaned=is_orphaned, is_at_work=is_at_work)
        self._signals += wish is not Wish.RELOAD and (self._signals == 0 or number in INSISTENT)
        if wish is Wish.RELOAD:
            self._desk.reload()
        elif wish in (Wish.STOP, Wish.STOP_AT_ONCE):
            self._reporter.say(endings.stopping(number.name, number in BY_HAND, self._foreground.is_read))
            self._finish(None)
            if wish is Wish.STOP_AT_ONCE:  # nobody is left to clean up after us
                self._stack.stop_all(FATAL_GRACE, in_order=False)
        elif wish is Wish.KILL:
            self._reporter.say(endings.KILLING)
            self._stack.kill_all()

    def on_down(self, timeout: float | None) -> None:
        """Somebody asked for the end; `timeout` is for services that do not stop."""
        self._reporter.say(endings.DOWN)
        self._finish(None)
        if timeout is not None:
            self._stack.stop_all(timeout)

    def _fatal(self, error: PortsupError) -> None:
        if not self._end.done():
            self._journal.tell(ended_by(error))
        self._finish(error)

    def _finish(self, error: PortsupError | None) -> None:
        if not self._end.done():
            self._end.set_result(error)
            garbage.collected_seldom()
            self._lock.announce_end()
            if self._rounds is not None:
                self._rounds.end()
            self._reporter.stopping()
            if isinstance(error, LockLost):
                self._stack.stop_all(FATAL_GRACE, in_order=False)
