"""The screen with the pools: each port, who has it, and what became of it."""

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Static

from supervisor.api.rows import ON_DARK, ON_LIGHT, Look
from supervisor.api.values import Event, line_of
from supervisor.errors import PortsupError
from supervisor.tui.cells import port_cell
from supervisor.tui.live import Live
from supervisor.words import story, view

_LOOKS = {"active": Look.READY, "spare": Look.STOPPED, "taken": Look.FAILED, "quarantined": Look.UNHEALTHY}


class Ports(Live):
    """Every port of every pool."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "app.pop_screen", "back"), Binding("q", "app.pop_screen", "back", show=False),
        ("enter", "history", "its history"),
        ("R", "rotate", "next port"),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[tuple[str, int]] = []

    def body(self) -> ComposeResult:
        yield DataTable[Text](cursor_type="row")
        with VerticalScroll(id="below"):
            yield Static("Enter on a port shows its history.", id="text", markup=False)

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_column("SERVICE", key="service", width=20)
        table.add_column("PORT", key="port", width=max(20, self.size.width - 26))
        super().on_mount()
        table.focus()

    def heading(self) -> str:
        return "ports"

    def show(self, update: object) -> None:
        table = self.query_one(DataTable)
        ports = [(row.name, port) for row in self.top.rows for port in row.pool]
        shown = [(name, port.port) for name, port in ports]
        if shown != self._shown:
            self._shown = shown
            table.clear()
            for name, port in ports:
                is_first = not port.port or (name, port.port) == next(one for one in shown if one[0] == name)
                table.add_row(Text(name if is_first else ""), Text(""), key=str(port.port))
        colours = ON_DARK if self.app.current_theme.dark else ON_LIGHT
        for _, port in ports:
            style = colours[_LOOKS.get(port.state, Look.STOPPED)]
            cell = Text(port_cell(port, plain=self.top.plain), style=style, no_wrap=True, overflow="ellipsis")
            if table.get_cell(str(port.port), "port") != cell:
                table.update_cell(str(port.port), "port", cell)

    @on(DataTable.RowSelected)
    def action_history(self) -> None:
        """What became of the port."""
        number = self.query_one(DataTable).cursor_row
        if 0 <= number < len(self._shown):
            self._tell(self._shown[number][1])

    @work(thread=True, exclusive=True)
    def _tell(self, port: int) -> None:
        try:
            events = self.top.project.stack().port_history(port)
            lines = [f"{each.time[:19].replace('T', ' ')}  {_words(each)}" for each in reversed(events)]
            text = "\n".join(lines) or view.no_history(port)
        except PortsupError as error:
            text = f"{error.what}: {error.why}"
        self.app.call_from_thread(self.query_one("#text", Static).update, f"port {port}, the newest first\n{text}")

    def action_rotate(self) -> None:
        """Moves the service to the next port."""
        number = self.query_one(DataTable).cursor_row
        if 0 <= number < len(self._shown):
            self.top.order("rotate", [self._shown[number][0]])

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        table = self.query_one(DataTable)
        table.move_cursor(row=max(0, min(len(self._shown) - 1, table.cursor_row + by)))


def _words(event: Event) -> str:
    return f"{event.service or 'stack'}: {story.sentence(line_of(event))}"
