"""The graph of needs, drawn with characters: every line of it can be followed to its end."""

from hypothesis import given
from hypothesis import strategies as st

from supervisor.tui.sketch import Sketch, sketched

WAYS = {
    "─": "LR", "│": "UD", "╭": "DR", "╮": "DL", "╰": "UR", "╯": "UL", "├": "UDR", "┤": "UDL", "┬": "DLR", "┴": "ULR",
    "┼": "UDLR",
}  # fmt: skip
STEPS = {"U": (-1, 0), "D": (1, 0), "L": (0, -1), "R": (0, 1)}
BACK = {"U": "D", "D": "U", "L": "R", "R": "L"}


def at(sketch: Sketch, row: int, x: int) -> str:
    line = sketch.lines[row] if 0 <= row < len(sketch.lines) else ""
    return line[x] if 0 <= x < len(line) else " "


def led_to(sketch: Sketch, name: str) -> set[str]:
    """The services to which the line from this one leads, as somebody sees it who follows it with a finger."""
    place = sketch.places[name]
    found, seen = set(), set()
    todo = [(place.row, place.end + 1, "R")]
    while todo:
        row, x, way = todo.pop()
        if (row, x, way) in seen:
            continue
        seen.add((row, x, way))
        sign = at(sketch, row, x)
        if sign == "▶":
            above = [(each.row, other) for other, each in sketch.places.items() if each.begin == x + 2]
            found.add(max((number, other) for number, other in above if number <= row)[1])
        elif sign == "│" and way in "LR":  # beneath another one
            todo.append((row + STEPS[way][0], x + STEPS[way][1], way))
        else:
            ways = WAYS.get(sign, "")
            todo += [(row + STEPS[to][0], x + STEPS[to][1], to) for to in ways if to != BACK[way]]
    return found


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    count = draw(st.integers(0, 9))
    return {
        f"s{number}": draw(st.lists(st.sampled_from([f"s{each}" for each in range(number)]), max_size=4, unique=True))
        if number
        else []
        for number in range(count)
    }


@given(graphs())
def test_every_line_leads_to_those_that_need_the_service_and_to_no_others(graph: dict[str, list[str]]) -> None:
    sketch = sketched(graph, {name: name.center(number % 7 + 1, "x") for number, name in enumerate(graph)})
    for name in graph:
        assert led_to(sketch, name) == {other for other, needs in graph.items() if name in needs}


def test_a_small_graph() -> None:
    needs = {"db": [], "cache": [], "web": ["api"], "api": ["db", "cache"], "job": ["db"]}
    assert sketched(needs, {name: name for name in needs}).lines == (
        "db ────┬────▶ job",
        "cache ─│─╮",
        "       ╰─│──▶ api ──▶ web",
        "         ╰──▶ │",
    )


def test_a_graph_in_ascii() -> None:
    needs = {"a": [], "b": ["a"], "c": ["b", "a"]}
    assert sketched(needs, {name: name for name in needs}, plain=True).lines == (
        "a -+--> b --> c",
        "   +--------> |",
    )


def test_nothing_is_drawn_of_nothing() -> None:
    assert sketched({}, {}).lines == ()
