"""The screen with the pools of all instances: each port, who has it, and what became of it."""

import contextlib
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Static

from supervisor.api.pools import InstancePools, all_pools
from supervisor.api.rows import ON_DARK, ON_LIGHT, Look
from supervisor.api.stack import Stack
from supervisor.api.values import Event, PortStatus, line_of
from supervisor.errors import PortsupError
from supervisor.tui.cells import clock_cell, port_cell
from supervisor.tui.live import Live
from supervisor.tui.texts import text_of
from supervisor.words import view
from supervisor.words.events import sentence

LOOK_EVERY = 3.0  # seconds between two looks at other instances
_LOOKS = {"active": Look.READY, "spare": Look.STOPPED, "taken": Look.FAILED, "quarantined": Look.UNHEALTHY}


class Line(NamedTuple):
    """A line: a port of a service, or the heading of an instance, which has none.

    socket: of the instance that it is of, if that is another one
    """

    service: str
    port: int = 0
    socket: str = ""

    @property
    def key(self) -> str:
        """What no other line has: pools of two services may have a port in common."""
        return f"{self.socket} {self.service} {self.port}"


class Ports(Live):
    """Every port of every pool."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "app.pop_screen", "back"), Binding("q", "app.pop_screen", "back", show=False),
        ("enter", "history", "its history"),
        ("R", "rotate", "next port"),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
        ("question_mark", "app.help", "help"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[Line] = []
        self._others: list[InstancePools] = []
        self._width = 0

    def body(self) -> ComposeResult:
        yield DataTable[Text](cursor_type="row")
        with VerticalScroll(id="below"):
            yield Static("Enter on a port shows its history.", id="text", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(DataTable).focus()
        self._look()
        self.set_interval(LOOK_EVERY, self._look)

    def on_resize(self) -> None:
        self.take(None)

    def heading(self) -> str:
        return "ports"

    @work(thread=True, exit_on_error=False, exclusive=True)
    def _look(self) -> None:
        """Looks at the other instances."""
        status = self.top.following.status
        own = (status.stack, status.instance) if status is not None else None
        with contextlib.suppress(PortsupError):
            found = [each for each in all_pools() if (each.stack, each.instance) != own]
            self.hand_over(self._put, found)

    def _put(self, found: list[InstancePools]) -> None:
        self._others = found
        self.take(None)

    def _lines(self) -> list[tuple[Line, PortStatus | str]]:
        """Each line with its port, or with the words of a heading."""
        lines: list[tuple[Line, PortStatus | str]] = []
        lines += [(Line(row.name, port.port), port) for row in self.top.rows for port in row.pool]
        for each in self._others:
            lines.append((Line(f"{each.stack}, {each.instance}", 0, each.socket), each.folder))
            lines += [(Line(row.name, port.port, each.socket), port) for row in each.services for port in row.pool]
        return lines

    def show(self, update: object) -> None:
        table = self.query_one(DataTable)
        lines = self._lines()
        shown = [line for line, _ in lines]
        if (shown, self.size.width) != (self._shown, self._width):
            self._lay_out(table, shown)
        colours = ON_DARK if self.app.current_theme.dark else ON_LIGHT
        for line, port in lines:
            if isinstance(port, str):
                cell = text_of(port, "bold")
            else:
                style = colours[_LOOKS.get(port.state, Look.STOPPED)]
                words = port_cell(port, plain=self.top.plain, is_now=bool(line.socket) or self.is_now)
                cell = text_of(words, style)
            if table.get_cell(line.key, "port") != cell:
                table.update_cell(line.key, "port", cell)

    def _lay_out(self, table: "DataTable[Text]", shown: list[Line]) -> None:
        """The lines anew; the cursor stays on its port."""
        chosen = self._shown[table.cursor_row] if table.cursor_row < len(self._shown) else None
        self._shown, self._width = shown, self.size.width
        table.clear(columns=True)
        names = min(20, max([7, *(len(line.service) for line in shown)]))
        table.add_column("SERVICE", key="service", width=names)
        table.add_column("PORT", key="port", width=max(20, self._width - names - 6))
        before = None
        for line in shown:
            is_first = (line.service, line.socket) != before
            before = line.service, line.socket
            style = "" if line.port else "bold"
            table.add_row(text_of(line.service if is_first else "", style), text_of(""), key=line.key)
        if chosen in shown:
            table.move_cursor(row=shown.index(chosen))

    @property
    def _line(self) -> Line | None:
        """The line that the cursor is on, if it is of a port."""
        number = self.query_one(DataTable).cursor_row
        line = self._shown[number] if 0 <= number < len(self._shown) else None
        return line if line is not None and line.port else None

    @on(DataTable.RowSelected)
    def action_history(self) -> None:
        """What became of the port."""
        if (line := self._line) is not None:
            self._tell(line)

    @work(thread=True, exit_on_error=False, exclusive=True, group="history")
    def _tell(self, line: Line) -> None:
        try:
            stack = Stack(line.socket) if line.socket else self.top.project.stack()
            events = stack.port_history(line.port)
            lines = [f"{clock_cell(each.time, has_day=True)}  {_words(each)}" for each in reversed(events)]
            text = "\n".join(lines) or view.no_history(line.port)
        except PortsupError as error:
            text = f"{error.what}: {error.why}"
        words = f"port {line.port}, the newest first\n{text}"
        self.hand_over(self.say, "#text", words)

    def action_rotate(self) -> None:
        """Moves the service to the next port."""
        line = self._line
        if line is not None and line.socket:
            self.notify(view.of_another(line.service), severity="warning")
        elif line is not None:
            self.top.order("rotate", [line.service])

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        table = self.query_one(DataTable)
        table.move_cursor(row=max(0, min(len(self._shown) - 1, table.cursor_row + by)))


def _words(event: Event) -> str:
    return f"{event.service or 'stack'}: {sentence(line_of(event))}"
