"""Who waits for whom, and what follows from a dependency that fails or moves."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.live.conftest import Make, in_both_ways
from tests.live.stack import SLEEPS, Live, answer_of, notes
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


def begun(live: Live, service: str) -> float:
    """When a service was started first, by portsup.log; 0 if never."""
    from datetime import datetime

    times = [fact["time"] for fact in live.journal("service starting") if fact["service"] == service]
    return datetime.fromisoformat(times[0]).timestamp() if times else 0.0


def waiter(need: str, condition: str) -> dict[str, Any]:
    return {**SLEEPS, "depends_on": {need: {"condition": condition}}}


def test_each_condition_waits_for_what_it_says_and_no_longer(stack: Make) -> None:
    """The dependency listens after 0.4 s, is ready with a file after that, and ends when it is told."""
    (port,) = free_pool(1)
    live = stack({})
    mark = live.folder / "mark"
    live.write({
        "db": {
            "command": program("listens_late", "0.4"),
            "pool": [port],
            "ready": {"exec": ["test", "-e", str(mark)]},
        },
        "job": {"command": ["sh", "-c", "sleep 0.6"]},
        "after-started": waiter("db", "started"),
        "after-listening": waiter("db", "listening"),
        "after-ready": waiter("db", "ready"),
        "after-completed": waiter("job", "completed"),
    })  # fmt: skip
    with live.foreground() as up:
        live.until("after-started", state="running")
        assert live.rows()["after-listening"]["state"] == "waiting"
        live.until("after-listening", state="running")
        assert live.rows()["after-ready"]["state"] == "waiting"
        live.until("after-completed", state="running")
        assert live.rows()["job"]["state"] == "exited"
        assert live.rows()["after-ready"]["state"] == "waiting"
        mark.touch()
        live.until("after-ready", state="running")
        up.says("is up")
        assert begun(live, "after-listening") - begun(live, "db") >= 0.4
        assert begun(live, "after-completed") - begun(live, "job") >= 0.6


def test_services_of_one_level_start_side_by_side(stack: Make) -> None:
    """Each is ready once all six have begun, and so none if one had to wait for another."""
    live = stack({})
    all_begun = "touch $PORTSUP_SERVICE; until [ $(ls slow* | wc -l) = 6 ]; do sleep 0.02; done"
    command = ["sh", "-c", f"{all_begun}; echo ready; exec sleep 1000"]
    slow = {"command": command, "ready": {"log": "ready", "timeout": "30s"}, "restart": "never"}
    live.write({f"slow{number}": slow for number in range(6)})
    with live.up():
        assert {row["state"] for row in live.rows().values()} == {"running"}


def test_a_failed_dependency_keeps_its_dependants_from_starting_and_says_so(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({
        "db": {"command": program("exits", "3"), "pool": [port], "restart": "never"},
        "api": {**SLEEPS, "depends_on": ["db"]},
        "web": {**SLEEPS, "depends_on": ["api"]},
        "other": SLEEPS,
    })  # fmt: skip
    with live.foreground() as up:
        up.says("is up, but 3 of its services failed")
        assert "api: does not start: it depends on `db`, which failed" in up.err
        assert "web: does not start: it depends on `api`, which failed" in up.err
        rows = live.rows()
        assert [rows[name]["result"] for name in ("db", "api", "web")] == ["exit-code", "dependency", "dependency"]
        assert rows["other"]["state"] == "running"


def test_a_dependency_that_comes_back_lets_its_dependants_start(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({})
    mark = live.folder / "mark"
    live.write({
        "db": {"command": ["sh", "-c", f"test -e {mark} || exit 3; exec {' '.join(program('listens'))}"],
               "pool": [port], "restart": "never"},
        "api": {**SLEEPS, "depends_on": ["db"]},
        "other": SLEEPS,
    })  # fmt: skip
    assert live.run("up", "-d").returncode == 10
    mark.touch()
    assert live.run("start", "db").returncode == 0
    live.until("api", state="running")
    assert live.run("status").returncode == 0


def test_a_start_ends_when_somebody_stops_what_it_waits_for(stack: Make) -> None:
    live = stack({})
    mark = live.folder / "mark"
    slow = {**SLEEPS, "ready": {"exec": ["test", "-e", str(mark)]}, "autostart": False}
    live.write({"db": slow, "api": {**SLEEPS, "depends_on": ["db"], "autostart": False}, "other": SLEEPS})
    with live.up():
        start = live.popen("start", "api", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        live.until("api", state="waiting")
        assert live.run("stop", "db").returncode == 0
        _, err = start.communicate(timeout=20)
        assert start.returncode == 1
        assert "api: does not start: it depends on `db`, which is stopped" in err
        mark.touch()
        assert live.run("start", "db").returncode == 0
        live.until("api", state="running")
        live.run("stop", "db", "api")
        assert live.run("restart", "api").returncode == 0, "with what it needs"


def test_only_what_was_asked_for_and_what_it_needs_is_started(stack: Make) -> None:
    live = stack({"db": SLEEPS, "api": {**SLEEPS, "depends_on": ["db"]}, "web": {**SLEEPS, "depends_on": ["api"]}})
    with live.up("api"):
        assert {name: row["state"] for name, row in live.rows().items()} == {
            "db": "running", "api": "running", "web": "stopped",
        }  # fmt: skip
        done = live.run("up", "nothing")
        assert done.returncode == 4
        assert "services: db, api, web" in done.stderr


def test_a_crashed_dependency_does_not_restart_those_that_depend_on_it_while_its_port_stays(stack: Make) -> None:
    pool = free_pool(2)
    live = stack({
        "db": {"command": program("listens"), "pool": list(pool), "restart_policy": {"delay": 0}},
        "api": {**SLEEPS, "depends_on": ["db"]},
    })  # fmt: skip
    with live.up():
        pid = live.rows()["api"]["pid"]
        os.kill(live.rows()["db"]["pid"], signal.SIGKILL)
        live.until("db", state="running", restarts=1)
        assert live.rows()["api"]["pid"] == pid


def test_those_that_depend_on_a_service_that_moved_are_restarted_signalled_or_left_alone(stack: Make) -> None:
    pool = free_pool(3)
    live = stack({})
    file = live.folder / "notes"
    tells = ["sh", "-c", "echo $PORTSUP_DB_PORT; exec sleep 1000"]
    live.write({
        "db": {"command": program("listens"), "pool": list(pool)},
        "restarts": {"command": tells, "depends_on": ["db"]},
        "signalled": notes(file, depends_on=["db"], on_port_change={"signal": "SIGUSR1"}),
        "ignores": {"command": tells, "depends_on": ["db"], "on_port_change": "ignore"},
        "stranger": {"command": tells},
    })  # fmt: skip
    with live.up():
        before = {name: row["pid"] for name, row in live.rows().items()}
        live.rotate("db")
        eventually(lambda: "signalled SIGUSR1" in file.read_text(), what="the signal")
        eventually(lambda: live.log("restarts").splitlines() == [str(pool[0]), str(pool[1])], what="the restart")
        live.until("restarts", state="running")
        after = {name: row["pid"] for name, row in live.rows().items()}
        changed = {name for name, pid in after.items() if pid != before[name]}
        assert changed == {"db", "restarts"}
        assert live.endpoints()["db"]["port"] == pool[1], "for those that look it up themselves"
        assert live.rows()["restarts"]["restarts"] == 0, "nobody's fault"
        assert [line.split()[1] for line in file.read_text().splitlines()] == ["begins", "SIGUSR1"]


def test_every_service_is_told_where_every_other_is(stack: Make) -> None:
    db, web = free_pool(3), free_pool(3)
    live = stack({
        "my-db.main": {"command": program("listens"), "pool": list(db)},
        "asks": {
            "command": [*program("prints_environment", "wait"), "{port}", "{port:my-db.main}", "{url:my-db.main}"],
            "pool": list(web),
            "port_env": "MY_PORT",
            "ready": "started",
            "environment": {"DB": "db at {url:my-db.main}", "NUMBER": "{instance}"},
        },
    })  # fmt: skip
    with live.up():
        eventually(lambda: live.log("asks").endswith("\n"), what="its environment")
        told = json.loads(live.log("asks"))
        for name in ("PORTSUP_RUN_ID", "PORTSUP_INVOCATION", "PORTSUP_RUNTIME_DIR", "PORTSUP_STATE_DIR"):
            assert told.pop(name)
        assert {name: value for name, value in told.items() if name.startswith("PORTSUP_")} == {
            "PORTSUP_STACK": "t", "PORTSUP_INSTANCE": "1", "PORTSUP_SERVICE": "asks",
            "PORTSUP_ENDPOINTS": str(live.runtime / "t-1.endpoints.json"),
            "PORTSUP_SOCKET": str(live.runtime / "t-1.sock"),
            "PORTSUP_MY_DB_MAIN_PORT": str(db[0]), "PORTSUP_MY_DB_MAIN_URL": f"http://127.0.0.1:{db[0]}",
            "PORTSUP_ASKS_PORT": str(web[0]), "PORTSUP_ASKS_URL": f"http://127.0.0.1:{web[0]}",
        }  # fmt: skip
        assert (told["MY_PORT"], told["HOST"], told["NUMBER"]) == (str(web[0]), "127.0.0.1", "1")
        assert told["DB"] == f"db at http://127.0.0.1:{db[0]}"
        assert told["PYTHONUNBUFFERED"] == "1"
        assert answer_of(db[0])


LISTENS_BRIEFLY = (
    "import os, socket, time; s = socket.create_server(('127.0.0.1', int(os.environ['PORT']))); time.sleep(0.5)"
)
ENDS_FOR = {"listens": "listening", "says something": "ready", "ends once ready": "ready"}
ENDS: dict[str, dict[str, Any]] = {
    "listens": {"command": ["sh", "-c", "sleep 0.3; exit 0"], "pool": True},
    "says something": {"command": ["sh", "-c", "sleep 0.3; exit 0"], "ready": {"log": "ready"}},
    "ends once ready": {"command": [sys.executable, "-c", LISTENS_BRIEFLY], "pool": True},
}


@in_both_ways
@pytest.mark.parametrize("server", ENDS)
def test_a_server_that_ended_with_0_is_not_there_for_its_dependants(stack: Make, server: str) -> None:
    """`late` waits for a job that takes longer than the server lives, which may be ready for a moment."""
    live = stack({
        "api": {**ENDS[server], **({"pool": list(free_pool(2))} if "pool" in ENDS[server] else {})},
        "job": {"command": ["sh", "-c", "sleep 1"], "one_shot": True},
        "late": {**SLEEPS, "depends_on": {"api": {"condition": ENDS_FOR[server]}, "job": {"condition": "ready"}}},
        "web": {**SLEEPS, "depends_on": ["late"]},
    })  # fmt: skip
    assert live.run("up", "-d").returncode == 10
    rows = live.rows()
    assert {name: row["state"] for name, row in rows.items()} == {
        "api": "exited", "job": "exited", "late": "failed", "web": "failed",
    }  # fmt: skip
    assert [rows[name]["result"] for name in ("late", "web")] == ["dependency", "dependency"]
    assert live.run("status").returncode == 3
    assert live.run("status", "job").returncode == 0
    assert live.run("status", "api").returncode == 3
    waited = live.run("wait", "api")
    assert waited.returncode == 10
    assert "cannot wait until `api` is ready: it has exited: exit code 0" in waited.stderr
    assert live.run("wait", "api", "--for", "listening").returncode == 10
    assert live.run("wait", "job").returncode == 0
    assert live.run("wait", "late").returncode == 10


def test_up_ends_with_10_when_only_a_server_that_ended_is_left(stack: Make) -> None:
    live = stack({
        "api": {"command": ["sh", "-c", "exit 0"], "pool": list(free_pool(2))},
        "web": {**SLEEPS, "depends_on": ["api"]},
    })  # fmt: skip
    with live.foreground() as up:
        assert up.ends() == 10
        assert "web: does not start: it depends on `api`, which has ended (exit code 0)" in up.err
        assert "if `api` should end, depend on `completed_ok`" in up.err


def test_dependants_start_when_a_server_that_ended_comes_back(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({})
    mark = live.folder / "mark"
    command = ["sh", "-c", f"test -e {mark} || exit 0; exec {' '.join(program('listens'))}"]
    live.write({
        "db": {"command": command, "pool": [port]},
        "api": {**SLEEPS, "depends_on": ["db"]},
    })  # fmt: skip
    assert live.run("up", "-d").returncode == 10
    mark.touch()
    assert live.run("start", "db").returncode == 0
    live.until("api", state="running")
    assert live.run("status").returncode == 0
