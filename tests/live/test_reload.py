"""`reload`: exactly what differs is touched."""

import json
import os
import signal
import socket
import subprocess
from typing import Any

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, STUBBORN, Live, answer_of, is_alive, is_free
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


def listens(pool: tuple[int, ...], **more: Any) -> dict[str, Any]:
    return {"command": program("listens"), "pool": list(pool), **more}


def rewrite(live: Live, services: dict[str, Any], **top: Any) -> None:
    # JSON is YAML too.
    (live.folder / "services.yaml").write_text(json.dumps({"name": "t", "services": services, **top}))


def test_only_what_differs_is_touched(stack: Make) -> None:
    pools = free_pool(3), free_pool(3), free_pool(3), free_pool(3)
    same, other = listens(pools[0]), listens(pools[1])
    live = stack({"same": same, "other": other, "gone": listens(pools[2]), "job": SLEEPS})
    with live.up():
        before = live.rows()
        with socket.create_connection(("127.0.0.1", pools[0][0])) as kept:
            other = {**other, "environment": {"MODE": "new"}}
            job = {**SLEEPS, "restart": "never"}
            rewrite(live, {"new": listens(pools[3]), "same": same, "other": other, "job": job})
            assert "services.yaml has changed since it was read" in live.run("status").stderr
            shown = live.run("reload", "--dry-run")
            told = [line.split(None, 1) for line in shown.stdout.splitlines()]
            assert told == [
                ["added", "new"],
                ["removed", "gone"],
                ["changed", "other: environment (restarts)"],
                ["changed", "job: restart_policy"],
            ]
            assert {name: row["pid"] for name, row in live.rows().items()} == {n: r["pid"] for n, r in before.items()}
            done = live.run("reload")
            assert done.returncode == 0, done.stderr
            after = live.rows()
            assert list(after) == ["new", "same", "other", "job"]
            assert after["same"]["pid"] == before["same"]["pid"]
            assert after["job"]["pid"] == before["job"]["pid"]
            assert after["other"]["pid"] != before["other"]["pid"]
            assert after["other"]["port"] == before["other"]["port"]
            assert (after["new"]["state"], after["new"]["port"]) == ("running", pools[3][0])
            assert not is_alive(before["gone"]["pid"])
            assert all(is_free(port) for port in pools[2])
            assert kept.recv(100)
        assert set(live.endpoints()) == {"new", "same", "other"}
        assert "MODE=new" in live.run("env", "other").stdout
        assert live.run("status").stderr == ""
        again = live.run("reload")
        assert (again.returncode, again.stdout) == (0, "nothing has changed\n")


