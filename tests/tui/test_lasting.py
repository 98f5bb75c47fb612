"""What is shown for long: a window that ends neither by much news nor by what comes at a bad moment."""

import pytest
from textual.widgets import DataTable

from supervisor.api.values import Event, Update
from supervisor.errors import UsageError
from supervisor.tui import timeline
from supervisor.tui.app import Told
from supervisor.tui.lanes import Lanes
from supervisor.tui.log_view import LogView
from supervisor.tui.logs import Logs
from tests.tui.view import run, text_of, until, view

pytestmark = pytest.mark.live


def event(number: int, what: str = "service ready") -> Event:
    return Event(f"2026-01-01T10:00:{4 + number}.000Z", number, "info", what, "db", None, {"pid": 7})


def test_events_that_are_left_out_are_forgotten_and_can_be_pointed_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MOST", 3)

    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press("t")
            table = top.screen.query_one(DataTable)
            await until(pilot, lambda: table.row_count == 2)
            for number in range(10, 22):
                top.post_message(Told(Update("run", 2, event=event(number)), None, None))
            await until(pilot, lambda: "10:00:25" in text_of(top))
            assert isinstance(top.screen, timeline.Timeline)
            assert len(top.screen._known) == len(top.screen._all) <= 6
            top.screen.query_one(Lanes).post_message(Lanes.Chosen(event(10)))
            await pilot.press("G")
            await until(pilot, lambda: table.cursor_row == table.row_count - 1)

    run(press)


def test_a_start_that_comes_while_the_filter_takes_too_long_ends_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> None:
        raise UsageError("cannot search the logs", "it takes too long", "")

    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press("a")
            await until(pilot, lambda: isinstance(top.screen, Logs) and "five" in text_of(top))
            with monkeypatch.context() as patch:
                patch.setattr(LogView, "add", slow)
                top.post_message(Told(Update("run", 2, event=event(10, "service spawned")), None, None))
                await until(pilot, lambda: "it takes too long" in text_of(top))

    run(press)
