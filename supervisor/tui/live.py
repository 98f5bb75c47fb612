"""What every screen has: the stack in one line on top, a word when it has ended, the keys at the bottom."""

import time
from collections.abc import Callable
from typing import cast

from rich.text import Text
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Input, Static
from textual.worker import Worker, WorkerState, get_current_worker

from supervisor.api.values import Update
from supervisor.core.escapes import tamed
from supervisor.tui.cells import age_cell
from supervisor.tui.model import head_line
from supervisor.tui.view import View
from supervisor.words import view as words_of

_GROWS = ("#ended", "#text")  # others are one line, so that nothing else has to be sent anew with them


class Live(Screen[None]):
    """A screen that is told of each change."""

    def __init__(self) -> None:
        super().__init__()
        self._is_set_up = False
        self._said: dict[str, str] = {}  # by widget

    def compose(self) -> ComposeResult:
        yield Static("", id="head", markup=False)
        yield Static("", id="ended", markup=False)
        yield from self.body()
        yield Footer(compact=True, show_command_palette=False)

    def body(self) -> ComposeResult:
        """What is between the lines on top and the keys."""
        yield Widget()

    @property
    def top(self) -> View:
        """The view that it is part of."""
        return cast(View, self.app)

    def on_mount(self) -> None:
        self._is_set_up = True
        self.take(None)

    def on_unmount(self) -> None:
        self._is_set_up = False

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What went wrong in a thread that reads for this screen is said."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.top.went_wrong(event.worker.error)

    def hand_over(self, show: Callable[..., object], *told: object) -> None:
        """In a thread that reads for this screen: has it shown, unless another one reads the same by now."""
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(show, *told)

    def take(self, update: Update | None) -> None:
        """Something is new, or a second has passed."""
        if not self._is_set_up:
            return
        self._show_head()
        self.show(update)

    def show(self, update: Update | None) -> None:
        """Shows it."""

    def heading(self) -> str:
        """What this screen is, behind the name of the stack."""
        return ""

    @property
    def is_now(self) -> bool:
        """Whether somebody tells of the stack; what is known is of before otherwise."""
        return self.top.following.ended is None

    def ask_for_filter(self) -> None:
        """Opens the box at the bottom; what is typed next is in it, however fast it comes."""
        box = self.query_one("#filter", Input)
        box.set_class(True, "on")
        self.set_focus(box)  # at once: after `box.focus()` some keys would still be those of the screen

    def say(self, widget: str, words: str) -> None:
        """Puts words there; the same ones again cost nothing."""
        if self._is_set_up and self._said.get(widget) != words:
            self._said[widget] = words
            self.query_one(widget, Static).update(tamed(words), layout=widget in _GROWS)

    def put(self, **texts: Text) -> None:
        """Puts texts into widgets by their ids; nowhere once the screen is closed, while a thread still read for it."""
        if self._is_set_up:
            for name, text in texts.items():
                self.query_one(f"#{name}", Static).update(text)

    def _show_head(self) -> None:
        following = self.top.following
        if following.status is not None:
            words = head_line(following.status.stack, following.status.instance, self.top.rows)
        else:
            words = self.top.project.folder
        heading = self.heading()
        self.say("#head", f"{words}  |  {heading}" if heading else words)
        ended = following.ended
        self.query_one("#ended").set_class(ended is not None, "on")
        if ended is not None:
            if following.status is None:
                self.say("#ended", words_of.not_begun(ended.why))
            else:
                age = age_cell(max(0.0, time.time() - ended.at))
                self.say("#ended", words_of.ended(age, ended.why))
        for widget in self.query("DataTable, #text, #graph"):
            widget.set_class(ended is not None and following.status is not None, "stale")
