"""Questions, and what is said at length: each over the screen that it is about."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from supervisor.core.escapes import tamed

UNSEEN = 0.4  # seconds that pass at least between what is seen and what is done because of it


class Ask(ModalScreen[bool]):
    """A question with yes and no; no is what Escape says."""

    AUTO_FOCUS = "Button"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("y", "answer(True)", "yes"), ("n", "answer(False)", "no"), ("escape", "answer(False)", "no"),
    ]  # fmt: skip

    def __init__(self, question: str, *, is_late: bool = False) -> None:
        """One that `is_late` comes by itself: keys that are pressed before it can be seen are no answer."""
        super().__init__()
        self._question = question
        self._is_heard = not is_late

    def compose(self) -> ComposeResult:
        with Vertical():
            with VerticalScroll():
                yield Static(tamed(self._question), markup=False)
            with Horizontal():
                yield Button("No (n)", id="no")
                yield Button("Yes (y)", id="yes", variant="warning")

    def on_mount(self) -> None:
        if not self._is_heard:
            self.query_one(Horizontal).visible = False
            self.set_timer(UNSEEN, self.hear)

    def hear(self) -> None:
        """From now on keys are answers."""
        self._is_heard = self.query_one(Horizontal).visible = True
        self.query_one("#no", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """The answer of a key."""
        if self._is_heard:
            self.dismiss(yes)


class Report(ModalScreen[None]):
    """What a service printed that could not be brought where it should be."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,enter,q", "dismiss", "close")]

    def __init__(self, words: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._words = words
        self._lines = lines

    def compose(self) -> ComposeResult:
        with Vertical():
            with VerticalScroll():
                lines = "\n".join(f"  | {tamed(line)}" for line in self._lines)
                yield Static(f"{tamed(self._words)}\n{lines}", markup=False)
            yield Static("\nw on the service shows the whole story; Escape closes this", markup=False)


class Help(ModalScreen[None]):
    """Every key."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,enter,q,question_mark", "dismiss", "close")]

    TEXT = """\
up, down, j, k  move                enter  logs of the service
r               restart             R      move to the next port
b               restart without gap s      start, or stop
x               kill                L      reload services.yaml
o               open in a browser   y      copy the URL
w               all about it: why, who needs whom, settings
a               logs of all         /      show only some
p               ports               t      what happened
m               this machine        g      the last start, as bars
escape          back                q      back, or leave
:               all commands        ?      this
Leaving never stops the stack.

in logs
/               a regular expression: only lines that match
c               lines around them: none, 2, 5
n, N            next match, the one before
f               follow; it stops when you scroll
0               to the last start of the process
y               copy the lines that are shown

in ports        enter  its history  R  next port
in what happened  enter  the lines of then  l  of one service
                left, right  in its lane  z  lanes of another span
in one service  e  its environment  left, right  move the graph"""

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(self.TEXT, markup=False)
