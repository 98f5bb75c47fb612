"""The terminal view as a whole: follows the stack in a thread, and gives every screen what is new."""

import contextlib
import threading
import webbrowser
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from supervisor.api.following import Following
from supervisor.api.lacking import in_words
from supervisor.api.project import Project
from supervisor.api.rows import needed_by
from supervisor.api.sight import needs_of
from supervisor.api.values import ServiceStatus, Update, Usages
from supervisor.core.escapes import tamed
from supervisor.core.state import AT_REST
from supervisor.errors import PortsupError
from supervisor.tui.ask import Ask, Help, Report
from supervisor.tui.live import Live
from supervisor.tui.machine import Machine
from supervisor.tui.model import Model
from supervisor.tui.orders import Done, carry_out, difference
from supervisor.tui.overview import Overview
from supervisor.tui.ports import Ports
from supervisor.tui.start import Start
from supervisor.tui.style import CSS
from supervisor.tui.timeline import Timeline
from supervisor.words import view

Needs = dict[str, tuple[str, ...]]


class Told(Message):
    """Something is new; `update` is None when nobody tells of the stack any more."""

    def __init__(self, update: Update | None, needs: Needs | None, trend: Usages | None) -> None:
        super().__init__()
        self.update = update
        self.needs = needs
        self.trend = trend


