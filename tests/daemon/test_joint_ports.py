"""The one port of several replicas."""

from typing import Any

from supervisor.config.spec import ServiceSpec
from supervisor.core import events as ev
from supervisor.core.service import Service
from supervisor.core.state import State
from supervisor.daemon.service.leasing import JointPorts
from supervisor.daemon.service.slot import Child, Shared, Slot

SPEC = ServiceSpec("api", ("x",), (8000, 8001))


class Keeper:
    def __init__(self, name: str) -> None:
        self.service = Service(name, SPEC.pool)
        self.told: list[ev.Event] = []

    def tell(self, event: ev.Event) -> None:
        self.told.append(event)

    def configure(self, port: int) -> None:
        self.service = Service(self.service.name, SPEC.pool, port=port, state=self.service.state)


class Lease:
    active: int | None = None


class Scene:
    """Two replicas; `wishes` are what was chosen by, `answers` what each was told."""

    def __init__(self) -> None:
        shared = Shared("api")
        self.slots: list[Any] = [
            Slot(SPEC, SPEC.pool, Keeper(f"api.{number}"), None, number, shared)  # type: ignore[arg-type]
            for number in (1, 2)
        ]
        self.lease = shared.lease = Lease()  # type: ignore[assignment]
        self.wishes: list[ev.LeasePort] = []
        self.answers: list[tuple[int, int | None]] = []
        self.ports = JointPorts(self._choose)

    def _choose(self, slot: Slot, wish: ev.LeasePort, answer: Any) -> None:
        self.wishes.append(wish)
        assert isinstance(self.lease, Lease)
        self.lease.active = 8000 if self.lease.active is None else 8001
        answer(ev.PortLeased(self.lease.active))

    def ask(self, number: int, **wish: Any) -> None:
        def answer(told: ev.PortLeased | ev.NoPort) -> None:
            assert isinstance(told, ev.PortLeased)
            self.answers.append((number, told.port))

        self.ports.lease(self.slots[number - 1], ev.LeasePort(**wish), answer)

    def are(self, number: int, state: State) -> None:
        slot = self.slots[number - 1]
        slot.keeper.service = Service(slot.service.name, SPEC.pool, state=state, port=8000)
        slot.child = Child(number, None, 0.0, {}, {}) if state in (State.STARTING, State.RUNNING) else None  # type: ignore[arg-type]


def test_it_is_chosen_once() -> None:
    scene = Scene()
    scene.ask(1)
    scene.are(1, State.WAITING)
    scene.ask(2)
    assert (len(scene.wishes), scene.answers) == (1, [(1, 8000), (2, 8000)])


def test_one_with_trouble_stays_where_another_one_is_ready() -> None:
    scene = Scene()
    scene.lease.active = 8000
    scene.are(1, State.RUNNING)
    scene.ask(2, avoid=((8000, "it was not ready"),))
    assert (scene.wishes, scene.answers) == ([], [(2, 8000)])
    assert scene.slots[0].keeper.told == []


def test_they_leave_together_once_nobody_is_left() -> None:
    scene = Scene()
    scene.lease.active = 8000
    scene.are(1, State.RUNNING)
    scene.ask(2, leaving=8000)
    assert scene.slots[0].keeper.told == [ev.RotateRequested()]
    assert scene.wishes == []
    scene.are(1, State.ACQUIRING)
    scene.ask(1, leaving=8000)
    assert ([wish.leaving for wish in scene.wishes], sorted(scene.answers)) == ([8000], [(1, 8001), (2, 8001)])


def test_one_that_is_at_rest_starts_on_the_new_port() -> None:
    scene = Scene()
    scene.lease.active = 8000
    scene.are(1, State.BACKOFF)
    scene.ask(2, leaving=8000)
    assert scene.answers == [(2, 8001)]
    assert scene.slots[0].service.port == 8001
