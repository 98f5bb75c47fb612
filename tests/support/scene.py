"""A stack of services in a made-up world, whose loop goes on when it is told to."""

from collections.abc import Collection, Mapping
from typing import Any

from supervisor.config.spec import ServiceSpec
from supervisor.core import events as ev
from supervisor.core.order import Condition
from supervisor.core.restart import Restart, RestartPolicy
from supervisor.core.service import Service
from supervisor.core.state import State
from supervisor.daemon.service.slot import Child, Slot
from supervisor.daemon.stack.stack import Stack
from tests.support.fake_world import FakeLoop, FakeWorld

READY = Condition.READY


class Listener:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def on_ports_changed(self) -> None:
        self.told.append("ports")

    def on_no_port(self, svc: Service) -> None:
        self.told.append(f"no port for {svc.name}")

    def on_waiting(self, slots: Collection[Slot]) -> None:
        self.told.append("waiting for " + ", ".join(slot.spec.name for slot in slots))


class Scene:
    """A stack in a made-up world."""

    def __init__(self, needs: Mapping[str, Mapping[str, Condition]], **specs: Mapping[str, Any]) -> None:
        self.loop, self.world, self.listener = FakeLoop(), FakeWorld(), Listener()
        self.slots: dict[str, Slot] = {}
        for number, (name, depends_on) in enumerate(needs.items()):
            pool = (8000 + 10 * number, 8001 + 10 * number)
            given = {"restart_policy": RestartPolicy(Restart.NEVER), **specs.get(name, {})}
            spec = ServiceSpec(name, ("x",), pool, depends_on=depends_on, **given)
            keeper = self.world.keeper(Service(name, pool, spec.restart_policy), self.loop)
            self.slots[name] = Slot(spec, pool, keeper, log=None)  # type: ignore[arg-type]
        self.stack = Stack(self.slots, self.loop.itself, self.listener)
        self.world.on_change = self._changed

    def _changed(self, before: Service, after: Service) -> None:
        slot = self.slots[after.name]
        if after.pid is not None and (slot.child is None or slot.child.pid != after.pid):
            seen = {name: other.service.port or other.pool[0] for name, other in self.slots.items()}
            slot.child = Child(after.pid, None, 0.0, {}, seen)  # type: ignore[arg-type]
        if after.pid is None:
            slot.child = None
        self.stack.changed(before, after)

    def states(self) -> dict[str, str]:
        return {name: str(slot.service.state) for name, slot in self.slots.items()}

    def having(self, state: State) -> set[str]:
        return {name for name, slot in self.slots.items() if slot.service.state is state}

    def tell(self, name: str, event: Any) -> None:
        """Tells a service of an event about its process, and lets all that follows happen."""
        self.slots[name].keeper.tell(event(self.slots[name].service.pid))
        self.loop.advance()

    def start(self, *names: str) -> None:
        self.stack.start(names or tuple(self.slots))
        self.loop.advance()

    def run(self, *names: str) -> None:
        """Starts services, and lets each become ready as soon as it has started."""
        self.start(*names)
        while starting := self.having(State.STARTING):
            for name in starting:
                self.tell(name, ev.BecameReady)


def ended(code: int) -> Any:
    return lambda pid: ev.Exited(pid, code=code)


CHAIN = {"db": {}, "api": {"db": READY}, "web": {"api": READY}, "other": {}}
