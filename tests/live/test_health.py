"""Readiness and health as services really answer, restarts, and when portsup gives up."""

import os
import signal
import urllib.request

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, is_alive
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


def get(port: int, path: str) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
        pass


def test_an_unhealthy_service_is_restarted_and_given_up_on_with_11(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({
        "web": {
            "command": program("http_health"),
            "pool": [port],
            "ready": {"http": "/health"},
            "healthcheck": {"http": "/health", "interval": "0.1s", "timeout": "1s", "retries": 2},
            "restart_policy": {"delay": 0, "max_restarts": 1},
        },
        "good": SLEEPS,
    })  # fmt: skip
    with live.foreground() as up:
        up.says("is up")
        first = live.until("web", health="healthy")["pid"]
        get(port, "/sick")
        second = live.until("web", state="running", restarts=1)["pid"]
        assert first != second
        up.says("web: unhealthy: GET /health answered 503 Service Unavailable, 2 times in a row")
        live.until("web", health="healthy")
        get(port, "/sick")
        row = live.until("web", state="failed")
        assert row["result"] == "unhealthy"
        up.says("error: web: gave up: unhealthy: GET /health answered 503")
        up.send(signal.SIGTERM)
        assert up.ends() == 11


def test_a_service_that_may_not_be_restarted_is_only_shown_as_unhealthy(stack: Make) -> None:
    (port,) = free_pool(1)
    asked = {"path": "/key/k-{port}", "headers": {"X-Key": "k-{port}"}, "status": 200, "contains": '"ok"'}
    live = stack({
        "web": {
            "command": program("http_health"),
            "pool": [port],
            "healthcheck": {"http": asked, "interval": "0.1s", "retries": 1},
            "restart": "never",
        }
    })  # fmt: skip
    with live.up():
        pid = live.until("web", health="healthy")["pid"]
        get(port, "/sick")
        assert live.until("web", health="unhealthy")["pid"] == pid
        get(port, "/well")
        live.until("web", health="healthy")


def test_a_service_that_answers_wrongly_is_not_ready_and_the_answer_is_told(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({
        "web": {
            "command": program("listens"),
            "pool": [port],
            "ready": {"http": "/health", "timeout": "0.5s"},
            "restart": "never",
        }
    })  # fmt: skip
    done = live.run("up")
    assert done.returncode == 10, done.stderr
    assert "web: not ready within 0.5 s: GET /health" in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("command", "ready"),
    [
        (program("listens_late", "0.1"), "listening"),
        (program("listens_late", "0.1"), {"tcp": True}),
        (program("listens"), {"log": r"listening on \d+"}),
        (program("listens"), {"exec": ["sh", "-c", "test $PORT = {port}"]}),
        (program("http_health"), {"http": "/health"}),
        (["sleep", "1000"], "started"),
    ],
    ids=["listening", "tcp", "log", "exec", "http", "started"],
)
def test_each_way_of_becoming_ready(stack: Make, command: list[str], ready: object) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": command, "pool": [port], "ready": ready}})
    with live.up("--wait-timeout", "10"):
        assert live.rows()["web"]["state"] == "running"


def test_a_hanging_probe_command_is_ended_with_its_service(stack: Make) -> None:
    live = stack({"web": {**SLEEPS, "ready": {"exec": ["sleep", "60"], "timeout": "0.3s"}, "restart": "never"}})
    done = live.run("up")
    assert done.returncode == 10
    assert "not ready within 0.3 s" in done.stderr


def test_restarts_wait_longer_each_time_and_a_start_by_hand_begins_anew(stack: Make) -> None:
    live = stack({
        "bad": {"command": program("exits", "3"), "restart_policy": {"delay": "0.1s", "factor": 2, "max_restarts": 2}},
        "good": SLEEPS,
    })  # fmt: skip
    with live.up():
        row = live.until("bad", state="failed")
        assert (row["result"], row["restarts"], row["exit_code"]) == ("start-limit", 2, 3)
        assert live.log("bad").count("giving up") == 3
        done = live.run("start", "bad")
        live.until("bad", state="failed", restarts=4)
        assert live.log("bad").count("giving up") == 6
        assert done.returncode in (0, 1), "a job without ports counts as started once it is spawned"


def test_a_service_may_be_tried_without_end_and_nobody_waits_for_that(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({})
    mark = live.folder / "mark"
    policy = {"delay": "10ms", "max_delay": "20ms", "max_restarts": "infinite"}
    tunnel = f"test -e {mark} || exit 3; exec {' '.join(program('listens'))}"
    live.write({"tunnel": {"command": ["sh", "-c", tunnel], "pool": [port], "restart_policy": policy}, "good": SLEEPS})
    done = live.run("up", "-d")
    assert done.returncode == 10
    assert "is up, but 1 of its services failed" in done.stderr
    start = live.run("start", "tunnel")
    assert start.returncode == 1
    assert "times; portsup restarts it indefinitely" in start.stderr
    before = live.rows()["tunnel"]["restarts"]
    eventually(lambda: live.rows()["tunnel"]["restarts"] > before + 5)
    mark.touch()
    assert live.until("tunnel", state="running")["port"] == port


def test_always_restarts_after_a_clean_end_and_on_failure_does_not(stack: Make) -> None:
    job = {"command": ["sh", "-c", "sleep 0.2"], "restart_policy": {"delay": "0.05s", "max_restarts": 2}}
    live = stack({"once": job, "always": {**job, "restart": "always"}, "good": SLEEPS})
    with live.up():
        row = live.until("always", state="failed")
        assert (row["restarts"], row["exit_code"]) == (2, 0)
        row = live.rows()["once"]
        assert (row["state"], row["status"], row["result"], row["restarts"]) == ("exited", "inactive", "success", 0)


def test_a_signal_is_named_and_a_crash_after_a_good_run_is_repaired_at_once(stack: Make) -> None:
    live = stack({"web": {**SLEEPS, "restart_policy": {"delay": "30s"}}})
    with live.foreground() as up:
        up.says("is up")
        pid = live.rows()["web"]["pid"]
        eventually(lambda: live.rows()["web"]["uptime_s"] >= 1.1, what="a good run")
        os.kill(pid, signal.SIGSEGV)
        row = live.until("web", within=5, state="running", restarts=1)
        assert row["pid"] != pid
        up.says("web: signal 11 (SIGSEGV); portsup restarts it")
        assert not is_alive(pid)
