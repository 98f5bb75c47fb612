"""Lines of logs that are scrolled, filtered and followed: only those in the window are ever drawn."""

import bisect
from collections import deque
from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from supervisor.api.log_filter import LineFilter, level_word
from supervisor.api.log_following import MARK
from supervisor.api.values import FoundLine
from supervisor.core.escapes import tamed
from supervisor.core.naming import parted
from supervisor.errors import UsageError
from supervisor.tui.cells import clock_cell
from supervisor.tui.style import shade
from supervisor.words import view

MOST = 50_000  # lines that are kept
_DROPPED = 10_000  # at once, when there are more
_COLOURS = {"warning": "yellow", "error": "red", "critical": "bold red", "debug": "dim", "trace": "dim"}
_NAMES = ("cyan", "magenta", "green", "blue", "bright_cyan", "bright_magenta")


class LogView(ScrollView, can_focus=True):
    """The lines; `is_following` keeps to the end until somebody scrolls up."""

    class Moved(Message):
        """Whether it follows has changed, or how many lines are new."""

    class GivenUp(Message):
        """The filter `grep` took too long, so that all lines are shown; `why` says more."""

        def __init__(self, grep: str, why: str) -> None:
            super().__init__()
            self.grep = grep
            self.why = why

    def __init__(self, services: Sequence[str]) -> None:
        super().__init__()
        self.is_following = True
        self.unseen = 0
        self._lines: list[FoundLine] = []
        # Those that came when there was no more room, and somebody read in what is there, which must not move.
        self._held: deque[FoundLine] = deque(maxlen=MOST)
        self._lost = 0  # that were behind these lines and before those held back
        self._shown: list[int] = []  # numbers of the lines that are shown
        self._matches: list[int] = []  # and where among them those are that match
        self._line_filter: LineFilter | None = None
        self._grep = ""
        self._around = 0
        self._longest = 0
        self._prefix = max(map(len, services), default=0) + 1 if len(services) > 1 else 0
        self._services = tuple(services)
        self._colours = {name: _NAMES[number % len(_NAMES)] for number, name in enumerate(services)}

    def add(self, lines: Sequence[FoundLine]) -> None:
        """Adds lines behind the others."""
        if not self.is_following and len(self._lines) + len(lines) > MOST:
            self._hold(lines)
            return
        self._lines += lines
        if len(self._lines) > MOST:
            self._drop()
        self._show_from(0 if self._around else max(0, len(self._lines) - len(lines)))
        if not self.is_following:
            self.unseen += len(self._shown) - bisect.bisect_left(self._shown, len(self._lines) - len(lines))
        self._is_changed()

    def seek(self, grep: str, context: int) -> None:
        """Shows only what matches, with so many lines around; everything for nothing.

        Raises UsageError for what is no regular expression.  One that takes too long is `GivenUp`, now or later.
        """
        self._line_filter = LineFilter(grep) if grep else None
        self._grep, self._around = grep, context
        self._join_held()
        self._show_from(0)
        self._is_changed()

    def follow(self, on: bool) -> None:
        """Keeps to the end from now on, or stays."""
        self.is_following = on
        if on:
            self.unseen = 0
            self._take_held()
            self._is_changed()
        self.post_message(self.Moved())

    def next_match(self, step: int) -> bool:
        """Goes to the next match, or the one before; False where there is none."""
        if not self._matches:
            return False
        here = self.scroll_offset.y
        number = bisect.bisect_right(self._matches, here) if step > 0 else bisect.bisect_left(self._matches, here) - 1
        if not 0 <= number < len(self._matches):
            return False
        self.go_to(self._matches[number])
        return True

    def last_mark(self) -> bool:
        """Goes to where the process was started last; False where nothing tells of it."""
        self._take_held()
        self._is_changed()
        for number in range(len(self._shown) - 1, -1, -1):
            line = self._lines[self._shown[number]]
            if line.stream == MARK and line.service:
                self.go_to(number)
                return True
        return False

    def go_to_time(self, time: str) -> None:
        """Goes to the first line of that moment, RFC 3339, or later."""
        times = [self._lines[number].time for number in self._shown]
        self.go_to(bisect.bisect_left(times, time))

    def go_to(self, number: int) -> None:
        """Puts that line on top."""
        self.follow(False)
        self.scroll_to(y=number, animate=False)

    def visible_text(self) -> str:
        """The lines in the window, as they were printed."""
        top = self.scroll_offset.y
        return "\n".join(self._lines[number].message for number in self._shown[top : top + self.size.height])

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many lines there are, how many are shown, and how many of them match."""
        return len(self._lines) + len(self._held), len(self._shown), len(self._matches)

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        if new < old and self.is_following and new < self.max_scroll_y:
            self.follow(False)
        elif new >= self.max_scroll_y and not self.is_following and new > old:
            self.follow(True)

    def render_line(self, y: int) -> Strip:
        left, top = self.scroll_offset
        number = top + y
        if number >= len(self._shown):
            return Strip.blank(self.size.width, self.rich_style)
        segments = self._segments(self._lines[self._shown[number]], self._shown[number])
        return Strip(segments).crop_extend(left, left + self.size.width, self.rich_style)

    def _segments(self, line: FoundLine, number: int) -> list[Segment]:
        base = self.rich_style
        segments = [Segment(f"{clock_cell(line.time)} ", base + Style(dim=True))]
        if self._prefix or line.service not in self._services:  # of several replicas
            service = parted(line.service, self._services)[0]
            colour = Style.parse(self._colours.get(service, ""))
            segments.append(Segment(line.service.ljust(max(self._prefix, len(line.service) + 1)), base + colour))
        text = self._text(number)
        if line.stream == MARK:
            return [*segments, Segment(text, base + Style(bold=True, reverse=True))]
        told = shade(_COLOURS.get(level_word(text) or "", ""), dark=self.app.current_theme.dark)
        style = base + Style.parse(told)
        end = 0
        for begin, after in self._line_filter.spans(text) if self._line_filter is not None else ():
            segments += [Segment(text[end:begin], style), Segment(text[begin:after], style + Style(reverse=True))]
            end = after
        return [*segments, Segment(text[end:], style)]

    def _text(self, number: int) -> str:
        return tamed(self._lines[number].message).expandtabs(8).replace("\n", " ")

    def _show_from(self, begin: int) -> None:
        """Chooses what is shown of the lines from there on; of all, and everything, once the filter takes too long."""
        try:
            self._choose(begin)
        except UsageError as error:
            self._give_up(error)
            self._choose(0)

    def _give_up(self, error: UsageError) -> None:
        self.post_message(self.GivenUp(self._grep, error.why))
        self._line_filter, self._grep = None, ""

    def _choose(self, begin: int) -> None:
        chosen = self._chosen(range(begin, len(self._lines)))
        if begin == 0:
            self._shown.clear()
            self._matches.clear()
            self._longest = 0
        if self._line_filter is None or not self._around:
            for number in range(begin, len(self._lines)):
                if number in chosen:
                    self._show(number, is_match=self._line_filter is not None)
            return
        last = -1
        for number in sorted(chosen):
            for near in range(max(last + 1, number - self._around), min(len(self._lines), number + self._around + 1)):
                self._show(near, is_match=near in chosen)
                last = near

    def _chosen(self, numbers: range) -> "set[int] | range":
        if self._line_filter is None:
            return numbers
        return {numbers[found] for found in self._line_filter.numbers([self._text(number) for number in numbers])}

    def _show(self, number: int, *, is_match: bool) -> None:
        if is_match:
            self._matches.append(len(self._shown))
        self._shown.append(number)
        self._longest = max(self._longest, _width(self._lines[number].message))

    def _hold(self, lines: Sequence[FoundLine]) -> None:
        """Keeps lines that are not to be shown yet."""
        self._lost += max(0, len(self._held) + len(lines) - MOST)
        self._held.extend(lines)
        try:
            chosen = self._line_filter
            self.unseen += len(lines if chosen is None else chosen.numbers([tamed(each.message) for each in lines]))
        except UsageError as error:
            self._give_up(error)
            self._show_from(0)
            self.unseen = len(self._held)
            self._is_changed()
        self.post_message(self.Moved())

    def _take_held(self) -> None:
        """Shows what was held back."""
        if self._held:
            self._join_held()
            self._show_from(0)

    def _join_held(self) -> None:
        if self._held:
            gap = [FoundLine(self._held[0].time, "", MARK, view.left_out(self._lost))] if self._lost else []
            self._lines += [*gap, *self._held]
            self._held.clear()
            self._lost = 0
            if len(self._lines) > MOST:
                self._drop()

    def _drop(self) -> None:
        gone = min(len(self._lines), len(self._lines) - MOST + _DROPPED)
        del self._lines[:gone]
        hidden = bisect.bisect_left(self._shown, gone)  # of those that were shown
        self._shown = [number - gone for number in self._shown[hidden:]]
        self._matches = [number - hidden for number in self._matches if number >= hidden]

    def _is_changed(self) -> None:
        self.virtual_size = Size(self._longest + 9 + self._prefix, len(self._shown))
        if self.is_following:
            self.scroll_end(animate=False)
        self.refresh()
        self.post_message(self.Moved())


def _width(message: str) -> int:
    """How many cells a line takes at most."""
    return (len(message) if message.isascii() else cell_len(message)) + 7 * message.count("\t")
