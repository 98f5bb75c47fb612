"""The screen with the last start of the stack: a bar a service, and what delayed it."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from supervisor.api.launch import Launch, critical_chain
from supervisor.api.sight import last_start
from supervisor.errors import PortsupError
from supervisor.tui.live import Live
from supervisor.words import view


class Start(Live):
    """How long each service took, and for whom it waited."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "app.pop_screen", "back"), ("q", "app.pop_screen", "back")]

    def body(self) -> ComposeResult:
        with VerticalScroll():
            yield Static("", id="text", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self._read()

    def heading(self) -> str:
        return "the last start"

    @work(thread=True)
    def _read(self) -> None:
        try:
            text = "\n".join(bars(last_start(self.top.project), max(20, self.size.width - 56), plain=self.top.plain))
        except PortsupError as error:
            text = f"{error.what}: {error.why}"
        shown = Text(text, no_wrap=True, overflow="ellipsis")
        self.app.call_from_thread(self.query_one("#text", Static).update, shown)


def bars(starts: Sequence[Launch], width: int, *, plain: bool = False) -> list[str]:
    """Each start as a bar from when it was let go until it was there; those that made the stack late are marked.  Pure.

    width: of the longest bar, in characters
    """
    ends = [each.settled for each in starts if each.settled is not None]
    if not ends:
        return [view.NO_START]
    total, late = max(ends), {each.name for each in critical_chain(starts)}
    full, wait = ("#", ".") if plain else ("█", "░")
    lines = [view.all_there(total), ""]
    for each in starts:
        if each.settled is None:
            lines.append(view.not_up(each.name))
            continue
        begin = each.released or 0.0
        before, during = round(begin / (total or 1) * width), round((each.settled - begin) / (total or 1) * width)
        bar = wait * before + full * max(1, during)
        after = f" after {each.after}" if each.after else ""
        mark = "*" if each.name in late else " "
        took = f"{each.settled - begin:.2f} s"
        lines.append(f"{mark} {each.name[:18]:18} {bar[: width + 1]} {took} {each.outcome}{after}")
    return lines
