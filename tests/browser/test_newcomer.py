"""A newcomer finds out in the page why a service does not come up, and fixes it: once for each kind of trouble."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.looking import Looking, looking
from tests.live.stack import Live
from tests.live.stories import STORIES, Story
from tests.support.ports import free_pool
from tests.web.serving import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
LONG = 30.0


@pytest.mark.parametrize("name", STORIES)
def test_a_newcomer_finds_the_trouble_and_fixes_it(browser: "Browser", own_folders: Path, name: str) -> None:
    story, ports = STORIES[name], free_pool(5)
    live = Live(own_folders / "p", story.services(ports))
    with (
        story.told(live, ports),
        served(live, ports=f"{ports[3]}-{ports[4]}", enters=False) as page,
        looking(browser, page) as seen,
    ):
        seen.to("overview")
        if story.then == "up":
            if name == "port taken":
                start_all(seen)
            seen.sees(story.says, LONG)
        else:
            find(seen, story)
        story.fixes(live, ports)
        if story.then == "up":
            seen.page.reload()
            start_all(seen)
        elif story.then == "start":
            seen.keys("s")
            seen.to("overview")
        else:
            reload_and_start(seen, story)
        seen.until(lambda: {row["state"] for row in seen.rows().values()} == {"running"}, "all run", LONG)
        assert {row["state"] for row in live.rows().values()} == {"running"}


def start_all(seen: Looking) -> None:
    seen.page.wait_for_selector("button:has-text('Start the stack')")
    seen.tab_to("Start the stack")
    seen.keys("Enter")


def find(seen: Looking, story: Story) -> None:
    """It is the first one, `w` says why."""
    seen.until(
        lambda: next(iter(seen.rows().values()), {"state": ""})["state"] == "failed", "the broken one on top", LONG
    )
    seen.to(f"service/{story.names}")
    seen.sees("What to do next", LONG)
    seen.sees(story.says)


def reload_and_start(seen: Looking, story: Story) -> None:
    seen.to("overview")
    seen.tab_to("Reload…")
    seen.keys("Enter")
    seen.sees(f"~ {story.names}", LONG)
    seen.tab_to("Reload")
    seen.keys("Enter")
    seen.sees("services.yaml done", LONG)
    seen.tab_to("Start web")  # and what it needs
    seen.keys("Enter")
