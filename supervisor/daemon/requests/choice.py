"""Which services, or replicas of them, a request means."""

from collections.abc import Iterable

from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stack.stack import Stack
from supervisor.dataclass import dataclass
from supervisor.words import refusals


@dataclass(frozen=True, slots=True)
class Choice:
    """Of a stack, `name` is its name; all of this raises PortsupError for a name that nobody has."""

    stack: Stack
    name: str

    def service(self, name: str) -> Slot:
        """The first replica of a service."""
        slot = self.stack.slots.get(name)
        if slot is None or slot.number > 1:
            raise refusals.unknown_service(name, self.name, self.stack.services())
        return slot

    def services(self, names: Iterable[str]) -> list[Slot]:
        """Those of several services, or of all where none is named."""
        return [self.service(name) for name in names] or list(self.stack.services().values())

    def replicas(self, names: Iterable[str]) -> list[Slot]:
        """All replicas of services, and those that are named themselves; each once."""
        found = dict.fromkeys(slot for name in names for slot in self.named(name))
        return list(found) or list(self.stack.slots.values())

    def named(self, name: str) -> list[Slot]:
        """All replicas of a service, or the one that `api.2` names."""
        slot = self.stack.slots.get(name)
        if slot is not None:
            return list(slot.replicas) if slot.number == 1 else [slot]
        first = self.stack.slots.get(name.removesuffix(".1"))
        if first is not None and first.label == name:
            return [first]
        raise refusals.unknown_service(name, self.name, self.stack.services())

    def printers(self, names: Iterable[str]) -> list[str]:
        """How those are called who print, and whom events are about."""
        chosen = [self.named(name) for name in names]
        return [found[0].label if len(found) == 1 else found[0].of for found in chosen]
