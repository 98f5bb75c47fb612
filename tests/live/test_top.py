"""`portsup top` in a terminal of tmux, with a stack that is started, broken and ended under it."""

import contextlib
import os
import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.errors import PortsupError
from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live
from tests.live.tmux import Terminal, top_of
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

# services.yaml makes one `$` of two.
TALKS = "for i in 1 2 3; do echo line $$i of $$$$; done; exec sleep 1000"

SECONDS = float(os.environ.get("RANDOM_SECONDS", "5"))

pytestmark = [
    pytest.mark.live,
    pytest.mark.timeout(SECONDS + 120),
]


@pytest.fixture
def terminal(tmp_path: Path, stack: Make) -> Iterator[tuple[Live, Terminal]]:
    """The view of a stack that does not run yet."""
    pool = list(free_pool(2))
    web = {"command": program("listens"), "pool": pool}
    fails = ["sh", "-c", "echo going down; exit 3"]
    broken = {"command": fails, "restart": "never", "ready": {"log": "never said"}}  # so that no start of it is fine
    live = stack({"web": web, "talks": {"command": ["sh", "-c", TALKS]}, "broken": broken, "stays": SLEEPS})
    with top_of(live, tmp_path) as screen:
        yield live, screen


def test_a_stack_is_watched_from_before_its_start_to_after_its_death(terminal: tuple[Live, Terminal]) -> None:
    live, screen = terminal
    screen.shows("it is not running: s starts it")
    screen.press("s")
    screen.shows("1 of its services failed")  # at length, over the others
    screen.press("Escape")
    screen.shows("✕ failed      broken")
    screen.shows("● running     talks")
    screen.press("k", "k", "k", "w")  # on `broken`, which comes first now, wherever it stood before
    screen.shows("failure 1 of 1")
    screen.shows("| going down")
    screen.press("Escape")
    screen.shows("/ filter")
    os.kill(live.daemon(), signal.SIGKILL)
    screen.shows("ended")
    screen.shows("as after SIGKILL")
    live.run("up", "-d")  # which says that one has failed
    screen.shows_not("as after SIGKILL")
    pid = live.until("web", state="running")["pid"]
    screen.press("q")
    eventually(lambda: not screen.is_there(), within=20, what="the end of the view")
    assert live.rows()["web"]["pid"] == pid


def test_a_terminal_that_only_prints_lines_is_told_what_to_use(tmp_path: Path, stack: Make) -> None:
    with top_of(stack({"stays": SLEEPS}), tmp_path, term="dumb") as screen:
        eventually(lambda: not screen.is_there(), within=20, what="the end of the view")
        shown = screen.printed()
        assert "cannot show the terminal view: `TERM` is `dumb`: this terminal only prints lines" in shown
        assert "`portsup status --watch` and `portsup logs -f` print what is new" in shown
        assert "Traceback" not in shown


def told(live: Live) -> dict[str, tuple[str, str]]:
    """State and port of each service, as `status --format json` says them."""
    return {name: (row["state"], str(row["port"] or "-")) for name, row in live.rows().items()}


def test_the_view_equals_the_status_while_the_stack_changes_at_random(terminal: tuple[Live, Terminal]) -> None:
    live, screen = terminal
    chance = random.Random()
    live.run("up", "-d")

    def shown() -> dict[str, tuple[str, str]]:
        lines = re.findall(r"^ ?[●◐○▲✕◌] (\w+) +(\w+) +(\d+|-) ", screen.screen(), re.MULTILINE)
        return {name: (state, port) for state, name, port in lines}

    def is_same() -> bool:
        now = told(live)
        assert now == shown() == told(live)
        return bool(now)

    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        what = chance.choice(["start", "stop", "restart", "rotate", "kill"])
        name = chance.choice(["web", "talks", "broken"])
        with contextlib.suppress(PortsupError):  # one without a process is neither killed nor moved
            if what == "kill":
                live.client().ask("kill", services=[name], signal=9)
            elif what == "rotate":
                live.rotate("web")
            else:
                live.do(what, name)
        eventually(is_same, within=60, what=f"the same after {what} {name}")


def test_logs_are_followed_through_a_restart_without_a_line_twice(terminal: tuple[Live, Terminal]) -> None:
    live, screen = terminal
    live.run("up", "-d")
    screen.shows("● running     talks")
    screen.press("a")
    screen.shows("line 3 of")
    first = live.rows()["talks"]["pid"]
    os.kill(first, signal.SIGKILL)
    second = live.until("talks", state="running", restarts=1)["pid"]
    shown = screen.shows(f"line 3 of {second}")
    assert shown.count(f"line 3 of {second}") == 1
    assert f"--- started, pid {second} ---" in shown
    screen.press("-l", f"/line 2 of {second}")  # at once, as by somebody who types fast
    screen.press("Enter")
    screen.shows(f"match `line 2 of {second}`")
    screen.shows_not("line 3 of")
