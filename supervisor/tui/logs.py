"""The screen with the logs of a service, or of all."""

import threading
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input, Static

from supervisor.api.log_following import LogFollowing
from supervisor.api.values import Event, FoundLine
from supervisor.errors import UsageError
from supervisor.tui.live import Live
from supervisor.tui.log_view import LogView
from supervisor.words.enumeration import counted

_CONTEXTS = (0, 2, 5)


class Printed(Message):
    """Lines that are new; `trouble` where they cannot be had."""

    def __init__(self, lines: list[FoundLine], trouble: str = "") -> None:
        super().__init__()
        self.lines = lines
        self.trouble = trouble


class Logs(Live):
    """The logs of these services."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "back", "back"), Binding("slash", "filter", "filter", priority=True),
        Binding("n", "match(1)", "next", show=False),
        Binding("N", "match(-1)", "before", show=False), ("c", "context", "context"), ("f", "follow", "follow"),
        ("0", "restart", "last start"), ("y", "copy", "copy"), Binding("j", "scroll(1)", "down", show=False),
        Binding("k", "scroll(-1)", "up", show=False), Binding("G", "end", "end", show=False),
        Binding("q", "back", "back", show=False), ("question_mark", "app.help", "help"),
    ]  # fmt: skip

    def __init__(self, services: tuple[str, ...], since: str = "") -> None:
        """`since` is a moment to begin at, RFC 3339."""
        super().__init__()
        self._services = services
        self._since = since
        self._grep = ""
        self._around = 0
        self._trouble = ""
        self._following: LogFollowing | None = None

    def body(self) -> ComposeResult:
        yield LogView(self._services)
        yield Static("", id="status", markup=False)
        yield Input(placeholder="regular expression", id="filter")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(LogView).focus()
        self._following = LogFollowing(self.top.project, self._services, self._told)
        threading.Thread(target=self._following.run, daemon=True).start()

    def on_unmount(self) -> None:
        super().on_unmount()
        if self._following is not None:
            self._following.close()

    def _told(self, lines: list[FoundLine], trouble: str) -> None:
        """In the thread that follows."""
        self.post_message(Printed(lines, trouble))

    def heading(self) -> str:
        return f"logs of {self._services[0]}" if len(self._services) == 1 else "logs"

    def show(self, update: object) -> None:
        event = getattr(update, "event", None)
        if isinstance(event, Event) and event.service in self._services and self._following is not None:
            self._following.note(event)
        self._show_status()

    def on_printed(self, message: Printed) -> None:
        """More lines."""
        view = self.query_one(LogView)
        self._trouble = message.trouble
        view.add(message.lines)
        if self._since and message.lines:
            view.go_to_time(self._since)
            self._since = ""
        self._show_status()

    @on(LogView.Moved)
    def _show_status(self) -> None:
        view = self.query_one(LogView)
        lines, shown, matches = view.counts
        new = f"{counted(view.unseen, 'new line')} (f follows)" if view.unseen else "paused"
        words = ["following" if view.is_following else new]
        if self._grep:
            around = f" with {counted(self._around, 'line')} around" if self._around else ""
            words.append(f"{matches} of {counted(lines, 'line')} match `{self._grep}`{around}")
        else:
            words.append(counted(shown, "line"))
        self.say("#status", "  |  ".join([*words, *filter(None, [self._trouble])]))

    def action_filter(self) -> None:
        """Asks for a regular expression."""
        self.ask_for_filter()

    @on(Input.Submitted, "#filter")
    def _is_asked(self, event: Input.Submitted) -> None:
        self._seek(event.value, self._around)
        self.query_one("#filter", Input).set_class(False, "on")
        self.query_one(LogView).focus()

    def _seek(self, grep: str, context: int) -> None:
        try:
            self.query_one(LogView).seek(grep, context)
        except UsageError as error:  # no regular expression
            self.notify(error.why, severity="error")
            return
        self._grep, self._around = grep, context
        self._show_status()

    def on_log_view_given_up(self, message: LogView.GivenUp) -> None:
        """The filter takes too long: says so, and shows everything."""
        self.notify(message.why, severity="error")
        if self._grep == message.grep:
            self._grep = ""
        self._show_status()

    def action_context(self) -> None:
        """More lines around each match, then none again."""
        self._seek(self._grep, _CONTEXTS[(_CONTEXTS.index(self._around) + 1) % len(_CONTEXTS)])

    def action_match(self, step: int) -> None:
        """The next match, or the one before."""
        if not self.query_one(LogView).next_match(step):
            self.notify("no match there" if self._grep else "/ says what to look for", timeout=2)

    def action_follow(self) -> None:
        """Follows, or stays."""
        view = self.query_one(LogView)
        view.follow(not view.is_following)

    def action_end(self) -> None:
        """To the end, and follows."""
        self.query_one(LogView).follow(True)

    def action_restart(self) -> None:
        """To the last start of the process."""
        if not self.query_one(LogView).last_mark():
            self.notify("no start is among these lines", timeout=2)

    def action_copy(self) -> None:
        """Copies what is shown."""
        self.top.copy(self.query_one(LogView).visible_text(), "the lines that are shown")

    def action_scroll(self, by: int) -> None:
        """Moves by a line."""
        self.query_one(LogView).scroll_relative(y=by, animate=False)

    def action_back(self) -> None:
        """Closes the filter, takes it away, or goes back."""
        box = self.query_one("#filter", Input)
        if box.has_class("on"):
            box.set_class(False, "on")
            self.query_one(LogView).focus()
        elif self._grep:
            box.value = ""
            self._seek("", self._around)
        else:
            self.app.pop_screen()
