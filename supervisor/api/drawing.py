"""Which service needs which, as boxes and arrows on a plane: placed here for every window that draws them.  Pure."""

from collections.abc import Mapping, Sequence
from html import escape

from supervisor.api.sight import Graph
from supervisor.dataclass import dataclass
from supervisor.words import answers

_WIDTH, _HEIGHT = 160, 32  # of a box
_ASIDE, _BELOW = 70, 16  # between two boxes
_EDGE = 12
_LONGEST = 19  # characters that fit into a box


@dataclass(frozen=True, slots=True)
class Box:
    """A service; `label` is its name as far as it fits."""

    name: str
    label: str
    x: int
    y: int
    width: int = _WIDTH
    height: int = _HEIGHT


@dataclass(frozen=True, slots=True)
class Arrow:
    """From what is needed to what needs it; `path` and `head` are in the language of SVG paths."""

    begin: str
    end: str
    label: str
    path: str
    head: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it; services of one step of the start stand in one column."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def drawn(graph: Graph) -> Drawing:
    """The graph, each service to the right of what it needs, and near it; an arrow passes no other box."""
    level_of = {name: number for number, level in enumerate(graph.levels) for name in level}
    arrows = [each for each in graph.needs if each.needs in level_of and each.service in level_of]
    needs: dict[str, list[str]] = {}
    for need in arrows:
        needs.setdefault(need.service, []).append(need.needs)
    # What leads past a level has a place of its own there, as if it were a box.
    farthest: dict[str, int] = {}
    for need in arrows:
        farthest[need.needs] = max(farthest.get(need.needs, 0), level_of[need.service])
    passing = [
        [name for name, begin in level_of.items() if begin < number < farthest.get(name, 0)]
        for number in range(len(graph.levels))
    ]
    tallest = max((len(level) + len(past) for level, past in zip(graph.levels, passing, strict=True)), default=0)
    rows: dict[tuple[str, int], float] = {}  # by service and level
    for number, (level, past) in enumerate(zip(graph.levels, passing, strict=True)):
        # Each where those that it needs are in the middle, in so far as two do not come to stand in one place.
        wanted = {
            name: _middle([rows[each, number - 1] for each in ([name] if name in past else needs.get(name, ()))])
            for name in (*level, *past)
        }
        begin = (tallest - len(wanted)) / 2
        for row, name in enumerate(sorted(wanted, key=lambda each: wanted[each])):
            rows[name, number] = begin + row
    boxes = {
        name: Box(name, _label(name), _left(number), _top(rows[name, number])) for name, number in level_of.items()
    }
    between = {
        (need.needs, need.service): [
            (_left(number), _top(rows[need.needs, number]) + _HEIGHT // 2)
            for number in range(level_of[need.needs] + 1, level_of[need.service])
        ]
        for need in arrows
    }
    drawn_arrows = [
        _arrow(boxes[each.needs], boxes[each.service], each.condition, between[each.needs, each.service])
        for each in arrows
    ]
    width = 2 * _EDGE + len(graph.levels) * (_WIDTH + _ASIDE) - _ASIDE
    height = 2 * _EDGE + tallest * (_HEIGHT + _BELOW) - _BELOW
    return Drawing(max(width, 0), max(height, 0), tuple(boxes.values()), tuple(drawn_arrows))


def _middle(places: list[float]) -> float:
    return sum(places) / len(places) if places else 0.0


def _left(level: int) -> int:
    return _EDGE + level * (_WIDTH + _ASIDE)


def _top(row: float) -> int:
    return round(_EDGE + row * (_HEIGHT + _BELOW))


def _label(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _arrow(begin: Box, end: Box, label: str, between: Sequence[tuple[int, int]]) -> Arrow:
    """`between` are the places where it passes a level: the left of what would be a box."""
    x1, y1 = begin.x + begin.width, begin.y + begin.height // 2
    x2, y2 = end.x - 7, end.y + end.height // 2
    path = f"M{x1},{y1}"
    for x, y in (*between, (x2, y2)):
        bend = max(24, (x - x1) // 2)
        path += f"C{x1 + bend},{y1},{x - bend},{y},{x},{y}"
        if x != x2:
            x1, y1 = x + _WIDTH, y
            path += f"H{x1}"
    return Arrow(begin.name, end.name, label, path, f"M{x2},{y2 - 4}L{x2 + 7},{y2}L{x2},{y2 + 4}Z")


def as_svg(drawing: Drawing, title: str, notes: Mapping[str, str]) -> str:
    """A file that a browser shows, in its light or its dark mode; `notes` stand below the names."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{drawing.width}" height="{drawing.height}" '
        f'viewBox="0 0 {drawing.width} {drawing.height}" role="img">',
        f"<title>{escape(title)}</title>",
        "<style>text{font:13px system-ui,sans-serif;fill:#1b1f24}.note{font-size:10px;fill:#57606a}rect{fill:#f1f3f6;"
        "stroke:#8b95a1}path{fill:none;stroke:#57606a}.head{fill:#57606a}svg{background:#fff}"
        "@media(prefers-color-scheme:dark){text{fill:#e6e9ee}.note{fill:#a9b2bd}rect{fill:#1f232b;stroke:#6b7683}"
        "path{stroke:#a9b2bd}.head{fill:#a9b2bd}svg{background:#16181d}}</style>",
    ]
    for arrow in drawing.arrows:
        about = escape(answers.needs(arrow.end, arrow.begin, arrow.label))
        lines.append(f'<path d="{arrow.path}"><title>{about}</title></path><path class="head" d="{arrow.head}"/>')
    for box in drawing.boxes:
        note = notes.get(box.name, "")
        y = box.y + (14 if note else 20)
        lines.append(
            f'<g><title>{escape(box.name)}</title><rect x="{box.x}" y="{box.y}" width="{box.width}" '
            f'height="{box.height}" rx="6"/><text x="{box.x + 10}" y="{y}">{escape(box.label)}</text>'
            + (f'<text class="note" x="{box.x + 10}" y="{box.y + 26}">{escape(note)}</text>' if note else "")
            + "</g>"
        )
    return "\n".join([*lines, "</svg>"]) + "\n"
