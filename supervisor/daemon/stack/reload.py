"""Makes a running instance what services.yaml says now: stops, starts and moves what differs, and nothing else."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from supervisor.config.changes import Change, Difference
from supervisor.config.names import files_of
from supervisor.config.selection import check_needs, starts_by_itself
from supervisor.config.spec import ServiceSpec, StackSpec
from supervisor.config.stamps import stamps_of
from supervisor.control.progress import Outcome
from supervisor.core import events as ev
from supervisor.core.conditions import is_up
from supervisor.core.faults import is_of_portsup
from supervisor.core.instance import overlap, ports_of
from supervisor.core.journal import Reloaded, ReloadRefused
from supervisor.core.order import levels, with_dependencies
from supervisor.core.reasons import Asked
from supervisor.core.state import AT_REST, State
from supervisor.daemon.faults import unanswered
from supervisor.daemon.instance import Instance
from supervisor.daemon.loading import load_for
from supervisor.daemon.options import Options
from supervisor.daemon.reading import refuse_without_handoff
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.service.world import StackWorld
from supervisor.daemon.stack.new_slots import new_slots, settings, spec_of
from supervisor.daemon.stack.rereading import read_again
from supervisor.daemon.stack.scaling import Scaler, check_scale, scaled
from supervisor.daemon.stack.stack import Stack
from supervisor.daemon.stack.waiting import are_in, have_settled
from supervisor.daemon.stalls import leave_time
from supervisor.dataclass import replace
from supervisor.errors import ConfigError, PortsupError
from supervisor.words import outcomes, refusals

Tell = Callable[[str], None]


class Reloader:
    """Holds the configuration that runs, and changes over to another one."""

    def __init__(
        self, spec: StackSpec, options: Options, instance: Instance, stack: Stack, world: StackWorld,
        on_new_spec: Callable[[StackSpec], None],
    ) -> None:  # fmt: skip
        self.spec = spec
        self._asked = options.files
        self._profiles = options.profiles
        self._instance = instance
        self._stack = stack
        self._world = world
        self._journal = instance.journal
        self._on_new_spec = on_new_spec
        self.stamps = stamps_of(spec)
        self._hands_over = options.hands_over
        self._scaler = Scaler(instance, stack, world, options.profiles)
        self._is_busy = False

    def warnings(self) -> list[str]:
        """That the files are not what runs any more."""
        now = stamps_of(self.spec)
        changed = [path.name for path, stamp in now.items() if stamp != self.stamps[path]]
        changed += [
            path.name for path in map(Path, files_of(self._asked)) if path not in now
        ]  # an override that is new
        return [outcomes.file_changed(name) for name in changed]

    async def look(self, asked: Sequence[str] = ()) -> tuple[StackSpec, Difference]:
        """The files (or others) as they are now, and what is different; raises PortsupError if they cannot be used.

        Nothing is changed yet: so whatever goes wrong, here too, is the answer, and ends nothing.
        """
        try:
            return await self._look(asked)
        except PortsupError:
            raise
        except Exception as error:
            raise unanswered("reload", error, self._journal) from error

    async def _look(self, asked: Sequence[str]) -> tuple[StackSpec, Difference]:
        new, found = await read_again(self._world.inquiries, self.spec, asked or self._asked)
        await leave_time(self._stack.loop)
        found = scaled(self._world.slots.values(), new, found)
        file = self.spec.file.name
        if new.file.resolve() != self.spec.file.resolve():
            raise refusals.other_first_file(file, str(new.file))
        if "name" in found.top:
            raise refusals.other_name(file, self.spec.name, new.name)
        await leave_time(self._stack.loop)
        pools = {name: service.pool for name, service in new.services.items()}
        if why := overlap(pools, new.stride, self._instance.number):
            raise refusals.overlapping(file, why, self._instance.number)
        self.check_start([name for name in found.added if starts_by_itself(new.services[name], self._profiles)], new)
        if not self._hands_over:
            touched = new.services if found.top else {change.name for change in found.changed}
            refuse_without_handoff(new, [name for name in self._at_work() if name in touched and name in new.services])
        load_for(new)
        return new, found

    def check_start(self, names: Collection[str], spec: StackSpec | None = None) -> None:
        """Raises UsageError if one of these cannot be started.

        It needs a service whose profiles nobody asked for, and that does not run; or the handoff, which is off.
        """
        spec = spec or self.spec
        check_needs(spec, names, self._profiles, self._at_work())
        if not self._hands_over:
            graph = {name: tuple(service.depends_on) for name, service in spec.services.items()}
            refuse_without_handoff(spec, with_dependencies(graph, names))

    def _at_work(self) -> list[str]:
        return [name for name, slot in self._stack.slots.items() if slot.service.state not in AT_REST]

    def refused(self, error: PortsupError) -> None:
        """Somebody who does not listen asked for what cannot be done."""
        problems = [str(problem) for problem in error.problems] if isinstance(error, ConfigError) else []
        self._journal.tell(ReloadRefused(what=error.what, why=error.why, problems=problems))

    async def apply(
        self, tell: Tell, on_found: Callable[[Difference], None], asked: Sequence[str] = ()
    ) -> list[Outcome]:
        """Changes over; how it went for each service that was touched.  Raises PortsupError, with nothing changed.

        `on_found` is told what is different before anything is done about it.
        """
        if self._is_busy or self._stack.is_stopping:
            raise refusals.no_reload(self._stack.is_stopping)
        self._is_busy = True
        try:
            stamps = stamps_of(self.spec)
            new, found = await self.look(asked)
            if self._stack.is_stopping:  # since then
                raise refusals.no_reload(is_stopping=True)
            on_found(found)
            stamps = stamps_of(new) | {path: stamp for path, stamp in stamps.items() if path in new.files}
            self._journal.learn(new.secrets)
            self._journal.tell(Reloaded(
                added=list(found.added), removed=list(found.removed),
                changed={change.name: list(change.keys) for change in found.changed}, top=list(found.top),
            ))  # fmt: skip
            before = self.spec
            try:
                results = await self._remove(found, tell)
                self.spec, self.stamps = new, stamps
                self._asked = tuple(asked) or self._asked
                self._world.be_strict(new.strict_ports)
                await self._add(found)
                self._world.programs.forget_endpoints()
                return results + await self._change(found, tell)
            except Exception:
                self._take_as_it_is(before)
                raise
        finally:
            self._is_busy = False

    def _take_as_it_is(self, before: StackSpec) -> None:
        """What runs is neither the old nor the new: as it differs from the files, another reload does the rest."""
        slots = [slot for slot in self._world.slots.values() if slot.number == 1]
        self.spec = replace(before, services={slot.of: slot.spec for slot in slots})
        self.stamps = dict.fromkeys(self.spec.files, (-1, -1))
        for slot in self._world.slots.values():
            slot.is_leaving = False

    async def _remove(self, found: Difference, tell: Tell) -> list[Outcome]:
        """Dependants first, as when everything stops."""
        results: list[Outcome] = []
        for level in reversed(levels(self._stack.relations.graph())):
            names = [name for name in level if name in found.removed]
            slots = [slot for name in names for slot in self._stack.slots[name].replicas]
            for slot in slots:
                slot.is_leaving = True
            self._stack.stop([slot.spec.name for slot in slots], None)
            await self._stack.until(partial(are_in, slots, AT_REST))
            last_first = [slot for name in names for slot in reversed(self._stack.slots[name].replicas)]
            for slot, label in [(slot, slot.label) for slot in last_first]:
                gone = slot.service.pid is None
                if gone:
                    self._world.discard(slot)
                    self._stack.relations.forget()
                words = outcomes.REMOVED if gone else outcomes.reloaded(slot.service)
                tell(outcomes.of_service(label, words))
                results.append(Outcome(label, gone, words))
        return results

    async def _add(self, found: Difference) -> None:
        added: dict[str, Slot] = {}
        for name in found.added:
            await leave_time(self._stack.loop)
            added.update(new_slots(self.spec, name, self._instance, self._world, self._profiles))
        self._world.slots.update(added)
        order = {name: number for number, name in enumerate(self.spec.services)}
        slots = dict(sorted(self._world.slots.items(), key=lambda each: order.get(each[1].of, len(order))))
        self._world.slots.clear()
        self._world.slots.update(slots)
        self._stack.relations.forget()
        self._on_new_spec(self.spec)

    async def _change(self, found: Difference, tell: Tell) -> list[Outcome]:
        results: list[Outcome] = []
        changes = {change.name: change for change in found.changed}
        for level in levels({name: tuple(spec.depends_on) for name, spec in self.spec.services.items()}):
            touched: list[Slot] = []
            for name in level:
                await leave_time(self._stack.loop)
                if self._stack.is_stopping:
                    return results
                slot = self._world.slots[name]
                if name in found.added and slot.is_optional:
                    results.append(Outcome(name, True, outcomes.ADDED))
                elif name in found.added:
                    self._stack.start(self._stack.replicas_of([name]), may_idle=True)
                    touched += slot.replicas
                elif name in changes and await self._configure(slot, changes[name]):
                    touched += slot.replicas
                elif name in changes:
                    results.append(Outcome(name, True, outcomes.CHANGED))
            await self._stack.until(partial(have_settled, touched))
            for slot in touched:
                words = outcomes.reloaded(slot.service)
                tell(outcomes.of_service(slot.label, words))
                ok = is_up(slot.service) or not slot.is_wanted
                results.append(Outcome(slot.label, ok, words, not ok and is_of_portsup(slot.service.reason)))
        return results

    async def _configure(self, slot: Slot, change: Change) -> bool:
        """Gives a service its new configuration; whether it is started again for that."""
        spec = self.spec.services[change.name]
        pool = ports_of(spec.pool, self._instance.number, self.spec.stride)
        replicas = tuple(slot.replicas)
        is_at_work = any(each.service.state not in AT_REST for each in replicas)
        is_idle = any(each.service.state is State.IDLE for each in replicas)
        is_idle = is_idle and (change.restarts or "schedule" in change.keys)
        if is_idle or (pool != slot.pool and is_at_work and slot.service.port not in pool):
            # It has to leave its port, or waits for one: to the end first, because the next one is of another lease.
            for each in replicas:
                each.keeper.tell(ev.StopRequested())
            await self._stack.until(partial(are_in, replicas, AT_REST))
            for each in replicas:
                self._swap(each, spec, pool)
            await self._scaler.scale(self.spec, change.name, spec.replicas)
            # Of those that nobody has stopped meanwhile.
            self._stack.start([each.spec.name for each in slot.replicas if each.is_wanted], may_idle=True)
            return True
        for each in replicas:
            self._swap(each, spec, pool)
        is_new = bool(await self._scaler.scale(self.spec, change.name, spec.replicas))
        if is_at_work and slot.is_wanted and change.restarts:  # one that is being stopped stays stopped
            self._stack.restart([each.spec.name for each in replicas if each.is_wanted], why=Asked("reconfigure"))
            return True
        failed = [each.spec.name for each in replicas if each.service.state is State.FAILED and each.is_wanted]
        if failed and change.restarts:  # that may have been mended
            self._stack.start(failed, may_idle=True)
            return True
        for each in replicas:
            if "idle_stop" in change.keys or "idle_min_up" in change.keys:
                each.keeper.tell(ev.IdlingChanged())
            if "healthcheck" in change.keys and each.service.state is State.RUNNING and each.child is not None:
                each.child.end_tasks()
                self._world.checks.watch_health(each)
        return is_new

    def _swap(self, slot: Slot, spec: ServiceSpec, pool: tuple[int, ...]) -> None:
        seen, slot.spec = slot.seen_starts, spec_of(spec, slot.number)
        self._stack.relations.forget()
        slot.see(self._world.slots)
        slot.seen_starts |= {need: starts for need, starts in seen.items() if need in slot.seen_starts}
        slot.is_optional = not starts_by_itself(spec, self._profiles)
        slot.log.limit(spec.logging)
        if pool != slot.pool:
            slot.pool = pool
            if slot.lease is not None and slot.lease.active in pool:
                slot.lease.reshape(pool)
            elif slot.lease is not None and all(each.service.pid is None for each in slot.replicas):
                # Else until they are gone, and then `Trees` does.
                slot.lease.release()
                slot.shared.lease = None
        service = slot.service
        slot.keeper.configure(
            **settings(spec, pool),
            failed_ports=tuple(entry for entry in service.failed_ports if entry[0] in pool),
            port=service.port if service.port in pool else None,
        )
        self._stack.await_dependencies(service.name)  # it may need others now, or nobody any more

    async def scale(self, wanted: Mapping[str, int]) -> list[Slot]:
        """Gives services another number of replicas; those that are new.  Raises PortsupError, with nothing changed."""
        if self._is_busy or self._stack.is_stopping:
            raise refusals.not_scaled_now(self._stack.is_stopping)
        for name, count in wanted.items():
            others = self.spec.services.keys() - {name}
            check_scale(self.spec.services[name], count, others, hands_over=self._hands_over)
        self._is_busy = True
        try:
            new = [each for name, count in wanted.items() for each in await self._scaler.scale(self.spec, name, count)]
            self._on_new_spec(self.spec)
            return new
        finally:
            self._is_busy = False
