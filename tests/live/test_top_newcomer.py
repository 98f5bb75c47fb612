"""A newcomer finds out in `portsup top` why a service does not come up, and fixes it: once for each kind of trouble."""

import re
from pathlib import Path

import pytest

from tests.live.stack import Live
from tests.live.stories import STORIES, Story
from tests.live.tmux import Terminal, top_of
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.rounds import only

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
LONG = 30.0


@pytest.mark.parametrize("name", only(["crash", "dependency not ready"], STORIES))
def test_a_newcomer_finds_the_trouble_and_fixes_it(own_folders: Path, tmp_path: Path, name: str) -> None:
    story, ports = STORIES[name], free_pool(3)
    live = Live(own_folders / "p", story.services(ports))
    with story.told(live, ports), top_of(live, tmp_path) as screen:
        if story.then == "up":
            screen.shows("it is not running")
            if name == "port taken":
                screen.press("s")
                screen.shows("Escape closes this")
        else:
            screen.shows(f"✕ failed      {story.names}")
            screen.press("w")
        says(screen, story)
        story.fixes(live, ports)
        if name != "lost lock":
            screen.press("Escape")
        screen.shows_not("Escape closes this")
        screen.shows("/ filter")
        if story.then == "reload":
            screen.press("L")
            screen.shows(f"change {story.names}: ready")
            screen.shows("Yes (y)")
            screen.press("y")
            screen.shows_not("Apply what has changed")
            eventually(lambda: live.journal("reloaded"), within=LONG, what="the reload")
            screen.press("k", "k", "k", *(["j"] if story.names == "db" else []), "s")  # web, and what it needs
        else:
            screen.press("s")
        eventually(lambda: {row["state"] for row in live.rows().values()} == {"running"}, within=LONG, what="all run")
        for service in live.rows():
            screen.shows(f"● running     {service}")


def says(screen: Terminal, story: Story) -> None:
    """The words, which may be broken where a line ends."""

    def has_them() -> bool:
        text = re.sub(r"[\s│|]+", " ", screen.screen())
        assert story.says in text, screen.screen()
        return True

    eventually(has_them, within=LONG, what=f"{story.says!r} on the screen")
