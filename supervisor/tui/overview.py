"""The first screen: a line a service, those that are broken first."""

import time
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Input, Static

from supervisor.api.rows import ON_DARK, ON_LIGHT, is_stopped, look_of, waits, why_of_row
from supervisor.api.values import ServiceStatus, Update
from supervisor.tui.cells import age_cell, cpu_cell, memory_cell, pool_cell, state_cell, trend_cell, url_cell
from supervisor.tui.logs import Logs
from supervisor.tui.model import shown
from supervisor.tui.one_service import OneService
from supervisor.tui.service import Service
from supervisor.tui.texts import text_of

WIDE = 110  # columns from which on there is room for more
NARROW = 72  # columns below which there is room for less
_NARROW = ("state", "name", "port", "cpu", "mem", "up", "why")
_SMALL = ("state", "name", "port", "up", "why")
_ALL = ("state", "name", "pool", "health", "cpu", "mem", "trend", "restarts", "up", "url", "why")
_WIDTHS = {
    "state": 12,
    "port": 5,
    "pool": 10,
    "health": 9,
    "cpu": 5,
    "mem": 6,
    "trend": 8,
    "restarts": 8,
    "up": 4,
    "url": 24,
}
_LONGEST_NAME = 20


class Overview(OneService):
    """All services."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "logs", "logs", priority=True),
        ("r", "order('restart')", "restart"),
        ("s", "start_or_stop", "on/off"),
        Binding("R", "order('rotate')", "next port", show=False),
        Binding("b", "order('roll')", "roll", show=False),
        Binding("x", "order('kill')", "kill", show=False),
        Binding("L", "reload", "reload", show=False),
        Binding("o", "open", "open", show=False),
        Binding("y", "copy", "copy URL", show=False),
        ("w", "why", "why"),
        ("p", "app.go('ports')", "ports"),
        ("t", "app.go('timeline')", "events"),
        Binding("g", "app.go('start')", "start", show=False),
        Binding("a", "all_logs", "all logs", show=False),
        Binding("slash", "filter", "filter", priority=True),
        Binding("escape", "no_filter", "all", show=False),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
        ("question_mark", "app.help", "help"),
        ("q", "app.quit", "quit"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._layout: dict[str, int] = {}
        self._names: list[str] = []  # of the rows, in their order
        self._chosen = ""
        self._text = ""

    def body(self) -> ComposeResult:
        yield DataTable[Text](cursor_type="row", zebra_stripes=False)
        yield Static("", id="about", markup=False)
        yield Input(placeholder="part of a name", id="filter")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(DataTable).focus()

    def on_resize(self) -> None:
        self.take(None)

    def heading(self) -> str:
        return f"only those with `{self._text}`" if self._text else ""

    @property
    def row(self) -> ServiceStatus | None:
        """The service that the cursor is on."""
        number = self.query_one(DataTable).cursor_row
        name = self._names[number] if 0 <= number < len(self._names) else ""
        return next((row for row in self.top.rows if row.name == name), None)

    def show(self, update: Update | None) -> None:
        self.notice()
        table = self.query_one(DataTable)
        rows = shown(self.top.rows, self.top.needs, self._text)
        layout = self._layout_of(rows)
        if layout != self._layout:
            self._lay_out(table, layout)
        chosen, names = self._chosen, [row.name for row in rows]
        if names != self._names:
            self._put_rows(table, rows, names)
        for row in rows:
            for key, cell in self._cells(row).items():
                if table.get_cell(row.name, key) != cell:
                    table.update_cell(row.name, key, cell)
        if chosen and chosen not in (row.name for row in self.top.rows):
            self.jumped()
            self._chosen = self.row.name if self.row else ""
        self._show_about()

    def _layout_of(self, rows: list[ServiceStatus]) -> dict[str, int]:
        """The columns and how wide each is."""
        names = [len(row.name) for row in rows]
        states = [len(state_cell(row, is_now=self.is_now)) for row in rows]
        columns = _ALL if self.size.width >= WIDE else _NARROW if self.size.width >= NARROW else _SMALL
        widths = {**_WIDTHS, "name": min(_LONGEST_NAME, max([4, *names])), "state": max([_WIDTHS["state"], *states])}
        rest = self.size.width - sum(widths[key] + 2 for key in columns if key != "why") - 3
        return {key: widths.get(key, max(10, rest)) for key in columns}

    def _lay_out(self, table: "DataTable[Text]", layout: dict[str, int]) -> None:
        """All columns anew, without a row."""
        self._layout, self._names = layout, []
        table.clear(columns=True)
        for key, width in layout.items():
            table.add_column(key.upper(), key=key, width=width)

    def _put_rows(self, table: "DataTable[Text]", rows: list[ServiceStatus], names: list[str]) -> None:
        """These rows in this order; the cursor stays on its service, and what is there already where it is."""
        for name in set(self._names) - set(names):
            table.remove_row(name)
        for row in rows:
            if row.name not in self._names:
                table.add_row(*self._cells(row).values(), key=row.name)
        place = {name: number for number, name in enumerate(names)}
        self._names = names
        table.sort("name", key=lambda name: place[name.plain])
        if self._chosen in place:
            table.move_cursor(row=place[self._chosen])

    def _show_about(self) -> None:
        """What has no room in the table, of the service that the cursor is on."""
        row = self.row
        words = "" if row is None else "  ".join([row.name, *filter(None, [self._why(row), row.name_url or row.url])])
        self.say("#about", words)

    @on(DataTable.RowHighlighted)
    def _is_chosen(self, event: DataTable.RowHighlighted) -> None:
        """Somebody has moved the cursor, or we have."""
        if event.row_key.value in self._names:
            self._chosen = event.row_key.value or ""
        self._show_about()

    def _cells(self, row: ServiceStatus) -> dict[str, Text]:
        model, plain = self.top.model, self.top.plain
        colour = (ON_DARK if self.app.current_theme.dark else ON_LIGHT)[look_of(row)]
        texts = {
            "state": state_cell(row, plain=plain, is_now=self.is_now), "name": row.name,
            "port": "-" if row.port is None else str(row.port),
            "pool": pool_cell(row),
            "health": row.health if row.checks_health else "-",
            "cpu": "-" if is_stopped(row) else cpu_cell(model.cpu(row.name)),  # the last one is of before
            "mem": "-" if is_stopped(row) else memory_cell(model.memory(row.name)),
            "trend": trend_cell(model.memories(row.name), _WIDTHS["trend"], plain=plain),
            "restarts": str(row.restarts), "up": age_cell(model.age(row, time.time())),
            "url": url_cell(row),
            "why": self._why(row),
        }  # fmt: skip
        right = ("cpu", "mem", "port", "restarts", "up")
        return {
            key: text_of(texts[key], colour if key == "state" else "", is_right=key in right) for key in self._layout
        }

    def _why(self, row: ServiceStatus) -> str:
        return why_of_row(row) or waits(row, self.top.needs, self.top.following.picture.services)

    def action_logs(self) -> None:
        """The logs of the service."""
        if self.query_one("#filter", Input).has_focus:
            self.set_focus(self.query_one(DataTable))
        elif (row := self.row) is not None:
            self.app.push_screen(Logs((row.name,)))

    def action_all_logs(self) -> None:
        """The logs of all services, in the order of time."""
        self.app.push_screen(Logs(tuple(row.name for row in self.top.rows)))

    def action_why(self) -> None:
        """All about the service."""
        if (row := self.row) is not None:
            self.app.push_screen(Service(row.name))

    def action_reload(self) -> None:
        """Applies what is new in services.yaml."""
        self.top.reload()

    def action_filter(self) -> None:
        """Shows only services with a text in their names."""
        self.ask_for_filter()

    def action_no_filter(self) -> None:
        """Shows all again."""
        box = self.query_one("#filter", Input)
        box.value = self._text = ""
        box.set_class(False, "on")
        self.query_one(DataTable).focus()
        self.take(None)

    @on(Input.Changed, "#filter")
    def _is_typed(self, event: Input.Changed) -> None:
        self._text = event.value
        self.take(None)

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        table = self.query_one(DataTable)
        table.move_cursor(row=max(0, min(len(self._names) - 1, table.cursor_row + by)))
