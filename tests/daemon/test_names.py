"""What the proxy of `names` is told of services."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from supervisor.core.hostnames import Names
from supervisor.core.service import Service
from supervisor.core.state import State
from supervisor.daemon.automatic.names import ServiceNames
from supervisor.dataclass import replace
from supervisor.ports.name_places import NamePlaces

HOST = "web.shop.localhost"


class Scene:
    """A service with two replicas on one port, and the proxy that answers for it."""

    def __init__(self, folder: Path) -> None:
        self.told: list[str] = []
        self.slots = {"web": self.slot("web", 1), "web.2": self.slot("web.2", 2)}
        for slot in self.slots.values():
            slot.replicas = list(self.slots.values())
        runtime = SimpleNamespace(path=str(folder))
        instance = SimpleNamespace(stack="shop", number=1, run_id="run", runtime=runtime)
        self.names = ServiceNames(cast(Any, self.slots), cast(Any, instance), cast(Any, None), self)
        self.names._names = Names()
        self.names._places = self.places = NamePlaces(str(folder), 1355)

    def slot(self, name: str, number: int) -> Any:
        service = Service(name, pool=(8000,), port=8000, state=State.RUNNING)
        return SimpleNamespace(
            spec=SimpleNamespace(name=name), of="web", number=number, service=service, pool=(8000,), host="127.0.0.1",
            name_url="",
        )  # fmt: skip

    def becomes(self, name: str, state: State, port: int | None = 8000) -> None:
        slot = self.slots[name]
        before, slot.service = slot.service, replace(slot.service, state=state, port=port)
        self.names.changed(before, slot.service)

    def tell(self, event: Any) -> None:
        self.told.append(event.event)

    def status_changed(self, name: str) -> None:
        pass


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_service_is_there_as_long_as_one_replica_is(scene: Scene) -> None:
    scene.becomes("web", State.RUNNING)
    assert scene.places.listed() == []  # nobody answers for it yet
    scene.names._answer({"ok": True})
    assert scene.places.listed() == [(HOST, "127.0.0.1:8000")]
    assert {slot.name_url for slot in scene.slots.values()} == {f"http://{HOST}:1355"}
    scene.becomes("web.2", State.TERMINATING)
    assert scene.places.listed() == [(HOST, "127.0.0.1:8000")]
    scene.becomes("web", State.TERMINATING)
    assert scene.places.listed() == []
    scene.becomes("web", State.RUNNING, port=8001)
    assert scene.places.listed() == [(HOST, "127.0.0.1:8001")]
    scene.names.close()
    assert (scene.places.listed(), {slot.name_url for slot in scene.slots.values()}) == ([], {""})
    assert scene.told == ["names served"]


def test_why_there_are_no_names_is_told_once(scene: Scene) -> None:
    scene.names._answer({"ok": True})
    for _ in range(2):
        scene.names._answer({"why": "port 1355 is taken", "hint": ""})
    assert (scene.told, scene.places.listed()) == (["names served", "names failed"], [])
