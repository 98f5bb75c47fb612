"""Which service needs which, drawn with characters: each to the right of what it needs.  Pure.

Services of one step of the start stand in one column.  What leads past a step goes through it as an `Item` without a
label.  Each line that comes to a service has a row of its own, in which no other one begins: so two lines cross, and
never meet, and each can be followed to its end.
"""

from collections.abc import Iterable, Mapping, Sequence

from supervisor.core.order import Graph, levels
from supervisor.dataclass import dataclass

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
_LINES: Mapping[int, str] = {
    LEFT: "─", RIGHT: "─", LEFT | RIGHT: "─", UP: "│", DOWN: "│", UP | DOWN: "│",
    DOWN | RIGHT: "╭", DOWN | LEFT: "╮", UP | RIGHT: "╰", UP | LEFT: "╯",
    UP | DOWN | RIGHT: "├", UP | DOWN | LEFT: "┤", DOWN | LEFT | RIGHT: "┬", UP | LEFT | RIGHT: "┴",
    UP | DOWN | LEFT | RIGHT: "┼",
}  # fmt: skip
_PLAIN = {"─": "-", "│": "|", "▶": ">"}
_ARROW = 3  # from the last line that goes down to the name: `─▶ `


@dataclass(frozen=True, slots=True)
class Span:
    """Where a service stands: its row, and from which column to which."""

    row: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Sketch:
    """The lines of the drawing, and where each service stands in it."""

    lines: tuple[str, ...]
    places: Mapping[str, Span]


