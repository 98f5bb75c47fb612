"""What a key does is what somebody has seen who presses it, whatever comes meanwhile."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.widgets import Static

from supervisor.api.following import Ended
from supervisor.api.pools import InstancePools
from supervisor.tui import ask, one_service
from supervisor.tui.app import Top
from supervisor.tui.ask import Ask
from supervisor.tui.overview import Overview
from tests.tui.view import ROWS, end, run, tell, text_of, until, view

pytestmark = pytest.mark.live  # the whole view, with a loop and timers of its own

FOREVER = 3600.0  # in which nobody has seen anything


def unseen(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """How long what comes by itself cannot have been seen."""
    monkeypatch.setattr(one_service, "UNSEEN", seconds)
    monkeypatch.setattr(ask, "UNSEEN", seconds)


def test_no_order_for_a_service_that_has_just_come_under_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, project):
            unseen(monkeypatch, FOREVER)
            await pilot.press("j")  # on `db`
            tell(top, [each for each in ROWS if each.name != "db"])
            await until(pilot, lambda: " db " not in text_of(top))
            await pilot.press("x")
            await until(pilot, lambda: "has just come under the cursor" in text_of(top))
            assert project.done == []
            unseen(monkeypatch, 0.0)
            await pilot.press("x")
            await until(pilot, lambda: bool(project.done))

    run(press)


def test_the_key_that_starts_or_stops_does_not_do_the_other_of_these(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, project):
            unseen(monkeypatch, FOREVER)
            await pilot.press("j", "j")  # on `api`
            assert isinstance(top.screen, Overview)
            await until(pilot, lambda: top.screen.row is not None and top.screen.row.name == "api")  # type: ignore[attr-defined]
            gone = [replace(each, state="failed", pid=None) if each.name == "api" else each for each in ROWS]
            tell(top, gone)
            await until(pilot, lambda: "failed" in text_of(top))
            await pilot.press("s")  # somebody wants to stop it
            await until(pilot, lambda: "api has just become failed" in text_of(top))
            assert project.done == []
            unseen(monkeypatch, 0.0)
            await pilot.press("s")
            await until(pilot, lambda: project.done == ["start api"])

    run(press)


def test_a_question_that_comes_by_itself_is_not_answered_by_a_key_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, project):
            unseen(monkeypatch, FOREVER)
            await pilot.press("L")
            await until(pilot, lambda: isinstance(top.screen, Ask) and "start new" in text_of(top))
            await pilot.press("y")
            await pilot.pause()
            assert isinstance(top.screen, Ask)
            assert project.done == []
            assert "Yes (y)" not in text_of(top)
            top.screen.hear()
            await until(pilot, lambda: "Yes (y)" in text_of(top))
            await pilot.press("y")
            await until(pilot, lambda: project.done == ["reload web"])

    run(press)


def test_the_cursor_stays_on_its_port_and_other_instances_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, project):
            other = InstancePools("lake", 2, "/srv/lake", "/run/lake-2.sock", (ROWS[0],))
            monkeypatch.setattr("supervisor.tui.ports.all_pools", lambda: [other])
            await pilot.press("p", *"jjjj")  # on the only port of `api`
            await until(pilot, lambda: "lake, 2" in text_of(top) and "/srv/lake" in text_of(top))
            tell(top, [ROWS[2], ROWS[0]])
            await until(pilot, lambda: "6010" not in text_of(top))
            await pilot.press("R")
            await until(pilot, lambda: project.done == ["rotate api"])
            await pilot.press(*"jjjj")  # on a port of the other instance
            await pilot.press("R")
            await until(pilot, lambda: "db is of another instance" in text_of(top))
            await pilot.press("p")  # from itself nowhere
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(top.screen, Overview))

    run(press)


@pytest.mark.parametrize(
    ("key", "done"),
    [("r", "restart"), ("b", "roll"), ("R", "rotate"), ("x", "kill"), ("s", "start")],
)
def test_the_screen_of_a_service_has_the_keys_of_the_first(
    monkeypatch: pytest.MonkeyPatch, key: str, done: str
) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, project):
            await pilot.press("k", "k", "k", "k", "j", "j", "j", "w")  # on `job`, which is stopped
            await until(pilot, lambda: "stopped" in text_of(top) and "who needs whom" in text_of(top))
            await pilot.press(key)
            await until(pilot, lambda: project.done == [f"{done} job"])

    run(press)


@pytest.mark.parametrize("keys", [[], ["w"], ["p"]], ids=str)
def test_nothing_is_said_to_run_once_nobody_tells_of_it(monkeypatch: pytest.MonkeyPatch, keys: list[str]) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press(*keys)
            end(top, Ended(time.time(), "it was stopped"))
            await until(pilot, lambda: " was " in text_of(top) and "ended" in text_of(top))
            shapes_are_gone: Callable[[], bool] = lambda: "●" not in text_of(top)  # noqa: E731
            await until(pilot, shapes_are_gone)
            text = text_of(top).replace("was running", "").replace("was active", "")
            assert "running" not in text
            assert "active" not in text
            tell(top, ROWS)
            await until(pilot, lambda: "●" in text_of(top) and " was " not in text_of(top))

    run(press)


def test_what_happened_to_one_service_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            await pilot.press("t")
            await until(pilot, lambda: "exit code 3" in text_of(top) and "runs (pid 7)" in text_of(top))
            await pilot.press("l")
            await until(pilot, lambda: "what happened to web" in text_of(top) and "runs (pid 7)" not in text_of(top))
            assert "exit code 3" in text_of(top)
            await pilot.press("l")
            await until(pilot, lambda: "runs (pid 7)" in text_of(top))

    run(press)


@pytest.mark.long
def test_a_table_of_two_hundred_services_keeps_its_place_when_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [replace(ROWS[3], name=f"n{number:03}", state="running", pid=7) for number in range(200)]

    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            tell(top, rows)
            await until(pilot, lambda: "n000" in text_of(top))
            await pilot.press(*["down"] * 60)
            await until(pilot, lambda: "n060" in text_of(top))
            tell(top, [replace(row, state="failed", pid=None) if row.name == "n199" else row for row in rows])
            await until(pilot, lambda: top.screen._names[0] == "n199")  # type: ignore[attr-defined]
            await asyncio.sleep(0)
            await pilot.pause()
            assert "n060" in text_of(top)
            assert top.screen.row.name == "n060"  # type: ignore[attr-defined]

    run(press)


def test_what_has_not_changed_is_not_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            tell(top, ROWS)
            await pilot.pause()
            painted: list[object] = []
            monkeypatch.setattr(Static, "update", lambda self, *_, **__: painted.append(self))
            for _ in range(3):
                tell(top, ROWS)
                await pilot.pause()
            assert painted == []

    run(look)


@pytest.mark.parametrize(
    ("name", "is_opened"), [("xdg-open", True), ("/opt/open.sh", True), ("w3m", False), ("/usr/bin/lynx", False)]
)
def test_no_browser_of_the_terminal_takes_the_place_of_the_view(
    monkeypatch: pytest.MonkeyPatch, name: str, is_opened: bool
) -> None:
    opened: list[str] = []

    class Browser:
        def __init__(self) -> None:
            self.name = name

        def open(self, url: str) -> bool:
            opened.append(url)
            return True

    said: list[str] = []
    monkeypatch.setattr("webbrowser.get", Browser)
    monkeypatch.setattr(Top, "notify", lambda _, message, **__: said.append(message))

    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            top.open_page(ROWS[2])
            await until(pilot, lambda: bool(opened or said))

    run(press)
    assert (opened, said) == (
        (["http://127.0.0.1:6020"], []) if is_opened else ([], ["found no browser: http://127.0.0.1:6020"])
    )
