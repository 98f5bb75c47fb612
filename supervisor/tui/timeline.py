"""The screen with what happened: every event, from which one gets to the lines of that moment."""

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from supervisor.api.values import Event, Update, line_of
from supervisor.errors import PortsupError
from supervisor.tui.live import Live
from supervisor.tui.logs import Logs
from supervisor.tui.style import shade
from supervisor.words import story

MOST = 1000  # events
_STYLES = {"warning": "yellow", "error": "bold red"}


class Timeline(Live):
    """What happened, the newest last."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "app.pop_screen", "back"), Binding("q", "app.pop_screen", "back", show=False),
        ("enter", "logs", "logs of then"),
        ("l", "lane", "of one service"),
        ("g", "app.go('start')", "last start"),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
        ("G", "end", "end"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._all: list[Event] = []
        self._known: set[tuple[str, int]] = set()
        self._seen: list[Event] = []  # those that are shown
        self._lane: str | None = None  # the only service whose events are shown

    def body(self) -> ComposeResult:
        yield DataTable[Text](cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_column("TIME", width=19)
        table.add_column("SERVICE", width=18)
        table.add_column("WHAT", width=max(20, self.size.width - 46))
        super().on_mount()
        table.focus()
        self._read()

    def heading(self) -> str:
        return "what happened" if self._lane is None else f"what happened to {self._lane or 'the stack'}"

    @work(thread=True)
    def _read(self) -> None:
        try:
            page = self.top.project.history(*self.top.only, count=MOST)
        except PortsupError as error:
            self.app.call_from_thread(self.notify, f"{error.what}: {error.why}", severity="error", markup=False)
            return
        self.app.call_from_thread(self._add, page.events)

    def show(self, update: Update | None) -> None:
        if update is not None and update.event is not None:
            self._add([update.event])

    def _add(self, events: "list[Event] | tuple[Event, ...]") -> None:
        new = [each for each in events if (each.time, each.seq) not in self._known]
        self._known |= {(each.time, each.seq) for each in new}
        self._all += new
        self._put(new)

    def _put(self, events: "list[Event]") -> None:
        table = self.query_one(DataTable)
        is_at_end = table.cursor_row >= len(self._seen) - 1
        for event in events:
            words = story.sentence(line_of(event))
            is_other = self._lane is not None and (event.service or "") != self._lane
            if not words or is_other or (self.top.only and event.service not in self.top.only):
                continue
            style = shade(_STYLES.get(event.level, ""), dark=self.app.current_theme.dark)
            self._seen.append(event)
            table.add_row(
                Text(event.time[:19].replace("T", " "), style="dim"), Text(event.service or ""),
                Text(words, style=style, no_wrap=True, overflow="ellipsis"),
            )  # fmt: skip
        if is_at_end:
            table.move_cursor(row=len(self._seen) - 1)

    @on(DataTable.RowSelected)
    def action_logs(self) -> None:
        """The lines of that moment, of the service of the event or of all."""
        number = self.query_one(DataTable).cursor_row
        if 0 <= number < len(self._seen):
            event = self._seen[number]
            names = (event.service,) if event.service else tuple(row.name for row in self.top.rows)
            self.app.push_screen(Logs(names, event.time))

    def action_lane(self) -> None:
        """Only what happened to the service of this event, or everything again; the cursor stays on its event."""
        table = self.query_one(DataTable)
        event = self._seen[table.cursor_row] if 0 <= table.cursor_row < len(self._seen) else None
        if event is None:
            return
        self._lane = (event.service or "") if self._lane is None else None
        self._seen = []
        table.clear()
        self._put(self._all)
        table.move_cursor(row=self._seen.index(event))
        self.take(None)

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        table = self.query_one(DataTable)
        table.move_cursor(row=max(0, min(len(self._seen) - 1, table.cursor_row + by)))

    def action_end(self) -> None:
        """To the newest."""
        self.query_one(DataTable).move_cursor(row=len(self._seen) - 1)
