"""Gives a service more or fewer replicas, and leaves the others alone."""

from collections.abc import Collection, Sequence

from supervisor.config.changes import Change, Difference
from supervisor.config.spec import HandoffMode, ServiceSpec, StackSpec
from supervisor.core.naming import replica_name
from supervisor.core.replicas import MOST
from supervisor.core.state import AT_REST, State
from supervisor.daemon.instance import Instance
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.service.world import StackWorld
from supervisor.daemon.stack.new_slots import new_slot
from supervisor.daemon.stack.stack import Stack
from supervisor.dataclass import dataclass, replace
from supervisor.words import refusals


@dataclass(frozen=True, slots=True)
class Scaler:
    """Of one instance."""

    instance: Instance
    stack: Stack
    world: StackWorld
    profiles: Collection[str]

    async def scale(self, spec: StackSpec, name: str, count: int) -> list[Slot]:
        """Starts what is missing, if the service runs, and ends what is too much; gives those that are new.

        Ending takes as long as their grace periods; starting is not waited for.
        """
        replicas = self.world.slots[name].replicas
        if count < len(replicas):
            await self._end(tuple(replicas[count:]))
            return []
        return self._add(spec, name, range(len(replicas) + 1, count + 1))

    def _add(self, spec: StackSpec, name: str, numbers: Collection[int]) -> list[Slot]:
        shared = self.world.slots[name].shared
        known = tuple(shared.slots)
        added = []
        for number in numbers:
            added.append(new_slot(spec, name, self.instance, self.world, self.profiles, shared, number))
            shared.joined(number)
        if not added:
            return []
        slots = tuple(self.world.slots.items())
        self.world.slots.clear()
        for each, slot in slots:
            self.world.slots[each] = slot
            if slot is known[-1]:
                self.world.slots.update((new.spec.name, new) for new in added)
        self.stack.relations.forget()
        if any(slot.is_wanted for slot in known):
            is_idle = any(slot.service.state is State.IDLE for slot in known)
            self.stack.start([slot.spec.name for slot in added], may_idle=is_idle)
        return added

    async def _end(self, slots: Sequence[Slot]) -> None:
        for slot in slots:
            slot.is_leaving = True
        self.stack.stop([slot.spec.name for slot in slots], None)
        try:
            await self.stack.until(lambda: all(slot.service.state in AT_REST for slot in slots))
        except Exception:
            for slot in slots:  # they stay: whoever wants to be rid of them says so again
                slot.is_leaving = False
            raise
        for slot in reversed(slots):
            if slot.service.pid is None:
                self.world.discard(slot)
        self.stack.relations.forget()


def check_scale(spec: ServiceSpec, count: int, others: Collection[str], *, hands_over: bool) -> None:
    """Raises PortsupError if there cannot be so many processes of a service."""
    name = spec.name
    if not isinstance(count, int) or not 1 <= count <= MOST:
        raise refusals.no_such_number(name, count, MOST)
    if count == 1:
        return
    for key, is_there in (("one_shot", spec.one_shot), ("stdio", spec.stdio), ("pid_file", spec.pid_file)):
        if is_there:
            raise refusals.not_scaled_with(name, key)
    needs_socket = bool(spec.pool) and spec.handoff is not HandoffMode.SYSTEMD
    if needs_socket and (spec.handoff is HandoffMode.OFF or not hands_over):
        raise refusals.not_scaled_without_socket(name)
    for number in range(1, count + 1):
        if (other := replica_name(name, number)) in others:
            raise refusals.name_is_taken(name, other)


def scaled(slots: Collection[Slot], new: StackSpec, found: Difference) -> Difference:
    """The difference with the services that have another number of replicas than `new` says."""
    changed = {change.name: change for change in found.changed}
    for slot in slots:
        name = slot.of
        if slot.number > 1 or name not in new.services or len(slot.replicas) == new.services[name].replicas:
            continue
        change = changed.get(name, Change(name, ()))
        if "replicas" not in change.keys:
            changed[name] = replace(change, keys=(*change.keys, "replicas"))
    order = [name for name in new.services if name in changed]
    return replace(found, changed=tuple(changed[name] for name in order))
