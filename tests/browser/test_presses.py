"""What somebody presses or types has the effect that they have seen, however fast, and whatever moves meanwhile."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.looking import Looking, looking
from tests.live.stack import SLEEPS, Live
from tests.web.serving import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.live

ONCE = {**SLEEPS, "restart": "never"}
DRAWN = "async () => (await import('/static/store.js')).changed()"
DRAWN_ALWAYS = "async () => { const store = await import('/static/store.js'); setInterval(store.changed, 5); }"
AT = "at => { performance.now = () => at; }"  # the clock of the page stands
LATER = 1e6


@pytest.fixture(scope="module")
def live(folders: Path) -> Iterator[Live]:
    stack = Live(folders / "p", {"a": ONCE, "b": {**ONCE, "depends_on": ["a"]}, "c": ONCE})
    stack.run("up", "-d")
    yield stack
    stack.end()


@pytest.fixture
def seen(browser: "Browser", live: Live) -> Iterator[Looking]:
    for name in ("a", "b", "c"):
        live.do("start", name)
        live.until(name, state="running")
    with served(live, enters=False) as page, looking(browser, page) as one:
        one.to("overview")
        one.until(lambda: [row["state"] for row in one.rows().values()] == ["running"] * 3, "all run")
        yield one


def breaks(live: Live, seen: Looking, name: str) -> None:
    """The service fails, and its row comes to the top."""
    live.client().ask("kill", services=[name], signal=9)
    seen.until(lambda: next(iter(seen.rows())) == name, f"{name} on top")


def press(seen: Looking, name: str) -> None:
    """Where the button is; by the mouse, without the search for it that takes its time."""
    box = seen.page.locator(f"[aria-label='{name}']").bounding_box()
    assert box is not None
    seen.page.mouse.click(box["x"] + 4, box["y"] + 4)


def chosen(seen: Looking) -> str:
    """What has the focus."""
    name = "(e => e.getAttribute('aria-label') || e.textContent)(document.activeElement)"
    return str(seen.page.evaluate(name)).strip()


def test_a_press_that_hits_what_has_just_come_there_does_nothing_but_say_so(live: Live, seen: Looking) -> None:
    box = seen.page.locator("[aria-label='More for a']").bounding_box()
    assert box is not None
    at = box["x"] + 4, box["y"] + 4
    seen.page.evaluate(AT, LATER)
    breaks(live, seen, "c")  # a is where b was
    seen.page.mouse.click(*at)
    seen.sees("Something else has just come under the pointer")
    assert seen.page.query_selector("dialog[open]") is None
    press(seen, "More for a")  # also where it has come to
    assert seen.page.query_selector("dialog[open]") is None
    seen.page.evaluate(AT, LATER + 500)
    press(seen, "More for a")
    seen.page.wait_for_selector("dialog[open] h2:text-is('a')")


def test_the_key_that_starts_or_stops_does_not_do_the_other_of_these(live: Live, seen: Looking) -> None:
    seen.page.focus("tr[data-service=c] a")
    seen.page.evaluate(AT, LATER)
    breaks(live, seen, "c")
    seen.keys("s")  # somebody wants to stop it
    seen.sees("c has just become failed")
    assert live.rows()["c"]["state"] == "failed"
    seen.page.evaluate(AT, LATER + 500)
    seen.keys("s")
    live.until("c", state="running")


def test_the_focus_goes_with_its_row(live: Live, seen: Looking) -> None:
    seen.page.focus("[aria-label='More for c']")
    breaks(live, seen, "c")
    seen.page.evaluate(DRAWN)
    assert chosen(seen) == "More for c"
    seen.keys("Enter")
    seen.page.wait_for_selector("dialog[open] h2:text-is('c')")


def test_a_dialog_that_escape_closes_stays_closed_while_the_page_is_drawn(seen: Looking) -> None:
    seen.page.evaluate(DRAWN_ALWAYS)

    def opens() -> bool:
        """Not yet, in the instant in which the page has not heard that the dialog was closed."""
        seen.page.focus("[aria-label='More for b']")
        seen.keys("Enter")
        seen.page.wait_for_timeout(500)
        return seen.page.query_selector("dialog[open]") is not None

    for _ in range(5):
        seen.until(opens, "it opens")
        seen.keys("Escape")
        seen.page.wait_for_selector("dialog[open]", state="detached")
        assert chosen(seen) == "More for b"


def test_a_question_does_not_take_the_place_of_one_that_somebody_reads(live: Live, seen: Looking) -> None:
    ask = "async what => { const { act } = await import('/static/orders.js'); act(what, what == 'stop' ? ['a'] : []); }"
    seen.page.evaluate(ask, "stop")
    seen.page.evaluate(ask, "down")
    seen.page.wait_for_selector("dialog[open] h2:text-is('Stop a?')")
    seen.keys("Escape")
    seen.page.wait_for_selector("dialog[open] h2:text-is('Stop everything?')")
    seen.keys("Escape")
    seen.page.wait_for_selector("dialog[open]", state="detached")
    assert live.rows()["a"]["state"] == "running"


def test_what_is_typed_stays_as_it_is_typed(seen: Looking) -> None:
    seen.to("logs")
    seen.page.evaluate(DRAWN_ALWAYS)
    seen.page.focus("[data-filter]")
    for letter in "what (is|was) typed":
        seen.page.keyboard.type(letter)
        seen.page.wait_for_timeout(40)
    assert seen.page.input_value("[data-filter]") == "what (is|was) typed"
    seen.page.wait_for_url("**grep=what+%28is%7Cwas%29+typed**")
    seen.page.keyboard.type("!")
    seen.page.evaluate("location.hash = '#/machine'")
    seen.page.wait_for_timeout(400)  # the search that was due would be there by now
    assert seen.page.url.endswith("#/machine")
    seen.page.go_back()
    seen.until(lambda: seen.page.input_value("[data-filter]") == "what (is|was) typed", "what was asked for")
