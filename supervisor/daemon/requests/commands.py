"""Answers what is asked over the control socket."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from supervisor.config.changes import Difference
from supervisor.config.secret_names import is_secret_name
from supervisor.control import requests
from supervisor.control.messages import Address, Addresses, Environment, News, Pong
from supervisor.control.progress import Late, Outcome, Progress
from supervisor.control.reply import Reply
from supervisor.control.requests import Request
from supervisor.core import events as ev
from supervisor.core.conditions import has_settled, is_at_rest
from supervisor.core.order import levels
from supervisor.core.service import Service
from supervisor.core.signals import name_of
from supervisor.core.state import AT_REST, IS_AT_WORK, IS_LIVE, State
from supervisor.daemon.instance import Instance
from supervisor.daemon.requests.choice import Choice
from supervisor.daemon.requests.isolation import Isolation
from supervisor.daemon.requests.readers import Readers
from supervisor.daemon.requests.scaling import scale
from supervisor.daemon.requests.status import environment_told, result_of
from supervisor.daemon.requests.statuses import Statuses
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.service.world import StackWorld
from supervisor.daemon.stack.reload import Reloader
from supervisor.daemon.stack.rereading import changes
from supervisor.daemon.stack.rolling import check_rolling, roll
from supervisor.daemon.stack.stack import Stack
from supervisor.daemon.stack.waiting import Note, telling, unsettled
from supervisor.daemon.stalls import doing
from supervisor.daemon.tasks import begin
from supervisor.dataclass import replace
from supervisor.errors import PortsupError
from supervisor.words import activities, outcomes, refusals


class Commands:
    """The requests of the control protocol, carried out on one stack."""

    def __init__(
        self, instance: Instance, stack: Stack, world: StackWorld, reloader: Reloader,
        down: Callable[[float | None], None],
    ) -> None:  # fmt: skip
        self._stack = stack
        self._name = instance.stack
        self._choice = Choice(stack, instance.stack)
        self._number = instance.number
        self._facts = instance.facts()
        self._world = world
        self._down = down
        self._redact = instance.journal.redact
        self._news = world.news
        self._reloader = reloader
        self._statuses = Statuses(instance, stack, reloader)
        self._readers = Readers(stack, world, world.news, instance.journal.path, self._statuses.of)
        self._isolation = Isolation(instance.journal)
        self._ends: list[Reply] = []  # who asked for the end
        self._ended: list[str] = []  # of what
        self._tasks: set[asyncio.Task[None]] = set()

    def handle(self, request: Request, reply: Reply) -> None:
        """Answers one request, now or when it is done; raises PortsupError for what cannot be asked or answered."""
        try:
            self._handle(request, reply)
        except PortsupError:
            raise
        except Exception as error:
            raise self._isolation.failed(request, error) from error

    def _handle(self, request: Request, reply: Reply) -> None:
        doing(asyncio.get_running_loop(), activities.answering(request.do))
        match request:
            case requests.Ping():
                reply.tell(Pong(self._name, self._number))
            case requests.Status(names):
                reply.is_next = True
                work = self._statuses.tell(self._choice.services(names), reply, request.do)
                self._run(work, request, reply)
            case requests.Resources(names):
                self._readers.tell_resources(self._choice.services(names), reply)
            case requests.Watch():
                self._readers.watch(reply)
            case requests.Subscribe():
                self._readers.subscribe(request, reply)
            case requests.Trend(names):
                work = self._readers.tell_trend(self._choice.services(names), reply)
                self._run(work, request, reply)
            case requests.History(port):
                self._readers.tell_history(port, reply)
            case requests.Events(names) | requests.Logs(names):
                kind = self._news.events if isinstance(request, requests.Events) else self._news.logs
                kind.add(reply, self._choice.printers(names))
                reply.tell(News())
            case requests.Endpoints():
                reply.tell(self._addresses())
            case requests.Env(service):
                name = self._choice.named(service)[0].spec.name if service else None
                environment = environment_told(self._world, self._facts, name)
                reply.tell(Environment(environment, tuple(filter(is_secret_name, environment))))
            case requests.Down(grace):
                self._ends.append(reply)
                self._ended = [slot.label for slot in self._stack.slots.values()]
                self._down(grace)
                self._run(self._tell_until_the_end(reply), request, reply)
            case requests.Start(names):
                chosen = self._choice.replicas(names)
                asked = [slot.spec.name for slot in chosen]
                self._stack.check_stays("start", asked)
                self._reloader.check_start([slot.of for slot in chosen])
                slots = [self._stack.slots[name] for name in self._stack.start(asked)]
                self._run(self._follow(slots, has_settled, State.RUNNING, reply), request, reply)
            case requests.Stop(names, grace):
                slots = self._choice.replicas(names)
                self._warn_of_dependants(slots, reply)
                self._stack.stop([slot.spec.name for slot in slots], grace)
                self._run(self._follow(slots, is_at_rest, State.STOPPED, reply), request, reply)
            case requests.Restart(names, grace, is_rolling):
                slots = self._choice.replicas(names)
                self._stack.check_stays("restart", [slot.spec.name for slot in slots])
                self._reloader.check_start([slot.of for slot in slots if slot.service.state in AT_REST])
                if is_rolling:
                    note = self._note(reply)
                    work = roll(self._stack, check_rolling(slots), grace, reply, self._redact, note)
                    self._run(work, request, reply)
                else:
                    self._run(self._restart(slots, grace, reply), request, reply)
            case requests.Reload(is_dry, files):
                self._run(self._reload(reply, files, is_dry=is_dry), request, reply)
            case requests.Rotate(name):
                self._run(self._rotate(self._choice.service(name), reply), request, reply)
            case requests.Scale(replicas):
                wanted = {self._choice.service(name).of: count for name, count in replicas.items()}
                settle = lambda new: self._settle(new, has_settled, State.RUNNING, reply)  # noqa: E731
                work = scale(
                    self._stack, self._reloader, wanted, reply, self._note(reply), settle, self._readers.changed
                )  # fmt: skip
                self._run(work, request, reply)
            case requests.Kill(names, number):
                self._signal(self._choice.replicas(names), number, reply)

    def changed(self, _before: Service, after: Service) -> None:
        """A service is different now."""
        name = self._stack.slots[after.name].of
        self._statuses.changed(name)
        self._readers.changed(name)

    def _addresses(self) -> Addresses:
        found = self._world.programs.endpoints().items()
        return Addresses({name: Address(each.host, each.port, each.url, each.pool) for name, each in found})

    def _run(self, work: Coroutine[Any, Any, None], request: Request, reply: Reply | None) -> None:
        task = begin(self._isolation.follow(request, work, reply), asyncio.get_running_loop())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def ended(self) -> None:
        """The instance is gone to the last file: whoever asked for that hears it now."""
        results = [Outcome(name, True, "stopped") for name in self._ended]
        for reply in self._ends:
            reply.conclude(results)

    async def _follow(self, slots: list[Slot], is_over: Callable[[Service], bool], wanted: State, reply: Reply) -> None:
        """Waits until all are where they can stay; the answer has the results."""
        reply.conclude(await self._settle(slots, is_over, wanted, reply))

    async def _settle(
        self, slots: list[Slot], is_over: Callable[[Service], bool], wanted: State, reply: Reply
    ) -> list[Outcome]:
        """The results, once all are where they can stay; tells of each when it is."""
        results: list[Outcome] = []
        left = {slot.spec.name: slot for slot in slots}

        def look() -> bool:
            for name, slot in tuple(left.items()):
                is_back = wanted is State.STOPPED and slot.service.state in IS_AT_WORK
                if is_over(slot.service) or is_back:
                    del left[name]
                    results.append(result_of(slot, wanted, self._redact))
                    reply.tell(Progress(f"{slot.label}: {results[-1].words}"))
            return not left

        with telling(self._stack, left.values, self._note(reply)):
            await self._stack.until(look)
        return results

    def _note(self, reply: Reply | None) -> Note:
        """Tells whoever asked for something whom that waits for."""

        def note(late: list[Late], /, is_note: bool) -> None:
            if reply is None or reply.is_behind:
                return
            told = tuple(replace(each, words=self._redact(each.words)) for each in late)
            words = "\n".join(each.words for each in told)
            reply.tell(Progress(words if is_note and told else None, told))

        return note

    async def _tell_until_the_end(self, reply: Reply) -> None:
        busy = lambda: [slot for slot in self._stack.slots.values() if slot.service.state not in AT_REST]  # noqa: E731
        with telling(self._stack, busy, self._note(reply)):
            await self._stack.until(self._stack.is_at_rest)

    def reload(self) -> None:
        """What a signal asks for: nobody waits for the answer, so the journal has it."""
        self._run(self._reload(None), requests.Reload(), None)

    async def _reload(self, reply: Reply | None, files: Sequence[str] = (), *, is_dry: bool = False) -> None:
        slots, names = self._stack.slots, set[str]()
        late = lambda: [slots[name] for name in names if name in slots and not has_settled(slots[name].service)]  # noqa: E731
        tell = lambda words: reply.tell(Progress(words)) if reply else None  # noqa: E731

        def on_found(found: Difference) -> None:
            names.update(found.names)
            if reply is not None:
                reply.tell(Progress(difference=changes(found)))

        results: list[Outcome] = []
        try:
            if is_dry:
                on_found((await self._reloader.look(files))[1])
            else:
                with telling(self._stack, late, self._note(reply)):
                    results = await self._reloader.apply(tell, on_found, files)
                self._readers.services_changed()
        except PortsupError as error:
            if reply is not None:
                reply.fail(error)
            else:
                self._reloader.refused(error)
            return
        if reply is not None:
            reply.conclude(results)

    async def _restart(self, slots: list[Slot], grace: float | None, reply: Reply) -> None:
        at_rest = [slot.spec.name for slot in slots if is_at_rest(slot.service)]
        names = {slot.spec.name for slot in slots}
        before = {slot.spec.name: slot.service.pid for slot in slots}
        results: list[Outcome] = []
        for level in levels({slot.spec.name: slot.spec.restarts_with & names for slot in slots}):
            chosen = [slot for slot in slots if slot.spec.name in level]
            # One with another process than before was restarted after one of the others.
            same = [slot.spec.name for slot in chosen if slot.service.pid == before[slot.spec.name]]
            self._stack.restart(same, grace)
            self._stack.start(name for name in at_rest if name in level)  # with what they need
            results += await self._settle(chosen, has_settled, State.RUNNING, reply)
        reply.conclude(results)

    async def _rotate(self, slot: Slot, reply: Reply) -> None:
        name, before = slot.spec.name, slot.service.port
        if len(slot.pool) < 2:
            reply.fail(refusals.nowhere_to_rotate(name, bool(slot.pool)))
            return
        if slot.service.state not in IS_LIVE:
            reply.fail(refusals.not_rotated(name, slot.service.state))
            return
        slots = [each for each in slot.replicas if each.service.state in IS_LIVE]
        for each in slots:
            each.keeper.tell(ev.RotateRequested())
        with telling(self._stack, unsettled(slots), self._note(reply)):
            await self._stack.until(lambda: not unsettled(slots)())
        words = outcomes.rotated(before, slot.service.port)
        ok = slot.service.state is State.RUNNING and slot.service.port != before
        if slot.service.state is not State.RUNNING:
            words = result_of(slot, State.RUNNING, self._redact).words
        reply.conclude([Outcome(name, ok, words)])

    def _signal(self, slots: list[Slot], number: int, reply: Reply) -> None:
        called = name_of(number)
        if not called:
            raise refusals.no_such_signal(number)
        results: list[Outcome] = []
        for slot in slots:
            ok = slot.send_signal(number)
            is_there = slot.child is not None and slot.child.exit is None
            why = outcomes.LEFT_OR_FOREIGN if is_there else outcomes.no_process(slot.service.state)
            results.append(Outcome(slot.label, ok, outcomes.signalled(called) if ok else why))
        reply.conclude(results)

    def _warn_of_dependants(self, slots: list[Slot], reply: Reply) -> None:
        needy: dict[str, list[str]] = {slot.spec.name: [] for slot in slots}
        for other in self._stack.slots.values():
            if other.spec.name not in needy and other.service.state not in AT_REST:
                for need in needy.keys() & other.spec.depends_on.keys():
                    needy[need].append(other.spec.name)
        for name, others in needy.items():
            if others:
                reply.tell(Progress(outcomes.still_needed(name, others)))
