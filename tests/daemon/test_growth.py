"""What a long chain of services costs: what is done for each change does not grow with how many there are."""

import itertools

import pytest

from supervisor.core import events as ev
from supervisor.core.order import Circle, find_cycle, levels
from supervisor.core.relations import Relations
from supervisor.core.state import State
from supervisor.daemon.stack import stack as module
from tests.support.scene import READY, Scene, ended


def looks_at_a_chain(length: int, *, is_declared_backwards: bool) -> dict[str, int]:
    """How often services are looked at while a chain of them starts, and while it stops."""
    looks = 0

    class Counted(Relations):
        def in_order(self, names):  # type: ignore[no-untyped-def]
            nonlocal looks
            found = super().in_order(names)
            looks += len(found)
            return found

        def needs(self, name: str) -> tuple[str, ...]:
            nonlocal looks
            looks += 1
            return super().needs(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Relations", Counted)
        names = [f"s{number}" for number in range(length)]
        needs = {name: {before: READY} for before, name in itertools.pairwise(names)} | {names[0]: {}}
        scene = Scene({name: needs[name] for name in (reversed(names) if is_declared_backwards else names)})
        scene.start()
        looks = 0
        for name in names:
            assert scene.slots[name].service.state is State.STARTING
            scene.tell(name, ev.BecameReady)
        starting, looks = looks, 0
        scene.stack.stop_all()
        for name in reversed(names):
            assert scene.having(State.TERMINATING) == {name}
            scene.tell(name, ended(0))
        assert scene.stack.is_at_rest()
        return {"start": starting, "stop": looks}


@pytest.mark.parametrize("is_declared_backwards", [False, True])
def test_a_chain_starts_and_stops_in_a_time_that_grows_with_its_length(is_declared_backwards: bool) -> None:
    short, long = (looks_at_a_chain(length, is_declared_backwards=is_declared_backwards) for length in (20, 80))
    assert long["start"] <= 4 * short["start"] + 20
    assert long["stop"] <= 4 * short["stop"] + 20


def test_relations_go_both_ways_and_follow_what_there_is() -> None:
    scene = Scene({"db": {}, "api": {"db": READY}, "web": {"api": READY, "db": READY}})
    relations = scene.stack.relations
    assert relations.dependants("db") == ["api", "web"]
    assert relations.needs("web") == ("api", "db")
    assert relations.in_order({"web", "db", "gone"}) == ["db", "web"]
    del scene.slots["api"]
    assert relations.needs("web") == ("db",)
    assert relations.dependants("db") == ["web"]


def test_levels_and_cycles_of_thousands_are_found() -> None:
    names = [str(number) for number in range(5000)]
    chain = {name: (before,) for before, name in itertools.pairwise(names)} | {"0": ()}
    assert [level for (level,) in levels(chain)] == names
    assert find_cycle(chain) == ()
    circle = {**chain, "0": ("4999",)}
    assert len(find_cycle(circle)) == 5001
    with pytest.raises(Circle):
        levels(circle)
