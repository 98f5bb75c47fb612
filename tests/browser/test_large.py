"""Two hundred services and a million lines: only what can be seen is there, and nothing that somebody reads moves."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.looking import Looking, looking
from tests.live.stack import SLEEPS, Live
from tests.support.eventually import eventually
from tests.web.serving import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.live

LINES = 1_000_000
# Scrolls for so many frames, and gives how long the longest was, and the most rows that were there at once.
SCROLL = """async ([selector, by, frames]) => {
    const box = document.querySelector(selector);
    const times = [];
    let rows = 0;
    let before = await new Promise(requestAnimationFrame);
    for (let at = 0; at < frames; at += 1) {
        box.scrollTop += by(at);
        const now = await new Promise(requestAnimationFrame);
        times.push(now - before);
        before = now;
        rows = Math.max(rows, document.querySelectorAll('.line').length);
    }
    times.sort((a, b) => a - b);
    return {longest: times.at(-1), middle: times[times.length >> 1], over: times.filter((t) => t > 50).length, rows};
}"""


@pytest.fixture(scope="module")
def live(folders: Path) -> Iterator[Live]:
    stack = Live(folders / "p", {
        "long": {"command": ["sh", "-c", "cat many; exec sleep 1000"], "logging": {"max_size": "200MB"}},
        **{f"service-{number:03}": {**SLEEPS, "autostart": False} for number in range(199)},
    })  # fmt: skip
    (stack.folder / "many").write_text("".join(f"INFO line {number} of very many\n" for number in range(LINES)))
    stack.run("up", "-d")
    yield stack
    stack.end()


@pytest.fixture(scope="module")
def seen(browser: "Browser", live: Live) -> Iterator[Looking]:
    with served(live, enters=False) as page, looking(browser, page) as one:
        yield one


def scrolled(seen: Looking, selector: str, by: str, frames: int = 120) -> dict[str, Any]:
    told: dict[str, Any] = seen.page.evaluate(f"({SCROLL})(['{selector}', {by}, {frames}])")
    print(f"\n{selector} by {by}: {told}")
    return told


def test_two_hundred_services_are_scrolled_and_filtered(seen: Looking) -> None:
    seen.to("overview")
    seen.until(lambda: len(seen.rows()) == 200, "all services")
    scrolled(seen, "html", "(at) => (at % 40 < 20 ? 240 : -240)")
    seen.keys("/")
    seen.page.keyboard.type("service-117")
    seen.until(lambda: list(seen.rows()) == ["service-117"], "the one that fits")
    seen.page.fill("[data-filter]", "")


def test_a_million_lines_are_scrolled_with_a_few_rows(seen: Looking) -> None:
    seen.to("logs?services=long")
    seen.sees(f"line {LINES - 1} of very many", within=60)
    assert scrolled(seen, ".log", "() => -160")["rows"] < 150
    assert scrolled(seen, ".log", "(at) => (at % 2 ? -1 : 1) * 3_000_000")["rows"] < 150
    seen.page.evaluate("document.querySelector('.log').scrollTop = 0")
    seen.sees("line 0 of very many", within=60)
    assert "line 999999 of" not in seen.page.inner_text(".log")


def test_what_is_read_stays_where_it_is_while_lines_come(live: Live, seen: Looking) -> None:
    seen.to("overview")
    seen.until(lambda: len(seen.rows()) == 200, "all services")
    seen.to("logs?services=long")
    seen.sees(f"line {LINES - 1} of very many", within=60)
    seen.page.evaluate("document.querySelector('.log').scrollTop -= 100_000")

    def place() -> list[list[Any]]:
        rows = "[...document.querySelectorAll('.line:not([hidden])')]"
        told: list[list[Any]] = seen.page.evaluate(f"{rows}.map(e => [e.textContent, e.getBoundingClientRect().y])")
        return told

    def fetched() -> list[list[Any]]:
        """Drawn where it was scrolled to, and filled."""
        rows = place()
        assert not [text for text, y in rows if "…" in text or f"line {LINES - 1} of" in text or abs(y) > 5000], rows
        return rows

    before = eventually(fetched, within=60, what="the lines that were scrolled to")
    with (live.state / "t-1" / "long.log").open("a") as log:
        log.write("INFO something new\n" * 3)
    seen.sees("3 new lines", within=60)
    assert place() == before
    seen.page.click("button.unread")
    seen.sees("INFO something new", within=60)
