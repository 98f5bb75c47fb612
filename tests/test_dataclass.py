"""Our dataclasses behave as those of the standard library in all that this package uses of them."""

import ast
import copy
import dataclasses
import pickle
from types import ModuleType
from typing import Any, ClassVar

import pytest

import supervisor.dataclass as lean
from tests.support.source import nodes, source_files


def classes(of: ModuleType) -> dict[str, type]:
    """The same classes, made by one module or the other."""

    @of.dataclass(frozen=True, slots=True)
    class Nothing: ...

    @of.dataclass(frozen=True, slots=True)
    class Point:
        """With defaults."""

        x: int
        y: int = 2
        names: list[str] = of.field(default_factory=list)
        unit: ClassVar[str] = "cm"

        @property
        def sum(self) -> int:
            return self.x + self.y

    @of.dataclass(frozen=True, slots=True)
    class Further(Point):
        z: int = 3
        y: int = 7

    @of.dataclass(slots=True)
    class Counter:
        start: int
        seen: set[int] = of.field(default_factory=set, init=False)
        _next: int = of.field(init=False)

        def __post_init__(self) -> None:
            self._next = self.start + 1

    @of.dataclass(slots=True, eq=False)
    class Alone:
        x: int = 0

    return {each.__name__: each for each in (Nothing, Point, Further, Counter, Alone)}


STANDARD, LEAN = classes(dataclasses), classes(lean)
BOTH = pytest.mark.parametrize("made", [STANDARD, LEAN], ids=["standard", "lean"])
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Nothing", (), {}),
    ("Nothing", (1,), {}),
    ("Nothing", (), {"x": 1}),
    ("Point", (), {}),
    ("Point", (1,), {}),
    ("Point", (1, 5), {}),
    ("Point", (1, 5, ["a"]), {}),
    ("Point", (1, 5, ["a"], 4), {}),
    ("Point", (1,), {"x": 1}),
    ("Point", (), {"names": ["b"], "x": 4}),
    ("Point", (1,), {"other": 1}),
    ("Point", (), {"y": 1}),
    ("Further", (1, 2), {}),
    ("Further", (1, 2, [], 4), {}),
    ("Further", (1,), {"z": 9}),
    ("Counter", (4,), {}),
    ("Counter", (4, {1}), {}),
    ("Counter", (), {"start": 4}),
    ("Counter", (), {"start": 4, "_next": 2}),
    ("Alone", (), {}),
    ("Alone", (2,), {}),
]


@pytest.mark.parametrize("times", [1, 40], ids=["first", "often"])
@pytest.mark.parametrize(("name", "args", "named"), CALLS)
def test_calls_make_the_same_or_are_refused(
    name: str, args: tuple[Any, ...], named: dict[str, Any], times: int
) -> None:
    def outcome(made: dict[str, type]) -> object:
        try:
            return repr(made[name](*args, **named))
        except TypeError:
            return TypeError

    standard, ours = classes(dataclasses), classes(lean)
    assert [outcome(ours) for _ in range(times)] == [outcome(standard)] * times


def test_defaults_that_change_belong_to_one_instance() -> None:
    one, other = LEAN["Point"](1), LEAN["Point"](1)
    one.names.append("a")
    assert (one.names, other.names) == (["a"], [])


@BOTH
def test_equal_are_those_of_one_class_with_equal_fields(made: dict[str, type]) -> None:
    point, further, counter, alone = (made[name] for name in ("Point", "Further", "Counter", "Alone"))
    assert point(1) == point(1, 2, [])
    assert point(1) != point(2)
    assert point(1, 7) != further(1, 7)
    assert made["Nothing"]() == made["Nothing"]()
    assert counter(1) == counter(1)
    assert counter(1) != counter(2)
    assert alone(1) != alone(1)


@BOTH
def test_frozen_ones_are_hashed_by_their_fields_and_others_not_at_all(made: dict[str, type]) -> None:
    point, counter = made["Point"], made["Counter"]
    assert hash(point(1, 2, ())) == hash(point(1, 2, ())) != hash(point(2, 2, ()))
    assert len({made["Nothing"](), made["Nothing"]()}) == 1
    assert len({made["Alone"](1), made["Alone"](1)}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter(1))


@BOTH
def test_frozen_ones_do_not_change(made: dict[str, type]) -> None:
    point = made["Point"](1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="x"):
        point.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x
    assert point.x == 1


@BOTH
def test_there_is_no_room_for_other_attributes(made: dict[str, type]) -> None:
    with pytest.raises(AttributeError):
        made["Counter"](1).other = 2
    assert not hasattr(made["Further"](1), "__dict__")


@pytest.mark.parametrize("of", [(dataclasses, STANDARD), (lean, LEAN)], ids=["standard", "lean"])
def test_a_copy_with_changes(of: tuple[Any, dict[str, type]]) -> None:
    module, made = of
    point = made["Point"](1, 5, ["a"])
    assert module.replace(point, y=9) == made["Point"](1, 9, ["a"])
    assert module.replace(point) == point
    assert repr(module.replace(made["Counter"](1), start=4)) == repr(made["Counter"](4))
    assert module.replace(made["Further"](1), z=5).z == 5
    with pytest.raises(TypeError, match="other"):
        module.replace(point, other=1)


@pytest.mark.parametrize("of", [(dataclasses, STANDARD), (lean, LEAN)], ids=["standard", "lean"])
def test_fields_are_told_in_their_order(of: tuple[Any, dict[str, type]]) -> None:
    module, made = of
    assert [each.name for each in module.fields(made["Further"])] == ["x", "y", "names", "z"]
    assert [each.name for each in module.fields(made["Counter"](1))] == ["start", "seen", "_next"]
    with pytest.raises(TypeError, match="dataclass"):
        module.fields(int)


def test_nobody_looks_for_annotations_in_the_dictionary_of_a_class() -> None:
    """Where they are no longer since Python 3.14."""
    named = [path for path in source_files("supervisor") if "__annotations__" in path.read_text()]
    texts = {path: [str(node.value) for node in nodes(path, ast.Constant)] for path in named}
    assert [path for path, found in texts.items() if "__annotations__" in found] == []


@BOTH
def test_they_are_matched_by_position(made: dict[str, type]) -> None:
    assert made["Further"].__match_args__ == ("x", "y", "names", "z")  # type: ignore[attr-defined]
    assert made["Nothing"].__match_args__ == ()  # type: ignore[attr-defined]


@BOTH
def test_what_a_class_says_itself_stays(made: dict[str, type]) -> None:
    point = made["Point"]
    assert (point.__doc__, point(1).sum, point.unit) == ("With defaults.", 3, "cm")  # type: ignore[attr-defined]
    assert point.__qualname__ == "classes.<locals>.Point"


@lean.dataclass(frozen=True, slots=True)
class Parcel:
    """At the top of a module, so that it can be found again."""

    label: str
    weight: int = 1


def test_copies_and_pickles_are_equal() -> None:
    parcel = Parcel("a", 3)
    assert copy.copy(parcel) == copy.deepcopy(parcel) == pickle.loads(pickle.dumps(parcel)) == parcel


def test_classes_without_slots_are_refused() -> None:
    with pytest.raises(TypeError, match="slots"):
        lean.dataclass(slots=False)
