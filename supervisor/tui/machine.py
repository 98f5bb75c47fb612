"""The screen with all that portsup runs on this machine, and what runs that are over have left."""

from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Static

from supervisor.api.machine import Instance, Leftovers, instances, left_over, remove_left_over
from supervisor.errors import PortsupError
from supervisor.tui.ask import Ask
from supervisor.tui.cells import age_cell
from supervisor.tui.live import Live
from supervisor.tui.texts import text_of
from supervisor.words import leftovers


class Machine(Live):
    """Every instance of this user."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "app.pop_screen", "back"), ("q", "app.pop_screen", "back"), ("P", "prune", "remove what is left"),
        ("ctrl+r", "look", "look again"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[tuple[str, int]] = []

    def body(self) -> ComposeResult:
        yield DataTable[Text](cursor_type="row")
        with VerticalScroll(id="below"):
            yield Static("", id="text", markup=False)

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for title, width in (("STACK", 16), ("NO", 3), ("PID", 8), ("UP", 5)):
            table.add_column(title, width=width)
        table.add_column("DIRECTORY", width=max(20, self.size.width - 50))
        super().on_mount()
        table.focus()
        self.action_look()

    def heading(self) -> str:
        return "this machine"

    @work(thread=True, exit_on_error=False, exclusive=True)
    def action_look(self) -> None:
        """Looks at the machine again."""
        try:
            found, left = instances(), left_over()
        except PortsupError as error:
            self.hand_over(self.say, "#text", f"{error.what}: {error.why}")
            return
        self.hand_over(self._put, found, left)

    def _put(self, found: list[Instance], left: Leftovers) -> None:
        if not self._is_set_up:
            return
        table = self.query_one(DataTable)
        chosen = self._shown[table.cursor_row] if table.cursor_row < len(self._shown) else None
        self._shown = [(each.stack, each.instance) for each in found]
        table.clear()
        for each in found:
            pid = str(each.pid or "-") if each.is_running else "at rest"
            table.add_row(*map(text_of, (each.stack, str(each.instance), pid, age_cell(each.uptime_s), each.folder)))
        if chosen in self._shown:
            table.move_cursor(row=self._shown.index(chosen))
        self.say("#text", "\n".join(words_of(left)))

    @work(thread=True, exit_on_error=False, exclusive=True)
    def action_prune(self) -> None:
        """Ends and removes what is left, once it is said what that is."""
        try:
            lines = words_of(left_over())
        except PortsupError as error:
            lines = [f"{error.what}: {error.why}"]
        if lines == [NOTHING]:
            self.app.call_from_thread(self.notify, NOTHING)
        else:
            self.app.call_from_thread(self._ask, lines)

    def _ask(self, lines: list[str]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._remove()

        self.app.push_screen(Ask("End and remove this?\n" + "\n".join(lines), is_late=True), answered)

    @work(thread=True, exit_on_error=False)
    def _remove(self) -> None:
        try:
            remove_left_over()
            words, severity = "removed", "information"
        except PortsupError as error:
            words, severity = f"{error.what}: {error.why}", "error"
        self.app.call_from_thread(self.notify, words, severity=severity, markup=False)
        self.app.call_from_thread(self.action_look)


NOTHING = f"{leftovers.NOTHING.capitalize()}."


def words_of(left: Leftovers) -> list[str]:
    """What is left, one line each.  Pure."""
    lines = [leftovers.process(each.pid, each.name, each.service, each.stack) for each in left.processes]
    lines += [leftovers.file(each.path, each.what) for each in left.files]
    lines += [leftovers.number(each.instance, each.stack, each.folder) for each in left.numbers]
    return [*lines, *filter(None, [left.trouble])] or [NOTHING]
