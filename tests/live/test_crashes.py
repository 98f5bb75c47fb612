"""portsup itself is killed: its processes go with it, and the next `up` starts clean on the first ports."""

import os
import signal
import time

import pytest

from tests.live.conftest import Make
from tests.live.stack import STUBBORN, Live, is_alive, parent_of
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


def running(stack: Make) -> tuple[Live, tuple[int, ...]]:
    """A stack of a server and of one whose child has left the session and ignores SIGTERM."""
    pool = free_pool(3)
    return stack({
        "web": {"command": program("listens"), "pool": list(pool)},
        "hides": {"command": program("leaves_session")},
    }), pool  # fmt: skip


def pids_of(live: Live) -> tuple[int, int, list[int]]:
    """Guardian, daemon, and all that they started."""
    grandchild = eventually(lambda: int(live.log("hides").removeprefix("grandchild ") or 0), what="the grandchild")
    daemon = live.daemon()
    return parent_of(daemon), daemon, [row["pid"] for row in live.rows().values()] + [grandchild]


def gone(pids: list[int], within: float) -> None:
    begun = time.monotonic()
    eventually(lambda: not any(map(is_alive, pids)), within=within, every=0.005, what=f"the end of {pids}")
    print(f"gone after {(time.monotonic() - begun) * 1000:.0f} ms")


def comes_up_clean(live: Live, pool: tuple[int, ...]) -> None:
    with live.up():
        row = live.rows()["web"]
        assert (row["port"], row["instance"], row["restarts"]) == (pool[0], 1, 0)
        assert [entry["state"] for entry in row["pool"]] == ["active", "spare", "spare"]


@pytest.mark.parametrize("words", [(), ("-d",)], ids=["foreground", "background"])
def test_a_killed_daemon_takes_every_process_along(stack: Make, words: tuple[str, ...]) -> None:
    live, pool = running(stack)
    with live.foreground(*words) as up:
        up.says("is up")
        guardian, daemon, pids = pids_of(live)
        os.kill(daemon, signal.SIGKILL)
        gone([daemon, guardian, *pids], within=3)
        assert up.ends() == (0 if words else 137)
        if not words:
            assert f"error: the portsup daemon (pid {daemon}) was ended by signal 9" in up.err
    comes_up_clean(live, pool)


@pytest.mark.parametrize("words", [(), ("-d",)], ids=["foreground", "background"])
def test_a_killed_guardian_ends_the_stack_in_order(stack: Make, words: tuple[str, ...]) -> None:
    live, pool = running(stack)
    live.write({
        "web": {"command": program("listens"), "pool": list(pool)},
        "hides": {"command": program("leaves_session"), "stop_grace_period": "0.2s"},
    })  # fmt: skip
    with live.foreground(*words) as up:
        up.says("is up")
        guardian, daemon, pids = pids_of(live)
        os.kill(guardian, signal.SIGKILL)
        gone([daemon, *pids], within=5)
        up.ends()
    assert live.journal("instance ended")
    comes_up_clean(live, pool)


def test_a_stubborn_service_outlives_a_killed_guardian_by_a_second_only(stack: Make) -> None:
    live, _ = running(stack)
    live.write({"web": STUBBORN})
    with live.foreground() as up:
        up.says("is up")
        daemon, web = live.daemon(), live.rows()["web"]["pid"]
        os.kill(parent_of(daemon), signal.SIGKILL)
        gone([daemon, web], within=2)
        up.ends()


def test_a_guardian_that_is_killed_while_the_stack_stops_does_not_prolong_that(stack: Make) -> None:
    live, _ = running(stack)
    live.write({"web": {**STUBBORN, "stop_grace_period": "60s"}})
    with live.foreground() as up:
        up.says("is up")
        daemon, web = live.daemon(), live.rows()["web"]["pid"]
        up.send(signal.SIGTERM)
        up.says("stopping")
        os.kill(parent_of(daemon), signal.SIGKILL)
        gone([daemon, web], within=5)
        up.ends()


def test_both_killed_at_once_leave_nothing_that_the_next_up_does_not_find(stack: Make) -> None:
    live, pool = running(stack)
    with live.foreground() as up:
        up.says("is up")
        guardian, daemon, pids = pids_of(live)
        os.kill(guardian, signal.SIGSTOP)  # so that it cannot do anything between the two
        os.kill(daemon, signal.SIGKILL)
        os.kill(guardian, signal.SIGKILL)
        up.ends()
        mains, grandchild = pids[:-1], pids[-1]
        eventually(lambda: not any(map(is_alive, mains)), within=2, what="PDEATHSIG")
        left = is_alive(grandchild)
        started = live.run("up", "-d")
        try:
            assert started.returncode == 0, started.stderr
            assert not is_alive(grandchild)
            if left:
                assert "ended what an earlier run left behind" in started.stderr
                assert str(grandchild) in started.stderr
            row = live.rows()["web"]
            assert (row["port"], row["instance"]) == (pool[0], 1)
        finally:
            live.end()


def test_an_orphan_on_the_first_port_is_reaped_and_not_rotated_around(stack: Make) -> None:
    pool = free_pool(2)
    live = stack({"web": {"command": program("leaves_server", "setsid"), "pool": list(pool)}})
    with live.foreground() as up:
        up.says("is up")
        daemon = live.daemon()
        guardian = parent_of(daemon)
        server = int(eventually(lambda: live.log("web").split()[1:2], what="its pid in the log")[0])
        os.kill(guardian, signal.SIGSTOP)
        os.kill(daemon, signal.SIGKILL)
        os.kill(guardian, signal.SIGKILL)
        up.ends()
        assert is_alive(server), "it left the session and had no parent to die with"
    started = live.run("up", "-d")
    assert started.returncode == 0, started.stderr
    assert not is_alive(server)
    assert live.rows()["web"]["port"] == pool[0]


def test_a_program_of_somebody_else_with_our_run_in_its_environment_is_not_killed_while_we_live(stack: Make) -> None:
    """A second instance must never take the processes of the first for orphans."""
    pool = free_pool(3)
    live = stack({"web": {"command": program("listens"), "pool": [pool[0]]}}, instances={"stride": 1})
    with live.up():
        pid = live.rows()["web"]["pid"]
        second = live.run("up", "-d")
        assert second.returncode == 0, second.stderr
        assert is_alive(pid)
        assert live.rows(2)["web"]["port"] == pool[1]
