"""What happened to each service as a lane over time, on which each event is a mark."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from supervisor.api.rows import ON_DARK, ON_LIGHT, SHAPES, Look
from supervisor.api.values import Event
from supervisor.core.escapes import tamed
from supervisor.dataclass import dataclass
from supervisor.words import view

_LONGEST_NAME = 18
_LOOKS = {"error": Look.FAILED, "warning": Look.UNHEALTHY}
_PLAIN = {SHAPES[Look.FAILED]: "x", SHAPES[Look.UNHEALTHY]: "!", SHAPES[Look.READY]: "*", "•": "o", "─": "-"}
_WEIGHTS = ("•", SHAPES[Look.READY], SHAPES[Look.UNHEALTHY], SHAPES[Look.FAILED])


@dataclass(frozen=True, slots=True)
class Mark:
    """An event on its lane, or several where they are close to each other: `event` is the worst of them."""

    column: int
    shape: str
    event: Event


def lane_of(event: Event) -> str:
    """The name of the lane that an event is on; the stack has one of its own."""
    return event.service or ""


def seconds_of(event: Event) -> float:
    """When it was."""
    return datetime.fromisoformat(event.time).timestamp()


def shape_of(event: Event) -> str:
    """What it looks like; nothing depends on a colour."""
    if event.level in _LOOKS:
        return SHAPES[_LOOKS[event.level]]
    return SHAPES[Look.READY] if event.state == "running" else "•"


def marks(events: Sequence[Event], begin: float, end: float, width: int) -> dict[str, list[Mark]]:
    """By lane what stands on it, from left to right; of what is older than `begin` nothing.  Pure."""
    found: dict[str, dict[int, Mark]] = {}
    for event in events:
        at = seconds_of(event)
        if begin <= at:
            column = min(width - 1, int((at - begin) / max(end - begin, 0.001) * width))
            lane = found.setdefault(lane_of(event), {})
            known = lane.get(column)
            shape = shape_of(event)
            if known is None or _WEIGHTS.index(known.shape) <= _WEIGHTS.index(shape):
                lane[column] = Mark(column, shape, event)
    return {name: [lane[column] for column in sorted(lane)] for name, lane in found.items()}


class Lanes(ScrollView, can_focus=False):
    """The lanes, of which those are shown that have room."""

    class Chosen(Message):
        """Somebody has pointed at an event."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    def __init__(self, *, plain: bool) -> None:
        super().__init__()
        self._plain = plain
        self._names: tuple[str, ...] = ()
        self._marks: Mapping[str, Sequence[Mark]] = {}
        self._chosen: Event | None = None
        self._column = -1  # of the chosen event, -1 where it is older than what is shown
        self._told: object = None

    def put(
        self, events: Sequence[Event], order: Sequence[str], span: tuple[float, float], chosen: Event | None
    ) -> None:
        """Shows these from moment to moment, the lanes in this order."""
        begin, end = span
        told = (len(events), events[-1:], tuple(order), span, chosen, self.size.width)
        if told == self._told:
            return
        self._told = told
        before = self._drawn_from
        self._marks = marks(events, begin, end, self._room)
        self._names = tuple(name for name in ("", *order) if name in self._marks)
        self._chosen = chosen
        self._column = -1
        if chosen is not None and seconds_of(chosen) >= begin:
            at = (seconds_of(chosen) - begin) / max(end - begin, 0.001)
            self._column = min(self._room - 1, int(at * self._room))
        if self._drawn_from == before:  # as in most seconds: a column stands for more than one
            return
        self.virtual_size = Size(self.size.width, len(self._names))
        if chosen is not None and lane_of(chosen) in self._names:
            number = self._names.index(lane_of(chosen))
            if not self.scroll_offset.y <= number < self.scroll_offset.y + max(1, self.size.height):
                self.scroll_to(y=max(0, number - self.size.height // 2), animate=False)
        self.refresh()

    @property
    def _drawn_from(self) -> object:
        """All that the lines are made of."""
        return self._names, dict(self._marks), self._chosen, self._column, self.size.width

    @property
    def count(self) -> int:
        """How many lanes there are."""
        return len(self._names)

    @property
    def _room(self) -> int:
        return max(10, self.size.width - _LONGEST_NAME - 2)

    def render_line(self, y: int) -> Strip:
        number = y + self.scroll_offset.y
        base = self.rich_style
        if number >= len(self._names):
            return Strip.blank(self.size.width, base)
        name = self._names[number]
        is_here = self._chosen is not None and lane_of(self._chosen) == name
        title = f" {_title(name)[: _LONGEST_NAME - 1]:{_LONGEST_NAME}}"
        segments = [Segment(title, base + Style(bold=is_here))]
        column = 0
        colours = ON_DARK if self.app.current_theme.dark else ON_LIGHT
        by_shape = {shape: look for look, shape in SHAPES.items()}
        for mark in self._marks[name]:
            segments.append(Segment(self._drawn("─" * (mark.column - column)), base + Style(dim=True)))
            style = Style(color=colours[by_shape[mark.shape]]) if mark.shape in by_shape else Style()
            reverse = Style(reverse=is_here and mark.column == self._column)
            segments.append(Segment(self._drawn(mark.shape), base + style + reverse))
            column = mark.column + 1
        segments.append(Segment(self._drawn("─" * (self._room - column)), base + Style(dim=True)))
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _drawn(self, text: str) -> str:
        return "".join(_PLAIN[each] for each in text) if self._plain else text

    def on_click(self, event: Click) -> None:
        """The event that is nearest to where somebody points."""
        number = event.y + self.scroll_offset.y
        if 0 <= number < len(self._names):
            column = event.x - _LONGEST_NAME - 1
            nearest = min(self._marks[self._names[number]], key=lambda mark: abs(mark.column - column))
            self.post_message(self.Chosen(nearest.event))


def _title(name: str) -> str:
    return tamed(name) or view.STACK
