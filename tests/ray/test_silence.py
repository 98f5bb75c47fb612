"""Who is silent on a cluster is not taken for gone, and what is missing by that is said."""

from collections.abc import Callable
from typing import Any

import pytest

from supervisor.errors import PortsupError
from supervisor.words import cluster as words

engine = pytest.importorskip("supervisor.cluster.engine", reason="Ray is not installed: `make test-ray` installs it")

NODES = [{"NodeID": "id-a", "NodeName": "a"}, {"NodeID": "id-b", "NodeName": "b"}]


class Fake:
    """A cluster that answers as it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from supervisor.cluster.face import Cluster

        self.face = Cluster("shop", 1)
        self.heard = [0.5]
        self.node = "a"
        self.asked = 0
        self.ended: list[str] = []
        self.trouble: dict[str, str] = {}
        self.missing: set[str] = set()
        self.unsure: set[str] = set()
        monkeypatch.setattr(engine, "nodes", lambda: NODES)
        monkeypatch.setattr(engine, "find", self._find)
        monkeypatch.setattr(engine, "ask", self._ask)
        monkeypatch.setattr(engine, "ask_while", self._ask_while)
        monkeypatch.setattr(engine, "end", self.ended.append)

    def _find(self, name: str) -> str:
        if name in self.missing:
            raise engine.Gone(name)
        if name in self.unsure:
            raise engine.Unreachable(name)
        return name

    def _ask(self, actor: str, method: str, *_: Any, **__: Any) -> Any:
        match method:
            case "plan":
                return {"lease": 15.0, "order": ["web"]}
            case "trouble":
                return self.trouble
            case "status":
                self.asked += 1
                heard = self.heard.pop(0) if len(self.heard) > 1 else self.heard[0]
                facts = {"state": "running", "heard_s": heard, "ready_s": heard, "node": self.node, "epoch": 1}
                return {"web": facts}
            case "end":
                return None
            case "logs" | "events":
                return {"at": actor, "told": []}
        raise AssertionError(method)

    def _ask_while(self, actor: str, method: str, *_: Any, is_wanted: Callable[[], bool], **__: Any) -> Any:
        """Stops after three times that nobody answered."""
        for _turn in range(3):
            if not is_wanted():
                raise engine.Unreachable(actor)
        return True


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    return Fake(monkeypatch)


def stopped(fake: Fake) -> list[tuple[bool, str]]:
    return [(each["ok"], each["words"]) for each in fake.face.down(None)]


@pytest.mark.parametrize(
    ("heard", "node", "told"),
    [
        ([0.5, 4.0, 9.0, 14.0], "a", (True, "stopped")),  # busy, and there all the same
        ([0.5, 4.0, 9.0, 15.5], "a", (False, words.ENDS_BY_ITSELF)),  # its lease is over
        ([0.5, 4.0], "gone", (False, words.ENDS_BY_ITSELF)),  # Ray knows that its node is dead
    ],
)
def test_a_keeper_that_is_silent_is_waited_for_as_long_as_it_may_have_its_service(
    fake: Fake, heard: list[float], node: str, told: tuple[bool, str]
) -> None:
    fake.heard, fake.node = heard, node
    assert stopped(fake) == [told]
    assert "shop-1/web" in fake.ended


def test_a_keeper_that_ray_cannot_look_up_is_not_said_to_have_stopped(fake: Fake) -> None:
    fake.unsure.add("shop-1/web")
    assert stopped(fake) == [(False, words.ENDS_BY_ITSELF)]
    fake.unsure.clear()
    fake.missing.add("shop-1/web")
    assert stopped(fake) == [(True, "stopped")]


def test_nodes_that_do_not_tell_what_they_have_are_named(fake: Fake) -> None:
    from supervisor.api.values import LogQuery

    assert fake.face.logs(["web"], LogQuery()) == []
    assert fake.face.silent == {}
    fake.missing.add("shop-1@id-b")
    fake.face.logs(["web"], LogQuery())
    assert fake.face.silent == {"b": ""}
    fake.trouble = {"b": "RuntimeError: no room"}
    fake.face.events(["web"], 10)
    assert fake.face.silent == {"b": "RuntimeError: no room"}
    told = words.node_is_silent("b", fake.face.silent["b"])
    assert told == "node b does not answer (RuntimeError: no room): what it alone has is missing here"


def test_a_node_that_can_have_no_agent_keeps_no_other_from_its_own_and_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from supervisor.cluster.registry import Registry

    registry: Any = Registry.__new__(Registry)
    registry._plan, registry._trouble, registry._nodes = {"stack": "shop", "instance": 1}, {}, []
    made: list[str] = []

    def make(_: object, __: object, node: str) -> None:
        if node == "id-a":
            raise RuntimeError("no room")
        made.append(node)

    monkeypatch.setattr(engine, "nodes", lambda: NODES)
    monkeypatch.setattr(engine, "make_agent", make)
    there: set[str] = set()
    for _ in range(2):
        registry._trouble = registry._send_to_new(there)
        assert registry.trouble() == {"a": "RuntimeError: no room"}
    assert (made, there) == (["id-b"], {"id-b"})
    assert capsys.readouterr().err.count("Traceback") == 1  # it is tried every second

    def fail() -> None:
        raise PortsupError("cannot ask", "the head is gone")

    monkeypatch.setattr(engine, "nodes", fail)
    registry._trouble = registry._send_to_new(there)
    assert registry.trouble() == {"": "PortsupError: cannot ask: the head is gone"}