class Top(App[None]):
    """The terminal view of one stack; leaving it never stops anything."""

    TITLE = "portsup"
    CSS = CSS
    COMMAND_PALETTE_BINDING = "colon"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("ctrl+c", "quit", "quit"),
        # On every screen, below the keys of its own.
        Binding("p", "go('ports')", "ports", show=False), Binding("t", "go('timeline')", "events", show=False),
        Binding("m", "go('machine')", "machine", show=False), Binding("question_mark", "help", "help", show=False),
    ]  # fmt: skip

    def __init__(self, project: Project, *, plain: bool = False, services: Sequence[str] = ()) -> None:
        """`plain` shows ASCII only; `services` are the only ones shown, all without."""
        super().__init__()
        self.project = project
        self.plain = plain
        self.only = frozenset(services)
        self.model = Model()
        self.needs: Needs = {}
        self.following = Following(project.running, self._told, name=project.name, events=True, usage=True)
        self._thread = threading.Thread(target=self.following.run, daemon=True)

    def get_default_screen(self) -> Screen[None]:
        return Overview()

    def on_mount(self) -> None:
        self._thread.start()
        self.set_interval(1.0, self._every_second)

    def on_unmount(self) -> None:
        self.following.close()

    @property
    def rows(self) -> list[ServiceStatus]:
        """The services, as they are now or were at the end."""
        rows = self.following.picture.services.values()
        return [row for row in rows if not self.only or row.name in self.only]

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What went wrong in a thread is said."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.went_wrong(event.worker.error)

    def went_wrong(self, error: BaseException) -> None:
        """Says what went wrong in a thread, such as that no descriptor was left; it ends no window."""
        why = in_words(error).why if isinstance(error, OSError) else repr(error)
        self.notify(view.failed(why), severity="error", timeout=12)

    def _told(self, update: Update | None) -> None:
        """In the thread that follows."""
        needs = trend = None
        if update is not None and (update.status is not None or (update.event and update.event.event == "reloaded")):
            needs = needs_of(self.project)
            with contextlib.suppress(PortsupError):
                trend = self.project.stack().trend()
        self.post_message(Told(update, needs, trend))

    def on_told(self, message: Told) -> None:
        """Gives it to every screen."""
        if message.needs is not None:
            self.needs = message.needs
        for usages in (message.trend, message.update.usage if message.update else None):
            if usages is not None:
                self.model.take(usages)
        self._give(message.update)

    def _every_second(self) -> None:
        self._give(None)

    def _give(self, update: Update | None) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, Live):
                screen.take(update)

    def get_key_display(self, binding: Binding) -> str:
        """What stands at the bottom for a key."""
        plain = _PLAIN_KEYS.get(binding.key) if self.plain else None
        return plain or super().get_key_display(binding)

    def notify(self, message: str, **how: Any) -> None:
        """As Textual does, with words that are only words."""
        super().notify(tamed(message), **{**how, "markup": False})

    # What keys do.

    def order(self, what: str, services: Sequence[str]) -> None:
        """Has it done; asks first where others need what would be stopped."""
        others = needed_by(services, self.needs) if what == "stop" else []
        rows = self.following.picture.services.values()  # also those that are not shown
        running = {row.name for row in rows if row.state not in AT_REST}
        if what == "down":
            self._ask(view.stop_all([row.name for row in rows if row.pid is not None]), what, services)
        elif hit := [name for name in others if name in running]:
            self._ask(view.is_needed(services, hit), what, services)
        else:
            self._carry_out(what, tuple(services))

    def _ask(self, question: str, what: str, services: Sequence[str], *, is_late: bool = False) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._carry_out(what, tuple(services))

        self.push_screen(Ask(question, is_late=is_late), answered)

    @work(thread=True, exit_on_error=False)
    def _carry_out(self, what: str, services: tuple[str, ...]) -> None:
        self.call_from_thread(self.notify, view.doing(view.DOING[what], services), timeout=2)
        done = carry_out(self.project, what, services)
        self.call_from_thread(self._is_done, done)

    def _is_done(self, done: Done) -> None:
        severity: SeverityLevel = "information" if done.ok else "error"
        self.notify(done.words, severity=severity, timeout=4 if done.ok else 12)
        if done.lines and not done.ok:
            self.push_screen(Report(done.words, done.lines))

    @work(thread=True, exit_on_error=False)
    def reload(self) -> None:
        """Shows what a reload would do, and does it when that is wanted."""
        try:
            lines = difference(self.project.stack().compare())
        except PortsupError as error:
            self.call_from_thread(self._is_done, Done(False, f"{error.what}: {error.why}"))
            return
        if not lines:
            self.call_from_thread(self._is_done, Done(True, view.NOTHING_NEW))
            return
        question = "Apply what has changed in services.yaml?\n" + "\n".join(f"  {line}" for line in lines)
        self.call_from_thread(self._ask, question, "reload", (), is_late=True)

    def action_go(self, where: str) -> None:
        """To another screen; from itself nowhere."""
        kind = _SCREENS[where]
        if not isinstance(self.screen, kind):
            self.push_screen(kind())

    def action_help(self) -> None:
        """Shows every key."""
        self.push_screen(Help())

    def open_page(self, row: ServiceStatus) -> None:
        """Opens it in the browser."""
        url = row.name_url or row.url
        if url is None:
            self.notify(view.no_page(row.name), severity="warning")
        else:
            self._open(url)

    @work(thread=True, exit_on_error=False)
    def _open(self, url: str) -> None:
        """By a browser with a window of its own: one of the terminal would take this one, and keep it."""
        has_opened = False
        with contextlib.suppress(webbrowser.Error):
            browser = webbrowser.get()
            name = str(getattr(browser, "name", "")).rpartition("/")[2]
            has_opened = name not in _OF_THE_TERMINAL and browser.open(url)
        if not has_opened:
            self.call_from_thread(self.notify, f"found no browser: {url}", severity="warning")

    def copy(self, text: str, what: str) -> None:
        """Puts it into the clipboard of the terminal (OSC 52)."""
        self.copy_to_clipboard(text)
        self.notify(f"copied {what}", timeout=2)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield from super().get_system_commands(screen)
        yield SystemCommand("Reload services.yaml", "show what is different, and apply it", self.reload)
        yield SystemCommand("Start the stack", "start every service", self._doing("start"))
        yield SystemCommand("Stop the stack", "stop every service and end the instance", self._doing("down"))
        for row in self.rows:
            for what, words in _FOR_ONE:
                yield SystemCommand(f"{what} {row.name}", words, self._doing(_ORDERS[what], row.name))

    def _doing(self, what: str, *services: str) -> Callable[[], None]:
        return lambda: self.order(what, services)


_OF_THE_TERMINAL = ("www-browser", "links", "links2", "elinks", "lynx", "w3m", "browsh", "carbonyl")
_PLAIN_KEYS = {"enter": "enter", "right": "<- ->"}
_SCREENS: dict[str, type[Live]] = {"ports": Ports, "timeline": Timeline, "machine": Machine, "start": Start}
_ORDERS = {"Start": "start", "Stop": "stop", "Restart": "restart", "Roll": "roll", "Rotate": "rotate", "Kill": "kill"}
_FOR_ONE = (
    ("Start", "start it and what it needs"), ("Stop", "stop it; the others go on"),
    ("Restart", "stop it and start it again"), ("Roll", "restart it without a gap"),
    ("Rotate", "move it to the next port of its pool"), ("Kill", "send SIGKILL to it"),
)  # fmt: skip
