"""Services of several processes on one port."""

import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live, notes
from tests.live.test_handoff import AS_NOBODY, AT_ONCE, python_of_nobody
from tests.live.test_own_sockets import how, up  # noqa: F401
from tests.support.caller import caller
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.rounds import each_once
from tests.support.running import PROGRAMS, program

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]

SAYS = "echo replica $PORTSUP_REPLICA of $PORTSUP_SERVICE"
GET = b"GET / HTTP/1.0\r\n\r\n"


def said(port: int) -> int:
    """The pid of the process that answers a client; raises ConnectionError to one that it refuses."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        return int(client.recv(100))


def pids(live: Live, name: str = "web") -> list[int]:
    return [each["pid"] for each in live.rows()[name]["replicas"]]


def states(live: Live, name: str = "web") -> list[str]:
    return [each["state"] for each in live.rows()[name]["replicas"]]


def scale(live: Live, **replicas: int) -> list[dict[str, Any]]:
    *_, last = live.client().stream("scale", replicas=replicas)
    results: list[dict[str, Any]] = last["results"]
    return results


def test_each_replica_is_known_by_its_number_and_all_serve_one_port(stack: Make, tmp_path: Path) -> None:
    (port,) = free_pool(1)
    live = stack({
        "web": {"command": f"sh -c '{SAYS}; exec {' '.join(program('listens'))}'",
                "pool": [port], "replicas": 3},
        "last": {**SLEEPS, "depends_on": ["web"]},
    })  # fmt: skip
    with live.up("-d"):
        row = live.rows()["web"]
        assert (row["state"], states(live)) == ("running", ["running"] * 3)
        assert [each["name"] for each in row["replicas"]] == ["web.1", "web.2", "web.3"]
        met: set[int] = set()
        eventually(lambda: met.add(said(port)) or met == set(pids(live)))  # type: ignore[func-returns-value]
        assert "running 3/3" in live.run("status").stdout
        table = live.run("status", "--replicas").stdout.splitlines()
        assert [line.split()[0] for line in table[1:]] == ["web", "web.1", "web.2", "web.3", "last"]
        logs = live.run("logs", "web").stdout
        assert {f"web.{number} | replica {number} of web" for number in (1, 2, 3)} <= set(logs.splitlines())
        assert "replica 1" not in live.run("logs", "web.2").stdout
        facts = live.journal("service ready")
        assert sorted(fact.get("replica", 0) for fact in facts) == [0, 1, 2, 3]
        assert facts[-1]["service"] == "last"
        told = live.run("events", "web.2").stdout.splitlines()
        assert told
        assert all(" web.2: " in line for line in told)
        assert set(live.endpoints()) == {"web"}


def test_nobody_is_refused_while_the_number_changes_and_a_reload_undoes_it(stack: Make) -> None:
    (port,) = free_pool(1)
    web = {"command": program("finishes"), "pool": [port], "ready": {"http": "/"}}
    live = stack({"web": web, "last": {**SLEEPS, "depends_on": {"web": {"condition": "ready", "restart": True}}}})
    with live.up("-d"):
        last = live.rows()["last"]["pid"]
        first = live.rows()["web"]["pid"]
        with caller(port, GET) as calls:
            (result,) = scale(live, web=3)
            assert (result["ok"], result["words"]) == (True, "3 replicas in place of 1")
            assert pids(live)[0] == first
            (result,) = scale(live, web=2)
            assert result["ok"]
            assert states(live) == ["running"] * 2
            assert live.run("reload").returncode == 0
            eventually(lambda: calls.answered > 3)
        row = live.rows()["web"]
        assert (row["pid"], row["replicas"], live.rows()["last"]["pid"]) == (first, None, last)
        assert (calls.refused, calls.cut, calls.late, calls.strange) == (0, 0, 0, [])
        live.write({"web": {**web, "replicas": 2}, "last": SLEEPS})
        assert "replicas" in live.run("reload").stdout
        assert (pids(live)[0], states(live)) == (first, ["running"] * 2)
        assert live.run("scale", "web=0").returncode == 2
        assert live.run("scale", "nobody=2").returncode == 4


@pytest.mark.parametrize("how", ["bpf", pytest.param("swap", marks=pytest.mark.long)], indirect=True)
def test_a_rolling_restart_and_a_crash_refuse_nobody(stack: Make, how: str) -> None:  # noqa: F811
    (port,) = free_pool(1)
    live = stack({})
    python = sys.executable if how == "bpf" else python_of_nobody(live.env)
    command = [python, str(PROGRAMS / "finishes.py")]
    live.write({"web": {"command": command, "pool": [port], "replicas": 3, "ready": {"http": "/"}, **AT_ONCE}})
    if how == "swap":
        for path in (live.folder, live.folder.parent):
            os.chown(path, 65534, 65534)
        live.command = lambda *words: [*AS_NOBODY, python, "-m", "supervisor", *words]  # type: ignore[method-assign]
    with up(live):
        before = pids(live)
        with caller(port, GET) as calls:
            results = live.do("restart", "web", rolling=True)
            assert [(name, result["ok"]) for name, result in results.items()] == [
                ("web.1", True), ("web.2", True), ("web.3", True),
            ]  # fmt: skip
            after = pids(live)
            assert not set(before) & set(after)
            assert (calls.refused, calls.cut, calls.late, calls.strange) == (0, 0, 0, [])
            assert not [fact for fact in live.journal() if fact.get("state") in ("starting", "terminating")
                        and fact["seq"] > live.journal("roll begins")[0]["seq"]]  # fmt: skip
            os.kill(after[1], signal.SIGKILL)
            eventually(lambda: pids(live)[1] not in (None, after[1]) and states(live) == ["running"] * 3)
            answered = calls.answered
            eventually(lambda: calls.answered > answered + 3)
        assert (calls.refused, calls.late, calls.strange) == (0, 0, [])
        assert [each["restarts"] for each in live.rows()["web"]["replicas"]] == [0, 1, 0]
        assert live.rows()["web"]["handoff"] == how


@pytest.mark.parametrize(
    ("how", "way"), each_once(("swap", "sysctl", "bpf"), ("binds", "given", "mptcp")), indirect=["how"]
)
def test_all_that_begin_to_listen_at_the_same_moment_are_ready(stack: Make, how: str, way: str) -> None:  # noqa: F811
    """Where no queue moves they have one socket; so they always have where it is given to them, and of MPTCP."""
    (port,) = free_pool(1)
    live = stack({})
    python = sys.executable if how == "bpf" else python_of_nobody(live.env)
    meeting = live.folder / "meeting"
    meeting.mkdir()
    command = [python, str(PROGRAMS / "listens_together.py"), str(meeting), "3", way]
    handoff = "systemd" if way == "given" else "auto"
    live.write({"web": {"command": command, "pool": [port], "replicas": 3, "handoff": handoff, **AT_ONCE}})
    if how != "bpf":
        for path in (meeting, live.folder, live.folder.parent):
            os.chown(path, 65534, 65534)
        live.command = lambda *words: [*AS_NOBODY, python, "-m", "supervisor", *words]  # type: ignore[method-assign]
    with up(live):
        assert [each["restarts"] for each in live.rows()["web"]["replicas"]] == [0, 0, 0]
        assert said(port) in pids(live)


def test_enough_replicas_are_enough(stack: Make) -> None:
    (port,) = free_pool(1)
    listens = " ".join(program("listens"))
    live = stack({
        "web": {"command": f"""sh -c '[ "$PORTSUP_REPLICA" = 2 ] && exit 7; exec {listens}'""", "pool": [port],
                "replicas": 3, "min_ready": 2, "restart_policy": {"max_restarts": 1, "delay": 0}},
        "last": {**SLEEPS, "depends_on": ["web"]},
    })  # fmt: skip
    with live.foreground() as front:
        front.says("is up")
        live.until("last", state="running")
        eventually(lambda: states(live) == ["running", "failed", "running"])
        row = live.rows()["web"]
        assert (row["state"], row["min_ready"], row["restarts"]) == ("running", 2, 1)
        assert row["replicas"][1]["exit_code"] == 7
        story = live.run("why", "web").stdout
        assert "replica 2 " in story
        assert "exit code 7" in story
        assert "`web.1`" not in live.run("why", "web.2").stdout
        live.write({
            "web": {"command": program("listens"), "pool": [port], "replicas": 3, "min_ready": 3},
            "last": SLEEPS,
        })  # fmt: skip
        live.run("reload")
        live.do("start", "web")
        assert states(live) == ["running"] * 3


def test_they_come_when_called_leave_when_idle_and_move_together(stack: Make) -> None:
    first, second = free_pool(2)
    web = {
        "command": program("listens"), "pool": [first, second], "replicas": 2, "start": "on-connect",
        "idle_stop": 0.3, "idle_min_up": 0,
    }  # fmt: skip
    live = stack({"web": web})
    with live.up("-d"):
        assert states(live) == ["idle"] * 2
        for _ in range(3):
            assert said(first)
            live.until("web", state="idle")
            eventually(lambda: states(live) == ["idle"] * 2)
        assert len(live.journal("service called")) >= 3
        with socket.create_connection(("127.0.0.1", first), timeout=20) as client:
            live.write({"web": {**web, "idle_stop": "1h"}})
            assert client.recv(100)
            assert live.run("reload").returncode == 0
        eventually(lambda: said(first) and states(live) == ["running"] * 2)
        before = pids(live)
        assert live.rotate("web")["ok"]
        assert not set(before) & set(pids(live))
        assert live.endpoints()["web"]["port"] == second
        assert live.rows()["web"]["rotations"] == 1
        assert said(second) in pids(live)


def test_replicas_without_a_port_and_what_cannot_be_many(stack: Make, tmp_path: Path) -> None:
    (port,) = free_pool(1)
    web = {"command": program("listens"), "pool": [port]}
    live = stack({"worker": notes(tmp_path / "notes", replicas=2), "web": web})
    with live.up("-d"):
        assert states(live, "worker") == ["running"] * 2
        assert live.run("kill", "-s", "KILL", "worker.2").stderr == "worker.2: SIGKILL sent\n"
        eventually(lambda: [each["restarts"] for each in live.rows()["worker"]["replicas"]] == [0, 1])
        live.do("stop", "worker.1")
        assert states(live, "worker")[0] == "stopped"
        live.do("stop", "worker")
        assert states(live, "worker") == ["stopped"] * 2
        assert live.rows()["worker"]["state"] == "stopped"
    live.write({"web": {**web, "replicas": 2}})
    refused = live.run("up", "-d", "--handoff", "off")
    assert (refused.returncode, "share a socket" in refused.stderr) == (2, True)


def test_who_follows_the_log_of_a_service_hears_replicas_that_come_later(stack: Make, tmp_path: Path) -> None:
    (port,) = free_pool(1)
    command = f"sh -c '{SAYS}; exec {' '.join(program('listens'))}'"
    live = stack({"web": {"command": command, "pool": [port]}})
    with live.up("-d"), (tmp_path / "told").open("w") as told:
        follower = live.popen("logs", "-f", "web", stdout=told)
        try:
            eventually(lambda: "replica" in (tmp_path / "told").read_text(), within=20)
            assert [each["ok"] for each in scale(live, web=3)] == [True]
            lines = [f"web.{number} | replica {number} of web" for number in (2, 3)]
            eventually(lambda: set(lines) <= set((tmp_path / "told").read_text().splitlines()), within=20)
        finally:
            follower.terminate()
            follower.wait(20)
        assert (tmp_path / "told").read_text().count("replica ") == 3, "nothing twice"


def test_without_the_handoff_there_can_be_one_replica_of_a_server(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port]}, "worker": SLEEPS})
    with live.up("-d", "--handoff", "off"):
        refused = live.run("scale", "web=2")
        assert refused.returncode == 2
        assert "cannot scale `web`: its replicas share a socket that portsup keeps" in refused.stderr
        assert "`--handoff off`" in refused.stderr
        assert live.rows()["web"]["state"] == "running"
        assert live.run("scale", "worker=2", "web=1").returncode == 0  # no socket to share
        assert len(pids(live, "worker")) == 2
