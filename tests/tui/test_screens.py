"""What the screens show at 80 columns and 24 lines, and what their keys do."""

import time
from dataclasses import replace

import pytest

from supervisor.api.following import Ended
from supervisor.api.values import FoundLine
from supervisor.tui.ask import Ask, Help, Report
from supervisor.tui.log_view import LogView
from supervisor.tui.logs import Logs
from supervisor.tui.overview import Overview
from tests.tui.view import ROWS, end, is_drawn, run, same_as, tell, text_of, until, view

pytestmark = pytest.mark.live  # the whole view, with a loop and timers of its own


@pytest.mark.parametrize(
    ("name", "size", "plain"),
    [("overview", (80, 24), False), ("overview-wide", (140, 12), False), ("ascii", (80, 12), True)],
)
def test_the_overview(monkeypatch: pytest.MonkeyPatch, name: str, size: tuple[int, int], plain: bool) -> None:
    async def look() -> None:
        async with view(monkeypatch, size, plain=plain) as (top, _, _):
            same_as(name, text_of(top))

    run(look)


def test_the_other_screens(monkeypatch: pytest.MonkeyPatch) -> None:
    screens = {
        "ports": (["p", "enter"], "is ready on port"),
        "timeline": (["t"], "exit code 3"),
        "help": (["question_mark"], "restart without gap"),
        "service": (["j", "w"], "Nothing has gone wrong"),
        "logs": (["enter"], "started, pid 7"),
    }

    async def look() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            for name, (keys, seen) in screens.items():
                await pilot.press(*keys)
                await until(pilot, lambda seen=seen: seen in text_of(top) and is_drawn(top))  # type: ignore[misc]
                same_as(name, text_of(top))
                await pilot.press("escape")
                await until(pilot, lambda: isinstance(top.screen, Overview))

    run(look)


def test_keys_have_things_done(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = {
        "restart web": ["r"], "roll web": ["b"], "rotate web": ["R"], "kill web": ["x"], "reload web": ["L", "y"],
        "stop db": ["j", "s", "y"], "start job": ["j", "j", "s"],
    }  # fmt: skip

    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, project):
            for done, keys in orders.items():
                project.done.clear()
                for key in keys:
                    if key == "y":
                        await until(pilot, lambda: isinstance(top.screen, Ask) and "Yes (y)" in text_of(top))
                    await pilot.press(key)
                await until(pilot, lambda done=done: project.done == [done])  # type: ignore[misc]

    run(press)


def test_a_stop_that_others_feel_is_asked_for_and_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, project):
            await pilot.press("j", "s")
            await until(pilot, lambda: isinstance(top.screen, Ask))
            assert "Stop db, although web, api need it?" in text_of(top)
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(top.screen, Overview))
            assert project.done == []

    run(press)


def test_done_is_said_only_when_it_is_and_the_last_lines_when_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, project):
            project.fake.outcome = False
            await pilot.press("r")
            await until(pilot, lambda: isinstance(top.screen, Report))
            assert "web: exit code 3" in text_of(top)
            assert "| last words" in text_of(top)

    run(press)


def test_the_end_of_the_stack_is_said_and_the_last_picture_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            end(top, Ended(time.time() - 65, "it was stopped"))
            await until(pilot, lambda: "ended 1m ago: it was stopped" in text_of(top))
            assert "6000" in text_of(top)
            tell(top, ROWS)
            await until(pilot, lambda: "ended" not in text_of(top))

    run(look)


def test_the_cursor_stays_on_its_service_when_the_order_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look() -> None:
        async with view(monkeypatch) as (top, pilot, project):
            await pilot.press("j", "j")  # on `api`
            well = [replace(each, state="running") if each.name == "web" else each for each in ROWS]
            tell(top, well)
            await until(pilot, lambda: "backoff" not in text_of(top))
            await pilot.press("r")
            await until(pilot, lambda: project.done == ["restart api"])

    run(look)


