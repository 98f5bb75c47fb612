"""What is asked before something stops, and words of programs on the screen."""

from dataclasses import replace

import pytest
from rich.text import Text

from supervisor.api.values import Changes, Event, PortStatus, Update, Why
from supervisor.tui.app import Told
from supervisor.tui.ask import Report
from supervisor.tui.live import Live
from supervisor.tui.overview import Overview
from tests.tui.test_cells import row
from tests.tui.view import ROWS, is_drawn, run, tell, text_of, until, view

pytestmark = pytest.mark.live  # the whole view, with a loop and timers of its own


def test_the_question_before_the_end_names_what_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, project):
            top.only = frozenset(["job"])  # those that are not shown are stopped as well
            top.order("down", [])
            await until(pilot, lambda: "Stop everything and end the instance? This stops db, api." in text_of(top))
            await pilot.press("enter")  # which is No
            await until(pilot, lambda: isinstance(top.screen, Overview))
            top.order("stop", ["db"])
            await until(pilot, lambda: "Stop db, although web, api need it?" in text_of(top))
            assert project.done == []

    run(press)


def test_a_question_about_many_leaves_room_for_its_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, project):
            many = tuple(f"a-service-with-a-long-name-{number}" for number in range(200))
            monkeypatch.setattr(project.fake, "compare", lambda *_: Changes(many, (), ()))
            top.reload()
            await until(pilot, lambda: "start a-service-with-a-long-name-0" in text_of(top))
            await until(pilot, lambda: "Yes (y)" in text_of(top))
            await pilot.press("n")
            tell(top, [row(name) for name in many])
            await until(pilot, lambda: isinstance(top.screen, Overview))
            top.order("down", [])
            await until(pilot, lambda: " 180 " in text_of(top) and "Yes (y)" in text_of(top))

    run(press)


def test_no_word_of_a_program_reaches_the_terminal_as_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "\x1b]0;evil\x07\x1b[2J"

    async def look() -> None:
        async with view(monkeypatch) as (top, pilot, project):
            project.fake.outcome = False
            words = f"{evil}said"
            monkeypatch.setattr(project, "why", lambda *_, **__: Why("web", "failed", 0, (), (), (words,), ()))
            pool = (PortStatus(6000, "taken", f"{words} (pid 3)"),)
            tell(top, [replace(ROWS[1], reason=words, pool=pool), *ROWS[:1]])
            await until(pilot, lambda: "said" in text_of(top))
            seen = [text_of(top)]
            top.order("restart", ["web"])
            await until(pilot, lambda: isinstance(top.screen, Report) and "| said" in text_of(top))
            seen.append(text_of(top))
            await pilot.press("escape", "p")
            await until(pilot, lambda: "taken: said" in text_of(top))
            seen.append(text_of(top))
            await pilot.press("escape", "t")
            failed = Event("2026-01-01T10:00:09.000Z", 9, "error", "service failed", "web", "failed", {"why": words})
            top.post_message(Told(Update("run", 2, event=failed), None, None))
            await until(pilot, lambda: "said" in text_of(top) and is_drawn(top))
            seen.append(text_of(top))
            assert not [screen for screen in seen if "\x1b" in screen or "\x07" in screen]

    run(look)


def test_what_a_closed_screen_still_reads_troubles_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def press() -> None:
        async with view(monkeypatch) as (top, pilot, _):
            for key in ("w", "p", "m", "t"):
                await pilot.press(key)
                await until(pilot, lambda: is_drawn(top) and not isinstance(top.screen, Overview))
                screen = top.screen
                await pilot.press("escape")
                await until(pilot, lambda: isinstance(top.screen, Overview))
                assert isinstance(screen, Live)
                screen.say("#text", "late")
                screen.put(text=Text("late"))

    run(press)