@dataclass(frozen=True, slots=True)
class _Item:
    """A service in its column, or the line from `name` that only passes."""

    name: str
    passes: bool = False


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where an item stands: its first row, and those in which lines come in, by where they come from."""

    row: int
    ins: Mapping[str, int]


_Column = dict[_Item, _Spot]


def sketched(graph: Graph, labels: Mapping[str, str], *, plain: bool = False) -> Sketch:
    """The drawing of a graph without a circle, with these labels for the services; `plain` is of ASCII alone."""
    steps = levels(graph)
    step_of = {name: number for number, names in enumerate(steps) for name in names}
    needs = {name: [need for need in dict.fromkeys(needs) if need in step_of] for name, needs in graph.items()}
    columns = _columns(steps, step_of, needs)
    canvas = _Canvas()
    places: dict[str, Span] = {}
    x = 0
    for number, column in enumerate(columns):
        width = max((len(labels[item.name]) for item in column if not item.passes), default=1)
        for item, spot in column.items():
            if item.passes:
                canvas.across(item.name, spot.row, x - 1, x + width)
            else:
                places[item.name] = Span(spot.row, x, x + len(labels[item.name]))
                canvas.down(f"{item.name} itself", x, spot.row, max(spot.ins.values(), default=spot.row))
        if number + 1 < len(columns):
            x += width + _joined(canvas, column, columns[number + 1], needs, places, x + width)
    return Sketch(canvas.drawn(places, labels, plain=plain), places)


def _columns(
    steps: Sequence[Sequence[str]], step_of: Mapping[str, int], needs: Mapping[str, Sequence[str]]
) -> list[_Column]:
    """Each step, with the rows of what stands in it and passes through it."""
    last: dict[str, int] = {}  # the last step that a line from a service leads to
    for name, its in needs.items():
        for need in its:
            last[need] = max(last.get(need, 0), step_of[name])
    columns: list[_Column] = []
    for number, names in enumerate(steps):
        passing = [name for name, step in step_of.items() if step < number < last.get(name, 0)]
        items = [*map(_Item, names), *(_Item(name, passes=True) for name in passing)]
        columns.append(_rows(items, columns[-1] if columns else {}, needs, last, number))
    return columns


def _rows(
    items: Sequence[_Item], before: _Column, needs: Mapping[str, Sequence[str]], last: Mapping[str, int], step: int
) -> _Column:
    """Each near what it comes from, and no line in a row in which another one begins."""
    leaving = {spot.row: item.name for item, spot in before.items() if last.get(item.name, -1) >= step}
    row_of = {name: row for row, name in leaving.items()}
    origins = {item: sorted(_origins(item, needs), key=row_of.__getitem__) for item in items}
    column: _Column = {}
    free = 0
    for item in sorted(items, key=lambda each: _middle([row_of[name] for name in origins[each]])):
        ins: dict[str, int] = {}
        row = max(free, row_of[origins[item][0]]) if origins[item] else free
        for name in origins[item]:
            while leaving.get(row, name) != name:
                row += 1
            ins[name] = row
            row += 1
        column[item] = _Spot(min(ins.values(), default=row), ins)
        free = max(row, column[item].row + 1)
    return column


def _middle(rows: Sequence[int]) -> float:
    return sum(rows) / len(rows) if rows else 0.0


def _origins(item: _Item, needs: Mapping[str, Sequence[str]]) -> Sequence[str]:
    return (item.name,) if item.passes else needs[item.name]


def _joined(
    canvas: "_Canvas", before: _Column, after: _Column, needs: Mapping[str, Sequence[str]], places: Mapping[str, Span],
    begin: int,
) -> int:  # fmt: skip
    """Draws the lines between two columns, the first of which ends at `begin`; how wide they are."""
    ends: dict[_Item, list[tuple[int, bool]]] = {}  # by where they begin: rows, and whether there is an arrow
    for to, spot in after.items():
        for name, row in spot.ins.items():
            item = next(each for each in (_Item(name), _Item(name, passes=True)) if each in before)
            ends.setdefault(item, []).append((row, not to.passes))
    tracks = _tracks({item: [before[item].row, *(row for row, _ in found)] for item, found in ends.items()})
    width = 2 + 2 * (max(tracks.values(), default=-1) + 1) + _ARROW
    for item, found in ends.items():
        row = before[item].row
        track = begin + 2 + 2 * tracks.get(item, 0)
        rows = [row, *(to for to, _ in found)]
        canvas.across(item.name, row, begin if item.passes else places[item.name].end + 1, track)
        canvas.down(item.name, track, min(rows), max(rows))
        for end, has_arrow in found:
            canvas.across(item.name, end, track, begin + width - (2 if has_arrow else 1))
            if has_arrow:
                canvas.arrows.add((end, begin + width - 2))
    return width


def _tracks(rows: Mapping[_Item, Iterable[int]]) -> dict[_Item, int]:
    """In which column of a gap each line goes down; two that never meet in a row share one."""
    spans = sorted((min(its), max(its), number, item) for number, (item, its) in enumerate(rows.items()))
    taken: list[int] = []
    found: dict[_Item, int] = {}
    for low, high, _, item in spans:
        if low == high:
            continue  # straight on
        track = next((number for number, until in enumerate(taken) if until < low), len(taken))
        taken[track:] = [high, *taken[track + 1 :]]
        found[item] = track
    return found


class _Canvas:
    """Lines on a plane, each of which knows whose it is."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], dict[str, int]] = {}  # by row and column: directions of each line
        self.arrows: set[tuple[int, int]] = set()

    def across(self, line: str, row: int, begin: int, end: int) -> None:
        """From column to column, both of them included."""
        for x in range(begin, end + 1):
            self._add(line, row, x, (LEFT if x > begin else 0) | (RIGHT if x < end else 0))

    def down(self, line: str, x: int, begin: int, end: int) -> None:
        """From row to row, both of them included."""
        for row in range(begin, end + 1):
            self._add(line, row, x, (UP if row > begin else 0) | (DOWN if row < end else 0))

    def _add(self, line: str, row: int, x: int, ways: int) -> None:
        cell = self._cells.setdefault((row, x), {})
        cell[line] = cell.get(line, 0) | ways

    def drawn(self, places: Mapping[str, Span], labels: Mapping[str, str], *, plain: bool) -> tuple[str, ...]:
        """All of it, with the labels."""
        height = max([row for row, _ in self._cells] + [place.row for place in places.values()], default=-1) + 1
        lines: list[dict[int, str]] = [{} for _ in range(height)]
        for (row, x), cell in self._cells.items():
            lines[row][x] = "▶" if (row, x) in self.arrows else _character(list(cell.values()))
        for name, place in places.items():
            lines[place.row] |= dict(enumerate(labels[name], place.begin))
        drawn = tuple("".join(line.get(x, " ") for x in range(max(line, default=-1) + 1)) for line in lines)
        return tuple(map(_in_ascii, drawn)) if plain else drawn


def _character(lines: Sequence[int]) -> str:
    """What stands where these meet: one that goes on up and down passes over one that goes on from left to right."""
    together = 0
    for ways in lines:
        together |= ways
    if set(lines) == {UP | DOWN, LEFT | RIGHT}:
        return "│"
    return _LINES.get(together, " ")


def _in_ascii(line: str) -> str:
    return "".join(_PLAIN.get(each, "+" if each in _LINES.values() else each) for each in line)