def test_a_filter_of_names(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press("slash", *"ap", "enter")
            await until(pilot, lambda: "db" not in text_of(top).replace("shop", ""))
            assert "api" in text_of(top)
            await pilot.press("escape")
            await until(pilot, lambda: " db " in text_of(top))

    run(press)


def logs_of(screen: object) -> LogView:
    assert isinstance(screen, Logs)
    return screen.query_one(LogView)


def test_logs_are_filtered_with_lines_around_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press("j", "enter")
            await until(pilot, lambda: "five" in text_of(top))
            assert "ERROR two red" in text_of(top)
            assert "[bold]three[/bold]" in text_of(top)
            await pilot.press("slash", *"WARN", "enter")
            await until(pilot, lambda: "1 of 6 lines match" in text_of(top))
            assert "INFO one" not in text_of(top)
            await pilot.press("c")
            await until(pilot, lambda: "with 2 lines around" in text_of(top))
            assert "three" in text_of(top)
            assert "INFO one" not in text_of(top)
            await pilot.press("slash", "left_parenthesis", "enter")
            await until(pilot, lambda: "is no regular expression" in text_of(top))
            await pilot.press("escape")
            await until(pilot, lambda: "INFO one" in text_of(top))
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(top.screen, Overview))

    run(press)


def test_following_stops_when_one_scrolls_and_nothing_jumps(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press("j", "enter")
            await until(pilot, lambda: "five" in text_of(top))
            log = logs_of(top.screen)
            log.add([FoundLine("2026-01-01T10:01:00.000Z", "db", "stdout", f"more {number}") for number in range(200)])
            await until(pilot, lambda: "more 199" in text_of(top))
            await pilot.press("pageup")
            await until(pilot, lambda: not log.is_following)
            before = log.scroll_offset.y
            log.add([FoundLine("2026-01-01T10:02:00.000Z", "db", "stdout", "the newest")])
            await until(pilot, lambda: "1 new line " in text_of(top))
            assert log.scroll_offset.y == before
            assert "the newest" not in text_of(top)
            await pilot.press("f")
            await until(pilot, lambda: "the newest" in text_of(top) and "following" in text_of(top))

    run(press)


def test_from_an_event_to_the_lines_of_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch, (80, 8)) as (top, pilot, _):
            await pilot.press("t")
            await until(pilot, lambda: "exit code 3" in text_of(top))
            await pilot.press("k", "enter")
            await until(pilot, lambda: isinstance(top.screen, Logs) and "started, pid 7" in text_of(top))
            assert "INFO one" not in text_of(top)

    run(press)


def test_a_hundred_thousand_lines_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press("j", "enter")
            await until(pilot, lambda: "five" in text_of(top))
            log = logs_of(top.screen)
            for part in range(10):
                log.add([FoundLine("2026-01-01T10:01:00.000Z", "db", "stdout", f"n {part} {n}") for n in range(10_000)])
            await until(pilot, lambda: "n 9 9999" in text_of(top))
            assert log.counts[0] <= 50_000

    run(press)


def test_what_somebody_reads_stays_where_it_is_whatever_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press("j", "enter")
            await until(pilot, lambda: "five" in text_of(top))
            log = logs_of(top.screen)

            def add(part: int) -> None:
                log.add([FoundLine("2026-01-01T10:01:00.000Z", "db", "stdout", f"n {part} {n}") for n in range(10_000)])

            for part in range(3):
                add(part)
            await until(pilot, lambda: "n 2 9999" in text_of(top))
            log.go_to(123)
            await until(pilot, lambda: "n 0 117" in text_of(top))
            read = log.visible_text()
            for part in range(3, 20):
                add(part)
            await until(pilot, lambda: "170000 new lines" in text_of(top))
            assert log.visible_text() == read
            await pilot.press("f")
            await until(pilot, lambda: "n 19 9999" in text_of(top))
            assert log.counts[0] <= 50_000
            log.add([FoundLine("2026-01-01T10:01:00.000Z", "db", "stdout", "the last")])
            await until(pilot, lambda: "the last" in text_of(top))

    run(press)


def test_help_names_every_key_that_does_something(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {str(each[0] if isinstance(each, tuple) else each.key) for each in (*Overview.BINDINGS, *Logs.BINDINGS)}
    named = {"slash": "/", "question_mark": "?", "enter": "enter", "escape": "escape"}
    missing = [key for key in keys - {"G"} if named.get(key, key) not in Help.TEXT]
    assert missing == ["question_mark"] or missing == []
