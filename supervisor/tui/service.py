"""The screen with one service: why it is as it is, what it needs, its settings and its environment."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalScroll, VerticalScroll
from textual.widgets import Static

from supervisor.api import sight
from supervisor.api.project import Project
from supervisor.api.rows import ON_DARK, ON_LIGHT, look_of, needed_by, waits, why_of_row
from supervisor.api.values import ServiceStatus, Update, Why, line_of
from supervisor.core.escapes import tamed
from supervisor.core.order import with_dependencies
from supervisor.errors import PortsupError
from supervisor.tui.cells import clock_cell, pool_cell, state_cell
from supervisor.tui.logs import Logs
from supervisor.tui.one_service import OneService
from supervisor.tui.sketch import sketched
from supervisor.tui.style import shade
from supervisor.words import answers, view
from supervisor.words.events import sentence

_STYLES = {"warning": "yellow", "error": "bold red"}
Line = tuple[str, str]  # the style, and the text


class Service(OneService):
    """All about one service."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "app.pop_screen", "back"), ("q", "app.pop_screen", "back"), ("enter", "logs", "logs"),
        ("r", "order('restart')", "restart"), ("s", "start_or_stop", "on/off"), ("R", "order('rotate')", "next port"),
        Binding("b", "order('roll')", "roll", show=False), Binding("x", "order('kill')", "kill", show=False),
        ("o", "open", "open"), Binding("y", "copy", "copy URL", show=False), ("e", "environment", "environment"),
        ("question_mark", "app.help", "help"),
        Binding("j", "scroll(1)", "down", show=False), Binding("k", "scroll(-1)", "up", show=False),
        Binding("left", "aside(-10)", "left", show=False, priority=True),
        Binding("right", "aside(10)", "right", show=False, priority=True),
    ]  # fmt: skip

    def __init__(self, name: str) -> None:
        super().__init__()
        self._service = name
        self._has_environment = False
        self._seen: tuple[object, ...] = ()

    def body(self) -> ComposeResult:
        with VerticalScroll(id="all"):
            yield Static("", id="text", markup=False)
            with HorizontalScroll(can_focus=False):
                yield Static("", id="graph", markup=False)
            yield Static("", id="rest", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#all").focus()

    def heading(self) -> str:
        return self._service

    @property
    def row(self) -> ServiceStatus | None:
        """The service, as it is now."""
        return next((row for row in self.top.rows if row.name == self._service), None)

    def show(self, update: Update | None) -> None:
        self.notice()
        row = self.row
        told = row and (row.state, row.pid, row.port, row.health, row.reason, row.replicas)
        looks = [(each.name, look_of(each)) for each in self.top.rows]
        seen = (told, self._has_environment, self.is_now, looks, self.top.needs)
        if seen != self._seen:
            self._seen = seen
            self._read(row)

    @work(thread=True, exit_on_error=False, exclusive=True)
    def _read(self, row: ServiceStatus | None) -> None:
        lines = [*self._now(row), *_why(self.top.project, self._service, row), ("", "")]
        graph = self._graph()
        rest = _settings(self.top.project, self._service)
        if self._has_environment:
            rest += _environment(self.top.project, self._service)
        if graph:
            lines += [("bold", view.GRAPH)]
        self.hand_over(partial(self.put, text=self._shaded(lines), graph=graph, rest=self._shaded(rest)))

    def _now(self, row: ServiceStatus | None) -> list[Line]:
        why = "" if row is None else why_of_row(row) or waits(row, self.top.needs, self.top.following.picture.services)
        return _now(row, why, plain=self.top.plain, is_now=self.is_now)

    def _shaded(self, lines: Sequence[Line]) -> Text:
        dark = self.app.current_theme.dark
        return Text("\n").join(Text(words, style=shade(style, dark=dark)) for style, words in lines)

    def _graph(self) -> Text:
        """What it needs and what needs it, by others too, drawn; empty where there is nothing of that."""
        rows = {row.name: row for row in self.top.following.picture.services.values()}
        needs = self.top.needs
        near = {*with_dependencies(needs, [self._service]), *needed_by([self._service], needs)} & set(rows)
        if len(near) < 2:
            return Text()
        graph = {name: [need for need in needs.get(name, ()) if need in near] for name in rows if name in near}
        looks = {name: state_cell(rows[name], plain=self.top.plain, is_now=self.is_now) for name in graph}
        sketch = sketched(graph, {name: f"{name} {looks[name]}" for name in graph}, plain=self.top.plain)
        text = Text(no_wrap=True)
        colours = ON_DARK if self.app.current_theme.dark else ON_LIGHT
        for number, line in enumerate(sketch.lines):
            drawn = Text(f"{line}\n")
            for name, place in sketch.places.items():
                if place.row == number:
                    drawn.stylize(colours[look_of(rows[name])] if self.is_now else "", place.begin, place.end)
                    drawn.stylize("reverse" if name == self._service else "", place.begin, place.begin + len(name))
            text.append_text(drawn)
        return text

    def action_logs(self) -> None:
        """Its logs."""
        self.app.push_screen(Logs((self._service,)))

    def action_environment(self) -> None:
        """Shows its environment as well, without the values of secrets."""
        self._has_environment = not self._has_environment
        self.take(None)

    def action_scroll(self, by: int) -> None:
        """Moves by a line."""
        self.query_one("#all").scroll_relative(y=by, animate=False)

    def action_aside(self, by: int) -> None:
        """Moves what is drawn, where it has no room."""
        self.query_one(HorizontalScroll).scroll_relative(x=by, animate=False)


def _now(row: ServiceStatus | None, why: str, *, plain: bool, is_now: bool) -> list[Line]:
    if row is None:
        return [("", view.NOT_RUNNING)]
    port = f"port          {pool_cell(row)}  {row.url or ''}"
    lines: list[Line] = [("bold", state_cell(row, plain=plain, is_now=is_now)), ("", port)]
    if row.name_url:
        lines.append(("", view.by_name(row.name_url)))
    if row.pid is not None:
        lines.append(("", view.process(row.pid, row.restarts, row.handoff)))
    for each in row.replicas or ():
        state = each.state if is_now else view.was(each.state)
        lines.append(("", view.replica(each.name, state, each.pid, each.restarts)))
    if row.checks_health:
        lines.append(("", f"health        {row.health}"))
    if row.next_run:
        lines.append(("", view.next_run(row.next_run)))
    if why:
        lines.append(("yellow", view.because(why)))
    return lines


def _why(project: Project, name: str, row: ServiceStatus | None) -> list[Line]:
    try:
        told = project.why(name, failures=5, lines=20)
    except PortsupError as error:
        return [("", ""), ("red", f"{error.what}: {error.why}")]
    return [("", ""), *story_of(told, is_fine=row is None or row.is_fine)]


def story_of(told: Why, *, is_fine: bool = True) -> list[Line]:
    """The failures of a service, what it printed, and what to do next.  Pure."""
    lines: list[Line] = []
    if not told.failures:
        lines.append(("bold", view.NOTHING_WRONG if is_fine else view.NO_FAILURE))
        lines += () if is_fine else _events(told.since)
        return [*lines, *(("", f"  {tamed(each)}") for each in told.advice)]
    for number, chapter in enumerate(told.chapters, told.failures - len(told.chapters) + 1):
        lines += [("bold", answers.failure(number, told.failures)), *_events(chapter)]
    if told.since:
        lines += [("bold", answers.SINCE_THEN), *_events(told.since)]
    if told.output:
        lines.append(("bold", answers.last_output(has_new_process=False)))
        lines += [("", f"  | {tamed(line)}") for line in told.output]
    if told.advice:
        lines += [("bold", answers.NEXT), *(("green", f"  {tamed(line.strip())}") for line in told.advice)]
    return lines


def _events(events: Sequence[object]) -> list[Line]:
    lines = []
    for each in events:
        told = line_of(each)
        words = f"  {clock_cell(told['time'])}  {tamed(sentence(told))}"
        lines.append((_STYLES.get(str(told.get("level")), ""), words))
    return lines


def _settings(project: Project, name: str) -> list[Line]:
    lines: list[Line] = [("bold", view.SETTINGS)]
    try:
        for each in sight.settings_of(project, name):
            place = f"{each.file.rpartition('/')[2]}:{each.line}" if each.line else ""
            lines.append(("" if each.line else "dim", f"  {each.key:18}{tamed(str(each.value))}  {place}".rstrip()))
    except PortsupError as error:
        lines.append(("red", f"  {error.what}: {error.why}"))
    return lines


def _environment(project: Project, name: str) -> list[Line]:
    told = sight.environment_of(project, name)
    lines = [("dim" if each.is_hidden else "", f"  {each.name}={tamed(each.value)}") for each in told]
    return [("", ""), ("bold", "environment"), *(lines or [("", view.NO_ENVIRONMENT)])]
