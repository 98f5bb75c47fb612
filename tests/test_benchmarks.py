"""What the table of the benchmarks says of values that are known."""

from itertools import pairwise

import pytest

from benchmarks.contestants import Floor, HoldingFloor, Portsup, PythonFloor
from benchmarks.curve import picture, spread_out
from benchmarks.measures import MEASURES, PYTHON, Goal, Measure, Values, can, stop
from benchmarks.peers import Honcho, Supervisord
from benchmarks.report import is_missed, rows, summary


def measure(*goals: Goal) -> Measure:
    return Measure("stop of one", "ms", stop(1), goals)


@pytest.mark.parametrize(
    ("goal", "values", "missed"),
    [
        (Goal(1.0, "s6"), {"portsup": [2.0], "s6": [2.0]}, False),
        (Goal(1.0, "s6"), {"portsup": [2.1], "s6": [2.0]}, True),
        (Goal(1.0, "s6", is_least=True), {"portsup": [1.9], "s6": [2.0]}, True),
        (Goal(1.0, "s6", is_least=True), {"portsup": [2.0], "s6": [2.0]}, False),
        (Goal(5.0), {"portsup": [4.0, 5.0, 9.0]}, False),
        (Goal(4.0), {"portsup": [4.0, 5.0, 9.0]}, True),
        (Goal(3, "C floor", less_python=True), {"portsup": [16.0], "C floor": [2.0], PYTHON: [10.0]}, False),
        (Goal(3, "C floor"), {"portsup": [16.0], "C floor": [2.0], PYTHON: [10.0]}, True),
        (Goal(1.0, "s6", with_p99=True), {"portsup": [1.0] * 19 + [9.0], "s6": [1.0] * 20}, True),
        (Goal(1.0, "s6"), {"portsup": [1.0] * 19 + [9.0], "s6": [1.0] * 20}, False),
        (Goal(1.0, "s6"), {"portsup": [2.0]}, False),  # nobody can tell without it
        (Goal(1.0, "s6"), {"portsup": [1.0], "s6": [0.0]}, True),
    ],
)
def test_a_goal(goal: Goal, values: Values, missed: bool) -> None:
    assert is_missed(measure(goal), values) is missed


def test_rows_are_in_the_order_of_their_medians_and_say_the_ratios() -> None:
    told = list(rows(measure(Goal(0.5, "s6"), Goal(1, "mprocs")), {"portsup": [3.0], "s6": [2.0], "circus": [6.0]}))
    assert [line.split()[0] for line in told[1:4]] == ["s6", "portsup", "circus"]
    assert "portsup 1.5 of it" in told[1]
    assert "portsup 0.5 of it" in told[3]
    assert told[4:] == ["    median: 1.5 of s6, at most 0.5: goal MISSED"]


def test_a_missed_goal_has_the_floor_beside_it() -> None:
    values: Values = {"portsup": [3.0], "s6": [2.0], "Python floor": [1.5], "holding floor": [1.8]}
    assert list(rows(measure(Goal(0.5, "s6"), Goal(2)), values))[5:] == [
        "    median: 1.5 of s6, at most 0.5: goal MISSED (Python floor: 0.75, holding floor: 0.9)",
        "    at most 2: goal MISSED (Python floor: 1.5, holding floor: 1.8)",
    ]
    assert list(rows(measure(Goal(2.0, "s6")), values))[5] == "    median: 1.5 of s6, at most 2: goal met"


def test_the_summary_has_the_missed_goals_first() -> None:
    lines = list(summary([(measure(Goal(4)), {"portsup": [3.0]}), (measure(Goal(2)), {"portsup": [3.0]})]))
    assert lines == ["stop of one: at most 2: goal MISSED", "stop of one: at most 4: goal met"]


def test_nobody_is_measured_in_what_it_does_not_have() -> None:
    assert not can(Honcho, "restart")
    assert not can(Supervisord, "start-again")
    assert can(Portsup, "start-again")
    assert can(PythonFloor, "start-again")
    assert can(HoldingFloor, "start-again")
    assert all(can(Floor, name) for name in MEASURES if name != "start-again")


def test_the_picture_has_a_curve_for_each_figure_and_labels_that_cover_none() -> None:
    first = {"up": 1.0, "status": 0.1, "reload": 0.2, "down": 0.1, "memory": 20.0, "stall": 0.0}
    drawn = picture({10: first, 100: {**first, "up": 12.0, "stall": 3.0}}, "a <machine>")
    assert drawn.count("<polyline") == 1 + len(first) + 1  # the axes, the curves, and what is proportional
    assert "a &lt;machine&gt;" in drawn
    assert "up 12 s" in drawn
    places = sorted(spread_out({"a": 100.0, "b": 101.0, "c": 440.0, "d": 440.0}).values())
    assert min(after - before for before, after in pairwise(places)) >= 15