def test_what_is_being_removed_cannot_be_started_meanwhile(stack: Make) -> None:
    live = stack({"gone": {**STUBBORN, "stop_grace_period": "60s"}, "stays": SLEEPS})
    with live.up():
        rewrite(live, {"stays": SLEEPS})
        reload = live.popen("reload", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        pid = live.until("gone", state="terminating")["pid"]
        for verb in ("start", "restart"):
            done = live.run(verb, "gone")
            assert done.returncode == 1
            assert f"cannot {verb} `gone`: `gone` is no longer in services.yaml" in done.stderr
        os.kill(pid, signal.SIGKILL)
        assert reload.wait(20) == 0
        assert list(live.rows()) == ["stays"]
        assert live.run("reload").returncode == 0, "the first one is over"


def test_a_pool_that_keeps_the_port_moves_nothing(stack: Make) -> None:
    pool = free_pool(5)
    live = stack({"web": listens(pool[:3])})
    with live.up():
        before = live.rows()["web"]
        rewrite(live, {"web": listens((pool[3], pool[0], pool[4]))})
        assert live.run("reload").returncode == 0
        after = live.rows()["web"]
        assert (after["pid"], after["port"]) == (before["pid"], pool[0])
        states = {each["port"]: each["state"] for each in after["pool"]}
        assert states == {pool[3]: "spare", pool[0]: "active", pool[4]: "spare"}
        assert is_free(pool[1])
        assert not is_free(pool[4])
        os.kill(after["pid"], signal.SIGKILL)
        assert live.until("web", state="running", restarts=1)["port"] == pool[0]


def test_a_pool_without_the_port_moves_the_service_and_tells_its_dependants(stack: Make) -> None:
    pool, needy = free_pool(6), free_pool(3)
    live = stack({"web": listens(pool[:3]), "needy": listens(needy, depends_on=["web"])})
    with live.up():
        before = live.rows()
        rewrite(live, {"web": listens(pool[3:]), "needy": listens(needy, depends_on=["web"])})
        assert live.run("reload").returncode == 0
        assert live.rows()["web"]["port"] == pool[3]
        assert answer_of(pool[3])
        assert all(is_free(port) for port in pool[:3])
        eventually(lambda: live.rows()["needy"]["pid"] not in (None, before["needy"]["pid"]))
        live.until("needy", state="running")
        assert f"PORTSUP_WEB_PORT={pool[3]}" in live.run("env", "needy").stdout


def test_a_file_with_mistakes_changes_nothing(stack: Make) -> None:
    live = stack({"job": SLEEPS, "other": SLEEPS})
    with live.up():
        before = {name: row["pid"] for name, row in live.rows().items()}
        (live.folder / "services.yaml").write_text("services:\n  job:\n    comand: x\n    pool: 99999\n")
        refused = live.run("reload")
        assert refused.returncode == 2
        assert "services.yaml:3:5" in refused.stderr
        assert "did you mean `command`" in refused.stderr
        rewrite(live, {"job": SLEEPS}, name="renamed")
        refused = live.run("reload")
        assert refused.returncode == 1
        assert "portsup down" in refused.stderr
        assert {name: row["pid"] for name, row in live.rows().items()} == before


def test_sighup_reloads_an_instance_in_the_background(stack: Make) -> None:
    live = stack({"job": SLEEPS})
    with live.up():
        rewrite(live, {"job": SLEEPS, "more": SLEEPS})
        os.kill(live.daemon(), signal.SIGHUP)
        live.until("more", state="running")
        (live.folder / "services.yaml").write_text("services: 5\n")
        os.kill(live.daemon(), signal.SIGHUP)
        eventually(lambda: live.journal("reload refused"))
        assert set(live.rows()) == {"job", "more"}


def test_what_was_stopped_by_hand_stays_stopped(stack: Make) -> None:
    live = stack({"job": SLEEPS, "other": SLEEPS})
    with live.up():
        live.do("stop", "job")
        rewrite(live, {"job": {**SLEEPS, "environment": {"A": "1"}}, "other": SLEEPS})
        assert live.run("reload").returncode == 0
        assert live.rows()["job"]["state"] == "stopped"
        live.do("start", "job")
        assert "A=1" in live.run("env", "job").stdout


def test_what_has_failed_is_tried_again_with_what_may_have_mended_it(stack: Make) -> None:
    broken = {"command": ["sh", "-c", "exit 7"], "restart": "never", "ready": {"log": "here"}}
    live = stack({"job": broken, "other": SLEEPS})
    with live.foreground() as up:
        up.says("is up")
        live.until("job", state="failed")
        rewrite(live, {"job": {**broken, "description": "the one that fails"}, "other": SLEEPS})
        assert live.run("reload").returncode == 0
        assert live.rows()["job"]["state"] == "failed"  # nothing has changed for its process
        rewrite(live, {"job": {**broken, "environment": {"A": "1"}}, "other": SLEEPS})
        still = live.run("reload")
        assert (still.returncode, "job: failed, exit code 7" in still.stderr) == (1, True), still.stderr
        rewrite(live, {"job": SLEEPS, "other": SLEEPS})
        assert live.run("reload").returncode == 0
        assert live.rows()["job"]["state"] == "running"


def test_health_checks_and_limits_change_under_a_process_that_goes_on(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({"web": {"command": program("http_health"), "pool": list(pool)}})
    with live.up():
        pid = live.rows()["web"]["pid"]
        check = {"http": "/health", "interval": "100ms"}
        rewrite(live, {"web": {"command": program("http_health"), "pool": list(pool), "healthcheck": check}})
        assert live.run("reload").returncode == 0
        assert live.until("web", health="healthy")["pid"] == pid


def test_a_reload_does_not_undo_a_stop_that_is_under_way(stack: Make) -> None:
    deaf = {"command": ["sh", "-c", "trap '' TERM; echo deaf; exec sleep 1000"], "ready": {"log": "deaf"}}
    job = {**deaf, "stop_grace_period": "1s"}
    live = stack({"job": job, "other": SLEEPS})
    with live.up():
        stop = live.popen("stop", "job")
        live.until("job", state="terminating")
        rewrite(live, {"job": {**job, "environment": {"MODE": "new"}}, "other": SLEEPS})
        assert live.run("reload").returncode == 0
        assert stop.wait(20) == 0, stop.communicate()[1]
        assert live.rows()["job"]["state"] == "stopped"


def test_a_change_of_a_file_that_is_extended_is_one_of_the_service(stack: Make) -> None:
    live = stack({"job": {"extends": {"file": "common.yaml", "service": "base"}}, "other": SLEEPS})
    common = live.folder / "common.yaml"
    common.write_text(json.dumps({"services": {"base": SLEEPS}}))
    with live.up():
        before = live.rows()
        common.write_text(json.dumps({"services": {"base": {**SLEEPS, "environment": {"MODE": "new"}}}}))
        assert "common.yaml has changed since it was read" in live.run("status").stderr
        assert live.run("reload").stdout == "changed  job: environment (restarts)\n"
        after = live.rows()
        assert after["job"]["pid"] != before["job"]["pid"]
        assert after["other"]["pid"] == before["other"]["pid"]
        assert live.run("status").stderr == ""


def test_what_a_service_needs_may_be_replaced_while_it_waits_and_while_it_runs(stack: Make) -> None:
    never = {**SLEEPS, "ready": {"log": "never"}}
    live = stack({"db": never, "web": {**SLEEPS, "depends_on": ["db"]}, "idle": {**SLEEPS, "depends_on": ["db"]}})
    with live.foreground():
        live.until("idle", state="waiting")
        rewrite(live, {"db": never, "web": {**SLEEPS, "depends_on": ["db"]}, "idle": SLEEPS})
        assert live.run("reload").returncode == 0
        live.until("idle", state="running")
        for need in ("cache", "store"):
            rewrite(live, {need: SLEEPS, "web": {**SLEEPS, "depends_on": [need]}, "idle": SLEEPS})
            assert live.run("reload").returncode == 0
            live.until("web", state="running")
            assert set(live.rows()) == {need, "web", "idle"}


def test_a_changed_watchdog_holds_for_the_process_that_is_told_of_it(stack: Make) -> None:
    live = stack({"job": {**SLEEPS, "watchdog": "60s"}})
    with live.up():
        rewrite(live, {"job": {**SLEEPS, "watchdog": "300ms"}})
        assert live.run("reload").returncode == 0
        eventually(lambda: live.rows()["job"]["restarts"])
