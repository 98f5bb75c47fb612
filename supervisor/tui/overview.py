"""The first screen: a line a service, those that are broken first."""

import time
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Input

from supervisor.api.rows import ON_DARK, ON_LIGHT, look_of, why_of_row
from supervisor.api.values import ServiceStatus, Update
from supervisor.tui.ask import Help
from supervisor.tui.cells import age_cell, cpu_cell, memory_cell, pool_cell, state_cell, trend_cell, url_cell
from supervisor.tui.live import Live
from supervisor.tui.logs import Logs
from supervisor.tui.machine import Machine
from supervisor.tui.model import shown
from supervisor.tui.ports import Ports
from supervisor.tui.service import Service
from supervisor.tui.start import Start
from supervisor.tui.timeline import Timeline

WIDE = 110  # columns from which on there is room for more
_NARROW = ("state", "name", "port", "cpu", "mem", "up", "why")
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


class Overview(Live):
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
        ("p", "go('ports')", "ports"),
        ("t", "go('timeline')", "events"),
        Binding("g", "go('start')", "start", show=False),
        Binding("m", "go('machine')", "machine", show=False),
        Binding("a", "all_logs", "all logs", show=False),
        Binding("slash", "filter", "filter", priority=True),
        Binding("escape", "no_filter", "all", show=False),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
        ("question_mark", "help", "help"),
        ("q", "app.quit", "quit"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._columns: tuple[str, ...] = ()
        self._names: list[str] = []
        self._text = ""

    def body(self) -> ComposeResult:
        yield DataTable[Text](cursor_type="row", zebra_stripes=False)
        yield Input(placeholder="part of a name", id="filter")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(DataTable).focus()

    def on_resize(self) -> None:
        self._columns = ()  # laid out anew
        self.take(None)

    def heading(self) -> str:
        return f"only those with `{self._text}`" if self._text else ""

    @property
    def row(self) -> ServiceStatus | None:
        """The service that the cursor is on."""
        number = self.query_one(DataTable).cursor_row
        name = self._names[number] if 0 <= number < len(self._names) else None
        return next((row for row in self.top.rows if row.name == name), None)

    def show(self, update: Update | None) -> None:
        table = self.query_one(DataTable)
        rows = shown(self.top.rows, self.top.needs, self._text)
        names = [row.name for row in rows]
        columns = _ALL if self.size.width >= WIDE else _NARROW
        if columns != self._columns or names != self._names:
            self._lay_out(table, columns, rows)
            return
        for number, row in enumerate(rows):
            for key, cell in self._cells(row, columns).items():
                if table.get_cell(row.name, key) != cell:
                    table.update_cell(row.name, key, cell)
            assert self._names[number] == row.name

    def _lay_out(self, table: "DataTable[Text]", columns: tuple[str, ...], rows: list[ServiceStatus]) -> None:
        current = self.row
        kept = current.name if current else None
        self._columns, self._names = columns, [row.name for row in rows]
        table.clear(columns=True)
        name_width = min(_LONGEST_NAME, max([4, *(len(row.name) for row in rows)]))
        widths = {**_WIDTHS, "name": name_width}
        rest = self.size.width - sum(widths[key] + 2 for key in columns if key != "why") - 3
        for key in columns:
            table.add_column(key.upper(), key=key, width=widths.get(key, max(10, rest)))
        for row in rows:
            table.add_row(*self._cells(row, columns).values(), key=row.name)
        if kept in self._names:
            table.move_cursor(row=self._names.index(kept))

    def _cells(self, row: ServiceStatus, columns: tuple[str, ...]) -> dict[str, Text]:
        model, plain = self.top.model, self.top.plain
        colour = (ON_DARK if self.app.current_theme.dark else ON_LIGHT)[look_of(row)]
        texts = {
            "state": state_cell(row, plain=plain), "name": row.name, "port": "-" if row.port is None else str(row.port),
            "pool": pool_cell(row),
            "health": row.health if row.checks_health else "-", "cpu": cpu_cell(model.cpu(row.name)),
            "mem": memory_cell(model.memory(row.name)),
            "trend": trend_cell(model.memories(row.name), _WIDTHS["trend"], plain=plain),
            "restarts": str(row.restarts), "up": age_cell(model.age(row, time.time())),
            "url": url_cell(row),
            "why": why_of_row(row),
        }  # fmt: skip
        right = ("cpu", "mem", "port", "restarts", "up")
        return {
            key: Text(
                texts[key], style=colour if key == "state" else "", justify="right" if key in right else "left",
                overflow="ellipsis", no_wrap=True,
            )
            for key in columns
        }  # fmt: skip

    def action_order(self, what: str) -> None:
        """Has something done to the service."""
        if (row := self.row) is not None:
            self.top.order(what, [row.name])

    def action_start_or_stop(self) -> None:
        """Starts what does not run, and stops what does; the whole stack where nothing runs."""
        row = self.row
        if self.top.following.ended is not None:
            self.top.order("start", [])
        elif row is not None:
            is_there = row.state not in ("stopped", "exited", "failed", "idle")
            self.top.order("stop" if is_there else "start", [row.name])

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

    def action_go(self, where: str) -> None:
        """To another screen."""
        screens = {"ports": Ports, "timeline": Timeline, "machine": Machine, "start": Start}
        self.app.push_screen(screens[where]())

    def action_open(self) -> None:
        """Opens the service in the browser."""
        if (row := self.row) is not None:
            self.top.open_page(row)

    def action_copy(self) -> None:
        """Copies its URL, or its port where it has none."""
        row = self.row
        if row is not None and (text := row.name_url or row.url or (str(row.port) if row.port else "")):
            self.top.copy(text, text)

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

    def action_help(self) -> None:
        """Shows every key."""
        self.app.push_screen(Help())
