"""Whom a stop asks to end: the process group, or the main process alone; and a standard input that stays open."""

import sys

import pytest

from tests.live.conftest import Make, in_both_ways
from tests.live.stack import STOPPED, Live, is_alive
from tests.support.eventually import eventually
from tests.support.running import program

pytestmark = pytest.mark.live

# Prints what it gets, and ends with its standard input.
READS = "import sys; print('reads', flush=True); n = sys.stdin.read(); print('end of input', flush=True)"


def pool_of(live: Live, to: str) -> None:
    stop = {"stop_signal": {"signal": "TERM", "to": to}, "stop_grace_period": "20s"}
    live.write({"pool": {"command": program("pool", str(live.folder)), "ready": {"log": "at work"}, **stop}})


@in_both_ways
def test_a_pool_whose_main_process_alone_is_asked_ends_its_work(stack: Make) -> None:
    live = stack({})
    pool_of(live, "main")
    with live.up():
        eventually(lambda: (live.folder / "begun-0").exists() and (live.folder / "begun-1").exists())
        assert live.do("stop", "pool")["pool"].items() >= STOPPED
        assert (live.folder / "ended").read_text() == "well"
        assert "grace period over" not in [each["event"] for each in live.journal()]


def test_whom_the_main_process_leaves_behind_is_killed_and_not_waited_for(stack: Make) -> None:
    """With a grace period that nobody would wait out."""
    live = stack({})
    stays = "trap '' TERM; echo child $$$$; while :; do sleep 0.05; done"
    command = ["bash", "-c", f'bash -c "{stays}" & setsid bash -c "{stays}" & trap "exit 0" TERM; wait']
    stop = {"stop_signal": {"to": "main"}, "stop_grace_period": "1000s"}
    live.write({"web": {"command": command, "ready": {"log": "child"}, **stop}})
    with live.up():
        eventually(lambda: live.log("web").count("child") == 2)
        left = [int(line.split()[-1]) for line in live.log("web").splitlines()]
        assert live.do("stop", "web")["web"]["ok"]
        eventually(lambda: not [pid for pid in left if is_alive(pid)])


def test_a_main_process_that_does_not_end_is_killed_with_all_of_them(stack: Make) -> None:
    stop = {"stop_signal": {"to": "main"}, "stop_grace_period": "0.2s"}
    live = stack({"web": {"command": program("ignores_sigterm"), "ready": {"log": "ignoring"}, **stop}})
    with live.up():
        assert live.do("stop", "web")["web"]["ok"]
        assert [each["event"] for each in live.journal("grace period over")] == ["grace period over"]


def test_an_open_standard_input_does_not_end(stack: Make) -> None:
    live = stack({"web": {"command": [sys.executable, "-c", READS], "ready": {"log": "reads"}, "stdin": "open"}})
    with live.up():
        assert live.rows()["web"]["state"] == "running"
        assert live.do("restart", "web")["web"]["ok"], "and the next process has one, too"
        assert (live.rows()["web"]["state"], "end of input" in live.log("web")) == ("running", False)


def test_the_end_of_standard_input_is_named_for_programs_that_watch(stack: Make) -> None:
    watches = {"command": [sys.executable, "-c", READS, "--watch"], "restart": "never"}
    live = stack({"css": watches, "other": {"command": ["sleep", "1000"]}})
    with live.up():
        live.until("css", state="exited")
        told = live.run("why", "css").stdout
        assert "nothing has gone wrong with `css`" in told
        assert "such programs end with their standard input: set `stdin: open`" in told
        assert "stdin" not in live.run("why", "other").stdout
