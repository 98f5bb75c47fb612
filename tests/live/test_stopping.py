"""How a stack in the foreground is asked to end: Ctrl-C, signals, a closed window, a reader that leaves."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, STUBBORN, Live, is_alive, notes
from tests.live.terminal import Terminal
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

CTRL_C = b"\x03"
# It prints on while it is asked to stop, so that the foreground notices more than once that nobody reads.
CHATTY = {"command": ["sh", "-c", "trap '' TERM; while :; do echo still here; sleep 0.05; done"]}


def noting(stack: Make, seconds: float = 0.3, **more: Any) -> tuple[Live, Path]:
    """A stack of one service that notes what happens to it and takes its time to end."""
    live = stack({})
    file = live.folder / "notes"
    live.write({"web": notes(file, seconds, **more)})
    return live, file


def test_ctrl_c_stops_gracefully_and_says_so(stack: Make) -> None:
    (port,) = free_pool(1)
    live, file = noting(stack, pool=[port])
    with Terminal(live, "up") as terminal:
        terminal.says("is up")
        pid = live.rows()["web"]["pid"]
        terminal.press(CTRL_C)
        assert terminal.ends() == 0
        assert "stopping (SIGINT); press Ctrl-C again to kill" in terminal.text
        assert "web: stopped" in terminal.text
    assert file.read_text().splitlines() == ["web begins", "web ends", "web ended"]
    assert not is_alive(pid)
    live.leaves_nothing(port)


def test_whom_a_stop_waits_for_is_said_and_a_second_ctrl_c_kills(stack: Make) -> None:
    live = stack({"stubborn": {**STUBBORN, "stop_grace_period": "1000s"}, "good": SLEEPS})
    with Terminal(live, "up") as terminal:
        terminal.says("is up")
        pid = live.rows()["stubborn"]["pid"]
        terminal.press(CTRL_C)
        terminal.says(f"waiting for stubborn (pid {pid}, killed in ")
        terminal.press(CTRL_C)
        code = terminal.ends()
        assert "killing what is left" in terminal.text
        assert code in (0, 130)
    assert not is_alive(pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_up_stops_gracefully(stack: Make, number: signal.Signals) -> None:
    live, file = noting(stack)
    with live.foreground() as up:
        up.says("is up")
        up.send(number)
        assert up.ends() == 0, up.err
        assert f"stopping ({number.name})" in up.err
    assert file.read_text().splitlines() == ["web begins", "web ends", "web ended"]


def test_a_closed_window_stops_gracefully(stack: Make) -> None:
    """Nobody can be told any more, but the services still get their time."""
    live, file = noting(stack, 0.5)
    live.write({"web": notes(file, 0.5), "chatty": {**CHATTY, "stop_grace_period": "0.8s"}})
    with Terminal(live, "up") as terminal:
        terminal.says("is up")
        pids = [row["pid"] for row in live.rows().values()]
        terminal.close()
        terminal.ends()
    assert not any(map(is_alive, pids))
    assert file.read_text().splitlines() == ["web begins", "web ends", "web ended"]


def test_a_reader_that_leaves_stops_gracefully(stack: Make) -> None:
    """`portsup up | head -1`."""
    live, file = noting(stack)
    chatty = {**CHATTY, "stop_grace_period": "0.6s", "depends_on": ["web"]}
    live.write({"web": notes(file, 0.3), "chatty": chatty})
    head = subprocess.Popen(["head", "-1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with live.foreground(stdout=head.stdin) as up:
        out, _ = head.communicate(timeout=10)
        # A probe sees a line before its end is there, so what is started then may be quicker with its first one.
        assert out in ("web    | ready\n", "chatty | still here\n")
        assert up.ends() in (0, 1, 141), up.err
        assert "stopping: nobody reads the output any more" in up.err
        assert "SIGTERM" not in up.err
    assert file.read_text().splitlines() == ["web begins", "web ends", "web ended"]


def test_a_stop_during_the_start_ends_what_has_started_and_starts_nothing_more(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({
        "slow": {"command": program("never_listens"), "pool": list(pool)},
        "next": {**SLEEPS, "depends_on": ["slow"]},
    })  # fmt: skip
    with live.foreground() as up:
        pid = live.until("slow", state="starting")["pid"]
        up.send(signal.SIGINT)
        assert up.ends(within=5) == 0
        assert not is_alive(pid)
    assert [fact["service"] for fact in live.journal("service starting")] == ["slow"]
    live.leaves_nothing(*pool)


def test_a_stop_during_the_wait_for_a_restart_does_not_wait(stack: Make) -> None:
    live = stack({"bad": {"command": program("exits", "3"), "restart_policy": {"delay": "60s"}}})
    with live.foreground() as up:
        live.until("bad", state="backoff")
        up.send(signal.SIGTERM)
        up.ends(within=30)


def test_a_signal_before_the_stack_is_read_ends_it_too(stack: Make) -> None:
    live = stack({"web": SLEEPS})
    for pause in (0.0, 0.05, 0.1, 0.15, 0.2, 0.3):
        with live.foreground() as up:
            time.sleep(pause)  # the moment is the point, not what has happened by then
            up.send(signal.SIGTERM)
            code = up.ends(within=10)
            assert code in (0, -signal.SIGTERM, 128 + signal.SIGTERM), (pause, up.err)
            assert "Traceback" not in up.err
        assert live.infos() == []


def test_services_end_before_what_they_depend_on(stack: Make) -> None:
    live = stack({})
    file = live.folder / "notes"
    one = notes(file, 0.1)
    live.write({
        "db": one, "cache": one, "api": {**one, "depends_on": ["db", "cache"]}, "web": {**one, "depends_on": ["api"]},
    })  # fmt: skip
    with live.up():
        assert live.run("down").returncode == 0
    lines = file.read_text().splitlines()
    assert sorted(lines[:2]) == ["cache begins", "db begins"]
    assert lines[2:4] == ["api begins", "web begins"]
    assert lines[4:8] == ["web ends", "web ended", "api ends", "api ended"]
    assert sorted(lines[8:10]) == ["cache ends", "db ends"], "those that do not need one another end side by side"
    assert sorted(lines[10:]) == ["cache ended", "db ended"]


def test_down_with_a_limit_kills_what_takes_longer(stack: Make) -> None:
    live = stack({"stubborn": {**STUBBORN, "stop_grace_period": "1000s"}})
    with live.up():
        pid = live.rows()["stubborn"]["pid"]
        assert live.run("down", "-t", "0.2").returncode == 0
        assert not is_alive(pid)


def test_a_stopped_service_is_continued_to_be_killed(stack: Make) -> None:
    live = stack({"web": {**SLEEPS, "stop_grace_period": "0.3s"}})
    with live.up():
        pid = live.rows()["web"]["pid"]
        os.kill(pid, signal.SIGSTOP)
        assert live.do("stop", "web")["web"]["ok"]
        eventually(lambda: not is_alive(pid), within=1)


def test_whoever_waits_for_a_start_or_a_stop_is_told_for_whom(stack: Make) -> None:
    (port,) = free_pool(1)
    late = {"command": program("never_listens"), "pool": [port]}
    live = stack({"late": late, "needy": {**SLEEPS, "depends_on": ["late"]}})
    given_up = live.run("up", "-d", "--wait-timeout", "6")
    assert re.search(rf"^waiting for late \(2\d s left\): nothing listens on port {port}$", given_up.stderr, re.M)
    assert "waiting for needy" not in given_up.stderr
    live.write({"stubborn": {**STUBBORN, "stop_grace_period": "6s"}})
    with live.up():
        pid = live.rows()["stubborn"]["pid"]
        told, ended = live.run("down").stderr.splitlines()
        assert re.fullmatch(rf"waiting for stubborn \(pid {pid}, killed in [01] s\)", told)
        assert ended == "stubborn: stopped"
