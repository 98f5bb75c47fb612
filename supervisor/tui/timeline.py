"""The screen with what happened: a lane a service, every event, and from each the way to the lines of that moment."""

import bisect
from datetime import datetime
from time import time as now
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Static

from supervisor.api.values import Event, Update, line_of
from supervisor.core import journal
from supervisor.errors import PortsupError
from supervisor.tui.cells import clock_cell
from supervisor.tui.lanes import Lanes, lane_of, seconds_of
from supervisor.tui.live import Live
from supervisor.tui.logs import Logs
from supervisor.tui.style import shade
from supervisor.tui.texts import text_of
from supervisor.words import view
from supervisor.words.events import sentence

MOST = 1000  # events
_ROOMY = 110  # columns, from which on the day is shown too
_LONGEST_NAME = 18
_STYLES = {"warning": "yellow", "error": "bold red"}


class Timeline(Live):
    """What happened, the newest last."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "app.pop_screen", "back"), Binding("q", "app.pop_screen", "back", show=False),
        ("enter", "logs", "logs of then"),
        Binding("left", "along(-1)", "before it", show=False, priority=True),
        Binding("right", "along(1)", "in the lane", key_display="← →", priority=True),
        ("l", "lane", "one lane"), ("z", "span", "span"),
        ("g", "app.go('start')", "last start"),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
        Binding("G", "end", "end", show=False),
        Binding("question_mark", "app.help", "help", show=False),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._all: list[Event] = []
        self._known: set[tuple[str, int]] = set()
        self._seen: list[Event] = []  # those that are listed
        self._lane: str | None = None  # the only service whose events are listed
        self._span = next(iter(view.SPANS))
        self._layout = (0, 0, 0)  # widths of the columns

    def body(self) -> ComposeResult:
        yield Lanes(plain=self.top.plain)
        yield Static("", id="span", markup=False)
        yield DataTable[Text](cursor_type="row")

    def on_mount(self) -> None:
        self._lay_out()
        super().on_mount()
        self.query_one(DataTable).focus()
        self._read()

    def on_resize(self) -> None:
        if self._is_set_up:
            self._put_all(self._chosen)

    def _lay_out(self) -> None:
        """The columns, without a row."""
        when = 19 if self.size.width >= _ROOMY else 8
        who = min(_LONGEST_NAME, max([7, *(len(each.service or "") for each in self._all)]))
        layout = (when, who, max(20, self.size.width - when - who - 9))
        table = self.query_one(DataTable)
        table.clear(columns=layout != self._layout)
        if layout != self._layout:
            self._layout = layout
            for title, width in zip(("TIME", "SERVICE", "WHAT"), layout, strict=True):
                table.add_column(title, width=width)

    def heading(self) -> str:
        return "what happened" if self._lane is None else f"what happened to {self._lane or 'the stack'}"

    @work(thread=True, exit_on_error=False)
    def _read(self) -> None:
        try:
            page = self.top.project.history(*self.top.only, count=MOST)
        except PortsupError as error:
            self.app.call_from_thread(self.notify, f"{error.what}: {error.why}", severity="error")
            return
        self.app.call_from_thread(self._add, page.events)

    def show(self, update: Update | None) -> None:
        if update is not None and update.event is not None:
            self._add([update.event])
        else:
            self._show_lanes()

    def _add(self, events: "list[Event] | tuple[Event, ...]") -> None:
        if not self._is_set_up:
            return
        new = [each for each in events if (each.time, each.seq) not in self._known]
        new = [each for each in new if not self.top.only or each.service in self.top.only]
        new = [each for each in new if sentence(line_of(each))]
        self._known |= {(each.time, each.seq) for each in new}
        is_later = not new or (bool(self._all) and self._all[-1].time <= new[0].time)
        self._all += new
        if is_later and len(self._all) <= 2 * MOST:
            self._put(new)
        else:
            event = self._chosen
            self._all = sorted(self._all, key=lambda each: (each.time, each.seq))[-MOST:]
            self._known = {(each.time, each.seq) for each in self._all}
            self._put_all(event)
        self._show_lanes()

    def _put_all(self, chosen: Event | None) -> None:
        """The list anew; the cursor stays on its event."""
        table = self.query_one(DataTable)
        is_at_end = table.cursor_row >= len(self._seen) - 1
        self._seen = []
        self._lay_out()
        self._put(self._all)
        if chosen in self._seen and not is_at_end:
            table.move_cursor(row=self._seen.index(chosen))

    def _put(self, events: "list[Event]") -> None:
        table = self.query_one(DataTable)
        is_at_end = table.cursor_row >= len(self._seen) - 1
        for event in events:
            if self._lane is not None and lane_of(event) != self._lane:
                continue
            style = shade(_STYLES.get(event.level, ""), dark=self.app.current_theme.dark)
            self._seen.append(event)
            when = clock_cell(event.time, has_day=self._layout[0] > 8)
            table.add_row(
                text_of(when, "dim"), text_of(event.service or ""), text_of(sentence(line_of(event)), style)
            )
        if is_at_end:
            table.move_cursor(row=len(self._seen) - 1)

    @property
    def _chosen(self) -> Event | None:
        number = self.query_one(DataTable).cursor_row
        return self._seen[number] if 0 <= number < len(self._seen) else None

    @on(DataTable.RowHighlighted)
    def _show_lanes(self) -> None:
        if not self._all:
            return
        begin, end = self._moments()
        order = [row.name for row in self.top.rows]
        lanes = self.query_one(Lanes)
        lanes.put(self._all, order, (begin, end), self._chosen)
        lanes.styles.height = max(1, min(lanes.count, self.size.height * 2 // 5))
        left, right = view.span(_clock(begin), self._span, _clock(end))
        self.say("#span", f"{left}{right:>{max(1, self.size.width - len(left) - 2)}}")

    def _moments(self) -> tuple[float, float]:
        """From when to when the lanes go."""
        newest = seconds_of(self._all[-1])
        ended = self.top.following.ended
        end = max(newest, now() if ended is None else ended.at)
        seconds = view.SPANS[self._span]
        if seconds is None:
            started = [each for each in self._all if each.event == journal.InstanceStarts.event]
            return seconds_of((started or self._all[:1])[-1]), end
        return (seconds_of(self._all[0]) if seconds < 0 else end - seconds), end

    @on(DataTable.RowSelected)
    def action_logs(self) -> None:
        """The lines of that moment, of the service of the event or of all."""
        if (event := self._chosen) is not None:
            names = (event.service,) if event.service else tuple(row.name for row in self.top.rows)
            self.app.push_screen(Logs(names, event.time))

    @on(Lanes.Chosen)
    def _is_pointed_at(self, message: Lanes.Chosen) -> None:
        self._choose(message.event)

    def _choose(self, event: Event) -> None:
        if event not in self._seen:
            self._lane = None
            self._put_all(None)
        if event in self._seen:  # newer ones may have taken its place since it was pointed at
            self.query_one(DataTable).move_cursor(row=self._seen.index(event))

    def action_along(self, step: int) -> None:
        """To the next event of the same lane, or the one before."""
        if (event := self._chosen) is not None:
            lane = [number for number, each in enumerate(self._seen) if lane_of(each) == lane_of(event)]
            here = bisect.bisect_left(lane, self.query_one(DataTable).cursor_row) + step
            if 0 <= here < len(lane):
                self.query_one(DataTable).move_cursor(row=lane[here])

    def action_span(self) -> None:
        """Lanes from another moment on."""
        names = list(view.SPANS)
        self._span = names[(names.index(self._span) + 1) % len(names)]
        self._show_lanes()

    def action_lane(self) -> None:
        """Only what happened to the service of this event, or everything again; the cursor stays on its event."""
        event = self._chosen
        if event is None:
            return
        self._lane = lane_of(event) if self._lane is None else None
        self._put_all(None)
        self.query_one(DataTable).move_cursor(row=self._seen.index(event))
        self.take(None)

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        table = self.query_one(DataTable)
        table.move_cursor(row=max(0, min(len(self._seen) - 1, table.cursor_row + by)))

    def action_end(self) -> None:
        """To the newest."""
        self.query_one(DataTable).move_cursor(row=len(self._seen) - 1)


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M:%S")
