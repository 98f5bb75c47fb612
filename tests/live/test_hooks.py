"""Hooks of services that run: their order, what they are told, how they are ended, and that nothing is left of them."""

import os
import signal
from typing import Any

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live, is_free
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.processes import processes_with
from tests.support.running import program

pytestmark = pytest.mark.live

# Leaves its session and ignores what it is asked; so does what it starts.
STUBBORN = ["sh", "-c", "trap '' TERM INT; setsid sleep 1001 & echo stuck; while :; do sleep 1; done"]


def noting(**more: Any) -> dict[str, Any]:
    """Hooks that note what they are told."""
    script = "echo $PORTSUP_HOOK $PORT $PORTSUP_PID $PORTSUP_RESULT $PORTSUP_EXIT_CODE >> told"
    hooks = {name: ["sh", "-c", script] for name in ("pre_start", "post_start", "pre_stop", "post_stop")}
    return {**hooks, **more}


def told(live: Live) -> list[str]:
    file = live.folder / "told"
    return file.read_text().splitlines() if file.exists() else []


def of_run(live: Live) -> dict[int, str]:
    """All processes of the services and their hooks."""
    return processes_with(f"PORTSUP_SOCKET={live.runtime}")


def test_hooks_run_in_order_and_know_what_happened(stack: Make) -> None:
    pool = free_pool(2)
    hooks = noting(pre_start=["sh", "-c", "echo pre_start $PORT >> told; while [ ! -e go ]; do sleep 0.02; done"])
    live = stack({"web": {"command": program("listens"), "pool": list(pool), "hooks": hooks}})
    with live.foreground() as up:
        live.until("web", state="preparing", port=pool[0])
        assert not is_free(pool[0]), "the port is held already"
        (live.folder / "go").touch()
        first = live.until("web", state="running")["pid"]
        eventually(lambda: len(told(live)) == 2)
        os.kill(first, signal.SIGKILL)
        eventually(lambda: len(told(live)) == 5)
        second = live.until("web", state="running", restarts=1)["pid"]
        live.do("stop", "web")
        assert told(live) == [
            f"pre_start {pool[0]}", f"post_start {pool[0]} {first}", f"post_stop {pool[0]} {first} signal 137",
            f"pre_start {pool[0]}", f"post_start {pool[0]} {second}", f"pre_stop {pool[0]} {second}",
            f"post_stop {pool[0]} {second} success 143",
        ]  # fmt: skip
        up.send(signal.SIGTERM)
        assert up.ends() == 0, up.err


def test_a_hook_that_hangs_or_leaves_something_is_killed_with_all_of_it(stack: Make) -> None:
    leaves = ["sh", "-c", "setsid sleep 1002 & (sleep 1003 &); echo off"]
    live = stack({
        "hangs": {**SLEEPS, "restart": "never", "hooks": {"pre_start": {"command": STUBBORN, "timeout": "300ms"}}},
        "leaves": {**SLEEPS, "hooks": {"pre_start": leaves}},
        "fails": {**SLEEPS, "hooks": {"post_start": ["sh", "-c", "echo cannot warm up; exit 3"]}},
        "missing": {**SLEEPS, "hooks": {"pre_start": "./not-there"}},
        # What ends on SIGKILL alone is stopped by its own command, long before its grace is over.
        "asked": {"command": program("ignores_sigterm"), "ready": {"log": "ignoring"}, "stop_grace_period": "1m",
                  "stop_command": ["sh", "-c", "kill -KILL $PORTSUP_PID"]},
    })  # fmt: skip
    assert live.run("up", "-d").returncode == 10
    rows = live.rows()
    assert (rows["hangs"]["state"], rows["hangs"]["result"]) == ("failed", "hook-failed")
    assert rows["hangs"]["reason"] == "pre_start was not done within 0.3 s"
    assert "there is no file" in rows["missing"]["reason"]
    live.until("fails", state="running", reason="post_start ended with exit code 3: cannot warm up")
    assert "goes on although its post_start ended with exit code 3" in live.run("why", "fails").stdout
    assert len(live.journal("hook left processes behind")[0]["pids"]) == 2
    eventually(lambda: not {"sleep 1001", "sleep 1002", "sleep 1003"} & set(of_run(live).values()), within=5)
    assert "stuck" in live.log("hangs")
    assert live.do("stop", "asked", "fails", "leaves")["asked"]["words"] == "stopped"
    live.run("down")
    live.leaves_nothing()


def test_a_second_ctrl_c_skips_hooks_and_a_killed_daemon_leaves_none(stack: Make) -> None:
    hooks = {"pre_stop": STUBBORN, "post_stop": "touch cleaned"}
    live = stack({"web": {**SLEEPS, "stop_grace_period": "1m", "hooks": hooks}})
    with live.foreground() as up:
        live.until("web", state="running")
        up.send(signal.SIGINT)
        eventually(lambda: live.journal("hook runs"))
        eventually(lambda: "stuck" in live.log("web"))
        up.send(signal.SIGINT)
        assert up.ends(within=5) == 0, up.err
    assert not (live.folder / "cleaned").exists()
    eventually(lambda: not of_run(live), within=5)

    again = stack({"web": {**SLEEPS, "hooks": {"pre_start": STUBBORN}}})
    with again.foreground() as up:
        again.until("web", state="preparing")
        eventually(lambda: again.log("web").count("stuck") == 2, what="the hook of this run too")
        os.kill(again.daemon(), signal.SIGKILL)
        up.ends(within=5)
    eventually(lambda: not of_run(again), within=5)
