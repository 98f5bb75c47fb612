"""The order that dependencies make."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.order import Circle, find_cycle, levels, with_dependencies

DIAMOND = {"web": ["api", "auth"], "api": ["db"], "auth": ["db"], "db": [], "job": []}
NAMES = st.sampled_from("abcdef")
GRAPHS = st.dictionaries(NAMES, st.sets(NAMES))


def test_levels_hold_what_can_start_side_by_side_in_the_order_of_the_file() -> None:
    assert levels(DIAMOND) == (("db", "job"), ("api", "auth"), ("web",))


def test_a_dependency_outside_of_the_graph_is_no_obstacle() -> None:
    assert levels({"web": ["elsewhere"]}) == (("web",),)


def test_a_circle_is_named_from_its_first_name_back_to_it() -> None:
    assert find_cycle({"web": ["api"], "api": ["db"], "db": ["api"]}) == ("api", "db", "api")
    assert find_cycle({"web": ["web"]}) == ("web", "web")
    assert find_cycle(DIAMOND) == ()
    with pytest.raises(Circle) as caught:
        levels({"a": ["b"], "b": ["a"]})
    assert caught.value.names == ("a", "b", "a")


def test_what_a_service_needs_reaches_through_others() -> None:
    assert with_dependencies(DIAMOND, ["api"]) == {"api", "db"}
    assert with_dependencies(DIAMOND, []) == frozenset()


def test_a_long_chain_needs_no_deep_stack() -> None:
    chain = {str(number): [str(number + 1)] for number in range(5000)}
    assert find_cycle(chain) == ()
    assert len(with_dependencies(chain, ["0"])) == 5001


@given(GRAPHS)
def test_every_graph_has_either_a_circle_or_levels_in_which_needs_come_first(graph: dict[str, set[str]]) -> None:
    circle = find_cycle(graph)
    if circle:
        assert circle[0] == circle[-1]
        assert all(after in graph[before] for before, after in pairwise(circle))
        with pytest.raises(Circle):
            levels(graph)
        return
    at = {name: number for number, level in enumerate(levels(graph)) for name in level}
    assert at.keys() == graph.keys()
    assert all(at[need] < at[name] for name, needs in graph.items() for need in needs if need in graph)


@given(GRAPHS, st.sets(NAMES))
def test_closures_contain_themselves_and_are_closed(graph: dict[str, set[str]], names: set[str]) -> None:
    found = with_dependencies(graph, names)
    assert names <= found
    assert all(need in found for name in found for need in graph.get(name, ()))
