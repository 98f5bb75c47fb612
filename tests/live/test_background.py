"""`up -d`: returns when the stack is ready or has failed, and lets go of the terminal."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, is_alive, parent_of
from tests.live.terminal import Terminal
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


def test_up_in_the_background_returns_when_all_is_ready_and_keeps_no_end_of_our_pipes(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens_late", "0.3"), "pool": [port]}})
    done = live.run("up", "-d", within=20)  # waits for the end of both pipes
    assert done.returncode == 0, done.stderr
    assert f"  web   {port}  running  http://127.0.0.1:{port}" in done.stderr
    assert "stack `t` instance 1 is up after " in done.stderr
    assert done.stdout == ""
    row = live.rows()["web"]
    assert row["state"] == "running"
    told = {os.readlink(path) for path in Path(f"/proc/{live.daemon()}/fd").iterdir() if path.name in {"0", "1", "2"}}
    assert told == {"/dev/null"}


def test_down_ends_every_process_and_says_so(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port]}, "job": SLEEPS})
    with live.up():
        daemon = live.daemon()
        pids = [daemon, parent_of(daemon), *(row["pid"] for row in live.rows().values())]
        done = live.run("down")
        assert done.returncode == 0, done.stderr
        assert "web" in done.stderr
        eventually(lambda: not any(map(is_alive, pids)), within=2, what="all to be gone")
        live.leaves_nothing(port)
        assert live.run("status").returncode == 4


def test_up_in_the_background_fails_with_the_code_of_what_went_wrong(stack: Make) -> None:
    live = stack({
        "good": SLEEPS,
        "bad": {"command": program("exits", "3"), "pool": list(free_pool(3)), "restart": "never"},
    })  # fmt: skip
    try:
        done = live.run("up", "-d")
        assert done.returncode == 10, done.stderr
        assert "error: bad: failed: exit code 3" in done.stderr
        assert "  | giving up" in done.stderr, "the last lines that it printed"
        assert live.rows()["good"]["state"] == "running", "the rest goes on"
    finally:
        live.end()


def test_a_start_that_takes_too_long_ends_with_124_and_leaves_nothing(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({"web": {"command": program("never_listens"), "pool": list(pool)}})
    done = live.run("up", "-d", "--wait-timeout", "0.3")
    assert done.returncode == 124, done.stderr
    assert "error: cannot get the stack ready within 0.3 s: `web` is starting" in done.stderr
    live.leaves_nothing(*pool)


def test_killing_the_waiting_parent_of_a_background_start_leaves_a_stack_that_obeys(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens_late", "0.5"), "pool": [port]}})
    waiting = live.popen("up", "-d")
    eventually(lambda: live.rows().get("web", {}).get("state") == "starting", what="the start")
    waiting.kill()
    waiting.communicate()
    live.until("web", state="running")
    assert live.run("down").returncode == 0
    live.leaves_nothing(port)


def test_interrupting_a_background_start_takes_all_of_it_back(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({"web": {"command": program("never_listens"), "pool": list(pool)}})
    waiting = live.popen("up", "-d")
    eventually(lambda: live.rows().get("web", {}).get("state") == "starting", what="the start")
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=10)
    assert waiting.returncode == 130, err
    live.leaves_nothing(*pool)


def test_a_background_stack_outlives_the_window_it_was_started_in(stack: Make) -> None:
    live = stack({"web": SLEEPS})
    with Terminal(live, "up", "-d") as terminal:
        assert terminal.ends() == 0
        assert "stack `t` instance 1 is up after " in terminal.text
        pid = live.rows()["web"]["pid"]
        terminal.press(b"\x03")
        terminal.close()
    assert live.run("status").returncode == 0
    assert live.rows()["web"]["pid"] == pid


def test_a_background_stack_does_not_keep_what_its_starter_had_open(stack: Make) -> None:
    """`flock lock portsup up -d` in a script: the script's lock is free when the script is done."""
    live = stack({"job": SLEEPS})
    ours, theirs = os.pipe()
    os.set_inheritable(theirs, True)
    done = subprocess.run(
        live.command("up", "-d"), cwd=live.folder, env=live.env, capture_output=True, pass_fds=[theirs], timeout=20
    )
    os.close(theirs)
    assert done.returncode == 0, done.stderr
    os.set_blocking(ours, False)
    with open(ours, "rb", buffering=0) as pipe:
        assert pipe.read(1) == b"", "the other end is closed everywhere"
