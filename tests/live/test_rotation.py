"""A service leaves a port that does not work for the next one of its pool, and thieves get nothing meanwhile."""

import contextlib
import os
import signal

import pytest

from supervisor.errors import PortsupError
from tests.live.conftest import Make, in_both_ways
from tests.live.stack import Live, answer_of, stranger
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program
from tests.support.thief import thief

pytestmark = pytest.mark.live


def states(live: Live, name: str = "web") -> list[str]:
    return [entry["state"] for entry in live.rows()[name]["pool"]]


@in_both_ways
def test_a_tight_loop_thief_gets_no_spare_port_while_the_service_restarts_and_rotates(stack: Make) -> None:
    """Restarts are the weak moment of the active port, on which the thief is too; the service comes back each time."""
    pool = free_pool(5)
    live = stack({
        "web": {
            "command": program("listens"),
            "pool": list(pool),
            "quarantine": "0s",
            "restart_policy": {"delay": "0.01s", "factor": 1, "max_restarts": 1000},
        }
    })  # fmt: skip
    used = {pool[0]}
    with live.up():
        with thief(pool) as loot:
            for _ in range(5):
                live.until("web", state="running")
                list(live.client().stream("kill", services=["web"]))
                used.add(eventually(lambda: live.rows()["web"]["port"]))
            live.until("web", state="running")
            with contextlib.suppress(PortsupError):  # it may just be starting again
                live.rotate("web")
            used.add(live.until("web", state="running")["port"])
        reached = set(pool[: max(pool.index(port) for port in used) + 1])
        assert loot.won.keys() <= reached, "spares that the service never used"
        assert loot.tries > 100


@in_both_ways
def test_ports_nobody_runs_on_are_never_a_thiefs(stack: Make) -> None:
    """Spares, the ports of a stopped service, of a failed one and of one in backoff."""
    spares, stopped, failed, backoff = free_pool(3), free_pool(2), free_pool(2), free_pool(2)
    live = stack({
        "web": {"command": program("listens"), "pool": list(spares), "restart_policy": {"delay": 0}},
        "stopped": {"command": program("listens"), "pool": list(stopped)},
        "failed": {"command": program("exits", "3"), "pool": list(failed), "restart": "never"},
        "backoff": {"command": program("listens"), "pool": list(backoff), "restart_policy": {"delay": "30s"}},
    })  # fmt: skip
    assert live.run("up", "-d").returncode == 10
    live.do("stop", "stopped")
    os.kill(live.rows()["backoff"]["pid"], signal.SIGKILL)
    live.until("backoff", state="backoff")
    with thief([*spares[1:], *stopped, *failed, *backoff]) as loot:
        os.kill(live.rows()["web"]["pid"], signal.SIGKILL)
        live.until("web", state="running", restarts=1)
        live.do("restart", "web")
    assert loot.won == {}
    assert loot.tries > 100


def test_a_thief_that_wins_the_first_port_during_a_restart_costs_the_port_and_not_the_service(stack: Make) -> None:
    """Between the release for the child and its bind the port is open: the next one of the pool is used then."""
    pool = free_pool(3)
    live = stack({
        "web": {"command": program("listens_late", "0.2"), "pool": list(pool), "restart_policy": {"delay": 0},
                "handoff": "off"},
    })  # fmt: skip
    with live.up():
        os.kill(live.rows()["web"]["pid"], signal.SIGKILL)
        live.until("web", state="starting")
        with stranger(pool[0]):
            row = live.until("web", state="running", port=pool[1])
            assert row["pool"][0]["state"] == "quarantined"
            assert f"pid {os.getpid()}" in row["pool"][0]["holder"]
        assert live.endpoints()["web"]["port"] == pool[1]


@in_both_ways
def test_rotate_moves_to_the_next_port_and_round_to_the_first(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({"web": {"command": program("listens"), "pool": list(pool)}})
    with live.up():
        done = live.run("rotate", "web")
        assert done.returncode == 0, done.stderr
        assert f"moved from port {pool[0]} to {pool[1]}" in done.stderr
        row = live.rows()["web"]
        assert (row["port"], row["restarts"]) == (pool[1], 0)
        assert answer_of(pool[1]) == str(row["pid"])
        assert states(live) == ["spare", "active", "spare"]
        assert live.endpoints()["web"] == {
            "port": pool[1], "host": "127.0.0.1", "url": f"http://127.0.0.1:{pool[1]}", "pool": list(pool),
        }  # fmt: skip
        assert live.rotate("web")["words"] == f"moved from port {pool[1]} to {pool[2]}"
        assert live.rotate("web")["words"] == f"moved from port {pool[2]} to {pool[0]}"


@in_both_ways
def test_rotate_stays_when_no_other_port_can_be_used_and_refuses_a_pool_of_one(stack: Make) -> None:
    first, second = free_pool(2)
    (only,) = free_pool(1)
    live = stack({
        "web": {"command": program("listens"), "pool": [first, second]},
        "one": {"command": program("listens"), "pool": [only]},
    })  # fmt: skip
    with stranger(second), live.up():
        done = live.run("rotate", "web")
        assert done.returncode == 1, done.stderr
        assert f"stays on port {first}" in done.stderr
        assert live.rows()["web"]["state"] == "running"
        done = live.run("rotate", "one")
        assert done.returncode == 2, done.stderr
        assert "its pool has no other port" in done.stderr


@in_both_ways
def test_a_port_that_does_not_work_is_left_after_rotate_after_starts_and_quarantined_for_a_while(stack: Make) -> None:
    pool = free_pool(2)
    live = stack({
        "web": {
            "command": program("picky", str(pool[0])),
            "pool": list(pool),
            "rotate_after": 2,
            "quarantine": "6s",
            "restart_policy": {"delay": "0.05s"},
        }
    })  # fmt: skip
    with live.foreground() as up:
        up.says("is up")
        row = live.rows()["web"]
        assert (row["port"], row["restarts"], row["state"]) == (pool[1], 2, "running")
        assert live.log("web").count("not here") == 2
        assert row["pool"][0]["state"] == "quarantined"
        assert "exit code 1 before it was ready, 2 times in a row" in row["pool"][0]["holder"]
        assert f"web: leaves port {pool[0]}: exit code 1" in up.err
        eventually(lambda: states(live) == ["spare", "active"], within=30, what="the end of the quarantine")


@in_both_ways
def test_a_service_that_works_on_no_port_ends_the_stack_with_what_each_port_did(stack: Make) -> None:
    pool = free_pool(2)
    live = stack({
        "web": {
            "command": program("exits", "3"),
            "pool": list(pool),
            "rotate_after": 1,
            "restart_policy": {"delay": 0},
        }
    })  # fmt: skip
    done = live.run("up")
    assert done.returncode == 12, done.stderr
    for port in pool:
        assert f"  {port}  exit code 3 before it was ready" in done.stderr
    live.leaves_nothing(*pool)


@in_both_ways
def test_a_crash_keeps_the_port(stack: Make) -> None:
    pool = free_pool(2)
    live = stack({"web": {"command": program("listens"), "pool": list(pool), "restart_policy": {"delay": 0}}})
    with live.up():
        for restarts in range(1, 4):
            pid = live.rows()["web"]["pid"]
            os.kill(pid, signal.SIGKILL)
            assert live.until("web", state="running", restarts=restarts)["port"] == pool[0]
