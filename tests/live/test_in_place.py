"""Whom a start, a stop or a restart waits for is shown in place on a terminal, and log lines stay whole."""

import re
import sys

import pytest

from tests.live.conftest import Make
from tests.live.stack import STUBBORN, Live
from tests.live.terminal import Terminal
from tests.support.eventually import eventually
from tests.support.screen import Screen

pytestmark = pytest.mark.live

LINES = 120
# Ready when the file is there, and talks all the time until then.
TALKS = f"""
import pathlib, time
for number in range({LINES}):
    print(f"line {{number}} of what it says", flush=True)
    time.sleep(0.01)
while not pathlib.Path("go").exists():
    time.sleep(0.01)
print("I am ready", flush=True)
time.sleep(1000)
"""


def on_a_terminal(stack: Make) -> Live:
    live = stack({
        "talks": {"command": [sys.executable, "-c", TALKS], "ready": {"log": "I am ready"}},
        "stubborn": {**STUBBORN, "stop_grace_period": "30s", "depends_on": ["talks"]},
    })  # fmt: skip
    del live.env["NO_COLOR"]
    live.env |= {"TERM": "xterm", "PYTHONUTF8": "1"}
    return live


def shown(terminal: Terminal) -> list[str]:
    """What the terminal shows now, without colours' names of services."""
    return Screen(80).feed(terminal.text.encode()).lines


def test_a_start_in_the_foreground_and_its_end(stack: Make) -> None:
    live = on_a_terminal(stack)
    with Terminal(live, "up") as terminal:
        terminal.says(f"line {LINES - 1} of")
        terminal.says("left): no line matches `")
        assert re.fullmatch(r" +\d+s  waiting for talks \(\d+ s left\): no line matches `.*", shown(terminal)[-1])
        (live.folder / "go").touch()
        terminal.says("is up after")
        terminal.until(lambda: not any("waiting for" in line for line in shown(terminal)))
        said = shown(terminal)
        logged = [line for line in said if " of what it says" in line]
        assert logged == [f"talks    | line {number} of what it says" for number in range(LINES)]
        terminal.press(b"\x03")
        terminal.says(", killed in ")
        assert any("waiting for stubborn (pid" in line for line in shown(terminal)[-2:])
        terminal.press(b"\x03")
        terminal.ends()
        said = shown(terminal)
    assert not any("waiting for" in line for line in said)
    assert [line for line in said if " of what it says" in line] == logged


def test_commands_of_another_terminal(stack: Make) -> None:
    live = on_a_terminal(stack)
    with Terminal(live, "up", "-d") as terminal:
        terminal.says("left): no line matches `")
        (live.folder / "go").touch()
        assert terminal.ends() == 0
        assert not any("waiting for" in line for line in shown(terminal)), "the daemon runs on without the terminal"
    with Terminal(live, "wait", "talks", "--for", "exited", "--timeout", "500") as terminal:
        terminal.says("waiting for talks to be exited: it is running (49")
        terminal.press(b"\x03")
        assert terminal.ends() == 130
        assert [line.replace("^C", "") for line in shown(terminal)] in ([], [""])
    (live.folder / "go").unlink()
    with Terminal(live, "restart", "-t", "3", "stubborn", "talks") as terminal:
        terminal.says("  waiting for stubborn (pid ")
        terminal.says("left): no line matches `")
        (live.folder / "go").touch()
        assert terminal.ends() == 0
        assert sorted(shown(terminal)) == ["stubborn: running", "talks: running"]
    with Terminal(live, "down", "-t", "3") as terminal:
        terminal.says("  waiting for stubborn (pid ")
        assert terminal.ends() == 0
        assert sorted(shown(terminal)) == ["stubborn: stopped", "talks: stopped"]
    eventually(lambda: not live.infos(), what="the end of the instance")
