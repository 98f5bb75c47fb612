"""What the end, or the restart, of one service does to the others."""

import os
import signal
from typing import Any

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, notes
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


def job(code: int, **more: Any) -> dict[str, Any]:
    return {"command": ["sh", "-c", f"sleep 0.1; exit {code}"], "one_shot": True, "restart": "never", **more}


def test_the_end_of_one_service_ends_all_with_its_exit_code(stack: Make) -> None:
    live = stack({"db": SLEEPS, "setup": job(0), "tests": job(3, depends_on={"setup": "completed_ok"})})
    done = live.run("up", "--exit-code-from", "tests")
    assert done.returncode == 3, "and not when `setup` had done its work"
    assert "stopping everything, because tests has ended (exit code 3)" in done.stderr
    live.leaves_nothing()
    assert [fact["exit_code"] for fact in live.journal("end of all")] == [3]
    live.write({"db": SLEEPS, "tests": job(0)})
    assert live.run("up", "--exit-code-from", "tests").returncode == 0
    live.write({"db": {"command": ["sh", "-c", "sleep 0.1; kill -9 $$$$"], "restart": "never"}, "tests": SLEEPS})
    assert live.run("up", "--abort-on-failure").returncode == 137
    assert live.run("up", "--exit-code-from", "tests").returncode == 143, "it was stopped before it had ended"
    assert live.run("up", "-d", "--exit-code-from", "tests").returncode == 2
    assert live.run("up", "db", "--exit-code-from", "tests").returncode == 2
    assert live.run("up", "--exit-code-from", "nobody").returncode == 4


def test_a_service_says_that_its_end_ends_all(stack: Make) -> None:
    never = {**SLEEPS, "ready": {"exec": ["false"]}}
    live = stack({"main": job(0, on_end={"success": "stop_all"}), "never": never})
    assert live.run("up", "-d").returncode == 0, "it ended as it should, before all was up"
    live.ended()
    live.write({"main": {"command": ["no-such-program"], "on_end": {"failure": "stop_all"}}, "never": never})
    assert live.run("up", "-d").returncode == 10
    live.ended()
    live.write({"main": {**SLEEPS, "on_end": "stop_all", "restart": "never"}, "other": SLEEPS})
    with live.foreground() as up:
        up.says("is up")
        assert live.run("stop", "main").returncode == 0
        assert live.run("start", "main").returncode == 0, "a stop by hand is no end"
        os.kill(live.rows()["main"]["pid"], signal.SIGTERM)
        assert up.ends() == 143


def test_a_restart_goes_on_to_those_that_asked_for_it_and_to_nobody_else(stack: Make) -> None:
    pool = free_pool(2)
    live = stack({})
    after_db = {"db": {"condition": "ready", "restart": True}}
    file = live.folder / "notes"
    live.write({
        "db": {"command": program("listens"), "pool": list(pool), "restart_policy": {"delay": 0}},
        "api": notes(file, depends_on=after_db),
        "web": {**SLEEPS, "depends_on": {**after_db, "api": {"restart": True}}},
        "calm": {**SLEEPS, "depends_on": ["db"], "on_port_change": "ignore"},
    })  # fmt: skip

    def pids() -> dict[str, int | None]:
        return {name: row["pid"] for name, row in live.rows().items()}

    def have_moved_on(before: dict[str, int | None]) -> bool:
        rows = live.rows()
        moved = {name for name, row in rows.items() if row["state"] == "running" and row["pid"] != before[name]}
        return moved == {"db", "api", "web"}

    with live.up():
        before = pids()
        os.kill(before["db"] or 0, signal.SIGKILL)
        eventually(lambda: have_moved_on(before), what="the restart after a crash")
        before = pids()
        live.rotate("db")
        eventually(lambda: have_moved_on(before), what="the restart after a rotation")
        before = pids()
        assert live.run("restart", "web", "api", "db").returncode == 0
        assert have_moved_on(before)
        assert file.read_text().count("api begins") == 4, "once for each restart of the other one"
        assert live.run("stop", "api").returncode == 0
        before = pids()
        assert live.run("restart", "db").returncode == 0
        eventually(lambda: live.rows()["web"]["state"] == "running" and pids()["web"] != before["web"])
        assert live.rows()["api"]["state"] == "stopped"
