"""The screen with the last start of the stack: a bar a service, and what delayed it."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from supervisor.api.launch import Launch, critical_chain, phases
from supervisor.api.sight import last_start
from supervisor.core import journal
from supervisor.errors import PortsupError
from supervisor.tui.live import Live
from supervisor.tui.texts import text_of
from supervisor.words import pictures, view

_SIGNS = {"port": "·", "waited": "░", "spawn": "▒", "listening": "▓", "ready": "█"}
_PLAIN = {"port": ".", "waited": ":", "spawn": "-", "listening": "=", "ready": "#"}
_LONGEST_NAME = 18
_BESIDE = 50  # columns for the name, the time and for whom it waited


class Start(Live):
    """How long each service took, and for whom it waited."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "app.pop_screen", "back"), ("q", "app.pop_screen", "back")]

    def body(self) -> ComposeResult:
        with VerticalScroll():
            yield Static("", id="text", markup=False)

    def on_resize(self) -> None:
        self._read()

    def heading(self) -> str:
        return "the last start"

    @work(thread=True, exit_on_error=False, exclusive=True)
    def _read(self) -> None:
        try:
            width = max(10, self.size.width - _BESIDE)
            text = "\n".join(bars(last_start(self.top.project), width, plain=self.top.plain))
        except PortsupError as error:
            text = f"{error.what}: {error.why}"
        self.hand_over(partial(self.put, text=text_of(text)))


def bars(starts: Sequence[Launch], width: int, *, plain: bool = False) -> list[str]:
    """Each start as a bar from when it was let go until it was there; those that made the stack late are marked.  Pure.

    width: of the longest bar, in characters
    """
    ends = [each.settled for each in starts if each.settled is not None]
    if not ends:
        return [view.NO_START]
    total, late = max(ends), {each.name for each in critical_chain(starts)}
    signs = _PLAIN if plain else _SIGNS
    legend = "   ".join(f"{signs[name]} {pictures.PHASES[name]}" for name in pictures.PHASES)
    lines = [view.all_there(total, [each.name for each in starts if each.settled is None]), legend, ""]
    scale = width / (total or 1)
    names = min(_LONGEST_NAME, max(len(each.name) for each in starts))
    for each in starts:
        name = f"{each.name[:names]:{names}}"
        if each.settled is None:
            lines.append(f"  {view.not_up(name)}")
            continue
        at = each.at.get(journal.ServiceAcquiring.event, 0.0)
        bar = " " * round(at * scale)
        for phase, seconds in phases(each):
            at += seconds or 0.0
            bar += signs[phase] * (round(at * scale) - len(bar))
        bar = bar or signs["ready"]
        after = f" after {each.after}" if each.after else ""
        mark = "*" if each.name in late else " "
        begun = each.released if each.released is not None else each.settled
        lines.append(f"{mark} {name} {bar:{width}} {each.settled - begun:5.2f} s {each.outcome}{after}")
    return lines
