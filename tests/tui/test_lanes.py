"""What happened as a lane a service: where the marks stand, and how one gets from one to the next."""

import pytest
from textual.widgets import DataTable

from supervisor.api.values import Event, Update
from supervisor.tui.app import Told
from supervisor.tui.lanes import Lanes, marks, seconds_of
from supervisor.tui.live import Live
from tests.tui.view import is_drawn, run, text_of, until, view


def event(second: int, service: str | None = "db", level: str = "info", state: str | None = None) -> Event:
    return Event(f"2026-01-01T10:00:{second:02d}.000Z", second, level, "service ready", service, state, {"port": 6000})


def drawn(events: list[Event], width: int = 10) -> dict[str, str]:
    begin = seconds_of(event(0))
    lanes = {}
    for name, its in marks(events, begin, begin + 10, width).items():
        line = ["-"] * width
        for mark in its:
            line[mark.column] = mark.shape
        lanes[name] = "".join(line)
    return lanes


def test_each_event_stands_in_the_lane_of_its_service_at_its_moment() -> None:
    events = [event(0), event(3, "web", "error"), event(5, state="running"), event(9, None), event(9, "web", "warning")]
    assert drawn(events) == {"db": "•----●----", "web": "---✕-----▲", "": "---------•"}


def test_of_events_in_one_place_the_worst_is_seen() -> None:
    assert drawn([event(0), event(1, level="error"), event(2, state="running")], 2) == {"db": "✕-"}


def test_what_is_older_has_no_mark_and_what_is_newest_has_one() -> None:
    old = Event("2026-01-01T09:00:00.000Z", 1, "info", "service ready", "db")
    assert drawn([old, event(10)]) == {"db": "---------•"}


@pytest.mark.live
def test_keys_and_the_mouse_go_along_a_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press("t")
            table = top.screen.query_one(DataTable)
            await until(pilot, lambda: table.row_count == 2)

            async def goes_to(row: int, *keys: str) -> None:
                await pilot.press(*keys)
                await until(pilot, lambda: table.cursor_row == row)

            for each in (event(4), event(5, "web"), event(6)):
                top.post_message(Told(Update("run", 2, event=each), None, None))
            await until(pilot, lambda: table.row_count == 5)
            await goes_to(4, "G")
            await goes_to(2, "left")  # past that of `web`
            await goes_to(0, "left", "left")
            await goes_to(2, "right")
            await pilot.click("Lanes", offset=(79, 1))  # the end of the lane of `web`
            await until(pilot, lambda: table.cursor_row == 3)
            await pilot.press("z")
            await until(pilot, lambda: "the last 10 minutes" in text_of(top))

    run(press)


@pytest.mark.live
def test_a_second_in_which_nothing_moves_draws_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a slow line, what is drawn is what keys have to wait for."""

    async def look() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press("t")
            await until(pilot, lambda: top.screen.query_one(DataTable).row_count == 2 and is_drawn(top))
            drawn: list[str] = []
            lanes = top.screen.query_one(Lanes)
            span = (seconds_of(event(0)), seconds_of(event(10)) + 0.3)  # no mark at the edge of a column
            lanes.put([event(2), event(5)], ["db"], span, None)
            await pilot.pause()
            monkeypatch.setattr(lanes, "refresh", lambda *_, **__: drawn.append("lanes"))
            monkeypatch.setattr(top.screen, "_refresh_layout", lambda *_, **__: drawn.append("all"))
            lanes.put([event(2), event(5)], ["db"], (span[0], span[1] + 0.01), None)
            assert isinstance(top.screen, Live)
            top.screen.say("#head", "another line")
            await until(pilot, lambda: "another line" in text_of(top))
            await pilot.pause()  # until it is idle, when it would lay out everything
            assert drawn == []
            lanes.put([event(2), event(5)], ["db"], (span[0], span[1] + 100), None)
            assert drawn == ["lanes"]

    run(look)


@pytest.mark.live
def test_a_history_that_comes_late_stands_before_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press("t")
            table = top.screen.query_one(DataTable)
            await until(pilot, lambda: table.row_count == 2)
            older = Event("2026-01-01T09:00:00.000Z", 1, "info", "service ready", "db", "running", {"port": 6000})
            top.post_message(Told(Update("run", 2, event=older), None, None))
            await until(pilot, lambda: table.row_count == 3)
            assert text_of(top).index("09:00:00  db") < text_of(top).index("10:00:02  db")
            await pilot.resize_terminal(60, 20)
            await until(pilot, lambda: " 09:00:00  db" in text_of(top) and "2026" not in text_of(top))

    run(look)
