"""What is shown for long: a window that ends neither by much news nor by what comes at a bad moment."""

import errno
import os
import random

import pytest
from textual.widgets import DataTable

from supervisor.api.log_filter import LineFilter
from supervisor.api.values import Event, FoundLine, Update
from supervisor.errors import UsageError
from supervisor.tui import log_view, timeline
from supervisor.tui.app import Told, Top
from supervisor.tui.lanes import Lanes
from supervisor.tui.log_view import LogView
from supervisor.tui.logs import Logs
from supervisor.tui.overview import Overview
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


SLOW = "(b+)+$"
LATE = FoundLine("2026-01-01T10:01:00.000Z", "db", "stdout", "b" * 60 + "!")  # on which SLOW takes for ever


def said_by(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said from now on; on a busy machine it may be gone from the screen before anybody looks."""
    said: list[str] = []
    monkeypatch.setattr(Top, "notify", lambda _, message, **__: said.append(message))
    return said


def held_back(log: LogView) -> None:
    """More lines than there is room for, of which the last is LATE, while somebody reads in the first ones."""
    lines = [FoundLine(LATE.time, "db", "stdout", f"b {number}") for number in range(log_view.MOST)]
    log.add(lines)
    log.go_to(3)
    log.add([*lines, LATE])
    assert log._held


@pytest.mark.parametrize("deed", ["add", "hold", "seek", "follow", "end", "restart"])
def test_a_filter_that_takes_too_long_is_given_up_and_ends_no_window(
    monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    monkeypatch.setattr(log_view, "MOST", 20)
    monkeypatch.setattr(log_view, "_DROPPED", 3)

    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press("a")
            await until(pilot, lambda: isinstance(top.screen, Logs) and "five" in text_of(top))
            log = top.screen.query_one(LogView)
            said = said_by(monkeypatch)
            if deed not in ("add", "hold", "seek"):
                held_back(log)
            if deed != "seek":
                log._line_filter, log._grep = LineFilter(SLOW), SLOW
            match deed:
                case "add":
                    log.add([LATE])
                case "hold":
                    held_back(log)
                case "seek":
                    log.add([LATE])
                    await pilot.press("slash", *SLOW, "enter")
                case _:
                    await pilot.press({"follow": "f", "end": "G", "restart": "0"}[deed])
            await until(pilot, lambda: f"`{SLOW}` takes too long on these lines" in said)
            await until(pilot, lambda: "match `" not in text_of(top))
            await pilot.press("G")
            await until(pilot, lambda: "bbbbbbbbbb!" in text_of(top) and "following" in text_of(top))

    run(press)


@pytest.mark.parametrize("around", [0, 2])
def test_what_is_shown_of_many_lines_is_what_a_look_at_all_of_them_shows(
    monkeypatch: pytest.MonkeyPatch, around: int
) -> None:
    """However many come at once, and whatever is dropped to have room for them."""
    monkeypatch.setattr(log_view, "MOST", 50)
    monkeypatch.setattr(log_view, "_DROPPED", 9)
    chance = random.Random(around)

    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press("a")
            await until(pilot, lambda: isinstance(top.screen, Logs) and "five" in text_of(top))
            log = top.screen.query_one(LogView)
            log.seek("x", around)
            for size in (1, 3, 30, 30, 0, 49, 80, 2, 50, 51, 7):
                log.add([FoundLine(LATE.time, "db", "stdout", chance.choice("xyz")) for _ in range(size)])
                seen = list(log._shown), list(log._matches)
                log._choose(0)
                assert (log._shown, log._matches) == seen
                assert log.counts[0] <= 50

    run(press)


def test_many_lines_that_each_take_a_little_keep_the_window_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.api.log_filter._SECONDS", 0.1)
    with pytest.raises(UsageError) as error:
        LineFilter("(a+)+$").numbers(["a" * 14 + "!"] * 20_000)
    assert "takes too long on these lines" in error.value.why


@pytest.mark.parametrize(
    ("key", "where", "words"),
    [
        ("w", "supervisor.tui.service.sight.settings_of", "too many open files"),
        ("p", "supervisor.tui.ports.all_pools", "too many open files"),
        ("m", "supervisor.tui.machine.instances", "too many open files"),
        ("g", "supervisor.tui.start.last_start", "too many open files"),
        ("t", "tests.tui.view.FakeProject.history", "too many open files"),
        ("r", "supervisor.tui.app.carry_out", "KeyError"),
        ("L", "supervisor.tui.app.difference", "KeyError"),
    ],
)
def test_what_goes_wrong_in_a_thread_is_said_and_ends_no_window(
    monkeypatch: pytest.MonkeyPatch, key: str, where: str, words: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("web") if words == "KeyError" else OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async def press() -> None:
        async with view(monkeypatch, (110, 30)) as (top, pilot, _):
            said = said_by(monkeypatch)
            monkeypatch.setattr(where, fail)
            await pilot.press(key)
            await until(pilot, lambda: any("this did not work" in each and words in each for each in said))
            if not isinstance(top.screen, Overview):
                await pilot.press("escape")
            await until(pilot, lambda: isinstance(top.screen, Overview) and " job " in text_of(top))

    run(press)
