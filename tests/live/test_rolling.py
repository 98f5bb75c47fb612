"""Services that are restarted rolling: the new process is ready before the old one is asked to stop."""

import os
import signal
import socket
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from supervisor.control.protocol import request
from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live, is_alive
from tests.support.caller import caller
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]

GET = b"GET / HTTP/1.0\r\n\r\n"


def web(stack: Make, mode: Path, **more: Any) -> tuple[Live, int]:
    """A stack with one HTTP server, whose next process does what is in `mode`; its port."""
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("finishes", str(mode)), "pool": [port], **more}, "other": SLEEPS})
    return live, port


def roll(live: Live, *services: str, **arguments: Any) -> dict[str, dict[str, Any]]:
    return live.do("restart", *services, rolling=True, **arguments)


def begin_roll(live: Live, service: str = "web") -> dict[str, Any]:
    """Begins one that does not end by itself for now; the row of the service with both pids."""
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(os.fspath(live.runtime / "t-1.sock"))
        control.sendall(request("restart", services=[service], rolling=True))
        row: dict[str, Any] = eventually(lambda: (row := live.rows()[service])["beside"] and row)
        return row


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def fetched(port: int) -> str:
    """What a GET of / answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return str(answer.read().decode())


def test_every_kind_of_readiness_hands_on(stack: Make) -> None:
    kinds = [{"http": "/"}, {"tcp": True}, {"log": "serving"}, "started", {"exec": ["true"]}]
    ports = free_pool(len(kinds))
    serves = {"command": program("finishes")}
    live = stack({
        f"web{number}": {**serves, "pool": [port], "ready": kind}
        for number, (port, kind) in enumerate(zip(ports, kinds, strict=True))
    })  # fmt: skip
    with live.up(), ExitStack() as around:
        eventually(lambda: all(map(answers, ports)))
        clients = [around.enter_context(caller(port, GET)) for port in ports]
        before = {name: row["pid"] for name, row in live.rows().items()}
        assert all(result["ok"] for result in roll(live, *before).values())
        after = {name: row["pid"] for name, row in live.rows().items()}
        assert not any(map(is_alive, before.values()))
        assert set(after.values()) & set(before.values()) == set()
        eventually(lambda: all(calls.answered > 3 for calls in clients))
    assert {(calls.refused, calls.cut, calls.late, *calls.strange) for calls in clients} == {(0, 0, 0)}


def test_a_new_process_that_is_no_good_leaves_the_old_one_in_service(stack: Make, tmp_path: Path) -> None:
    cases: dict[str, tuple[str, Any, str]] = {
        "ends": ("exit", {"listening": True, "timeout": 20}, "exit code 3 before it was ready"),
        "deaf": ("never", {"listening": True, "timeout": 2}, "not ready within 2 s: nothing listens on port"),
        "mute": ("half", {"log": "serving", "timeout": 2}, "not ready within 2 s"),
    }
    ports = free_pool(len(cases))
    live = stack({
        name: {"command": program("finishes", str(tmp_path / name)), "pool": [port], "ready": ready}
        for port, (name, (_, ready, _)) in zip(ports, cases.items(), strict=True)
    })  # fmt: skip
    with live.up(), ExitStack() as around:
        clients = [around.enter_context(caller(port, GET)) for port in ports]
        before = {name: row["pid"] for name, row in live.rows().items()}
        for name, (mode, _, why) in cases.items():
            (tmp_path / name).write_text(mode)
            if name == "ends":
                ran = live.run("restart", "--rolling", name)
                assert (ran.returncode, f"error: {name}: not replaced: {why}" in ran.stderr) == (1, True)
                assert f"pid {before[name]} stays in service" in ran.stderr
            else:
                result = roll(live, name)[name]
                assert not result["ok"]
                assert f"not replaced: {why}" in result["words"]
            row = live.rows()[name]
            assert (row["state"], row["pid"], row["restarts"], row["beside"]) == ("running", before[name], 0, None)
        answered = [calls.answered for calls in clients]
        eventually(lambda: all(each.answered > then for each, then in zip(clients, answered, strict=True)))
    assert {(calls.refused, calls.cut, calls.late, *calls.strange) for calls in clients} == {(0, 0, 0)}


def test_an_old_process_that_ignores_sigterm_is_killed_after_its_grace(stack: Make, tmp_path: Path) -> None:
    (tmp_path / "mode").write_text("stubborn")
    live, port = web(stack, tmp_path / "mode", stop_grace_period="0.3s")
    with live.up():
        before = live.rows()["web"]["pid"]
        (tmp_path / "mode").write_text("")
        assert roll(live, "web")["web"]["ok"]
        assert not is_alive(before)
        assert fetched(port) == str(live.rows()["web"]["pid"])
        assert [fact["pid"] for fact in live.journal("grace period over")] == [before]


def test_a_second_roll_is_refused_while_one_is_under_way(stack: Make, tmp_path: Path) -> None:
    live, _ = web(stack, tmp_path / "mode", ready={"log": "serving"})
    with live.up():
        (tmp_path / "mode").write_text("half")
        row = begin_roll(live)
        assert (row["state"], row["beside"]["state"]) == ("running", "starting")
        shown = live.run("status")
        words = f"web: rolling restart: pid {row['beside']['pid']} starts, pid {row['pid']} still serves"
        assert (shown.returncode, shown.stderr.strip()) == (0, words)
        ran = live.run("restart", "--rolling", "web")
        assert (ran.returncode, "a rolling restart is under way" in ran.stderr) == (1, True)


@pytest.mark.parametrize("deed", ["stop", "kill", "restart", "rotate", "down"])
def test_what_ends_a_service_in_the_middle_of_a_roll_ends_both_processes(
    stack: Make, tmp_path: Path, deed: str
) -> None:
    ports = free_pool(2)
    command = program("finishes", str(tmp_path / "mode"))
    live = stack({"web": {"command": command, "pool": ports, "ready": {"log": "serving"}}, "other": SLEEPS})
    with live.up():
        (tmp_path / "mode").write_text("half")
        row = begin_roll(live)
        both = (row["pid"], row["beside"]["pid"])
        (tmp_path / "mode").write_text("")
        match deed:
            case "down":
                list(live.client().stream("down"))
                live.ended()
                live.leaves_nothing(*ports)
            case "kill":
                os.kill(both[0], signal.SIGKILL)
                now = live.until("web", pid=both[1], state="starting")
                assert (now["restarts"], now["beside"]) == (1, None)
                live.do("stop", "web")
            case "rotate":
                assert live.rotate("web")["ok"]
                assert live.rows()["web"]["port"] == ports[1]
            case _:
                live.do(deed, "web")
        eventually(lambda: not any(map(is_alive, both)), within=3)
        if deed in ("restart", "rotate"):
            assert live.until("web", state="running")["pid"] not in both


def test_a_new_process_that_crashes_while_the_old_one_leaves_is_started_again(stack: Make, tmp_path: Path) -> None:
    (tmp_path / "mode").write_text("stubborn")
    live, port = web(stack, tmp_path / "mode", stop_grace_period="0.5s", restart_policy={"delay": 0})
    with live.up(), caller(port, GET) as calls:
        old = live.rows()["web"]["pid"]
        (tmp_path / "mode").write_text("")
        begin_roll(live)
        new = int(eventually(lambda: (row := live.rows()["web"])["pid"] != old and row["pid"]))
        os.kill(new, signal.SIGKILL)
        row = eventually(lambda: (row := live.rows()["web"])["state"] == "running" and row["restarts"] == 1 and row)
        assert row["pid"] not in (old, new)
        eventually(lambda: not is_alive(old))
        answered = calls.answered
        eventually(lambda: calls.answered > answered + 3)
    assert (calls.refused, calls.late, calls.strange) == (0, 0, [])


@pytest.mark.parametrize("victim", ["daemon", "guardian"])
def test_nothing_is_left_when_portsup_is_killed_in_the_middle_of_a_roll(
    stack: Make, tmp_path: Path, victim: str
) -> None:
    live, port = web(stack, tmp_path / "mode", ready={"log": "serving"})
    with live.foreground() as up:
        up.says("is up")
        (tmp_path / "mode").write_text("half")
        row = begin_roll(live)
        os.kill(live.daemon() if victim == "daemon" else up.process.pid, signal.SIGKILL)
        eventually(lambda: not any(map(is_alive, (row["pid"], row["beside"]["pid"]))), within=2)
        live.ended()
    (tmp_path / "mode").unlink()
    with live.up():
        assert live.rows()["web"]["port"] == port


def test_a_lost_lock_kills_both_processes(stack: Make, tmp_path: Path) -> None:
    live, port = web(stack, tmp_path / "mode", ready={"log": "serving"})
    with live.foreground() as up:
        up.says("is up")
        (tmp_path / "mode").write_text("half")
        row = begin_roll(live)
        (live.runtime / "ports" / f"{port}.lock").unlink()
        assert up.ends() == 13
        assert not any(map(is_alive, (row["pid"], row["beside"]["pid"])))


def test_several_services_go_one_after_another_and_those_that_depend_on_them_stay(stack: Make, tmp_path: Path) -> None:
    first, second, third = free_pool(3)
    serves = {"command": program("finishes", str(tmp_path / "mode"))}
    live = stack({
        "front": {**serves, "pool": [second], "depends_on": ["back"]}, "back": {**serves, "pool": [first]},
        "user": {**serves, "pool": [third], "depends_on": ["back"]},
    })  # fmt: skip
    with live.up():
        before = {name: row["pid"] for name, row in live.rows().items()}
        assert all(result["ok"] for result in roll(live, "front", "back").values())
        after = {name: row["pid"] for name, row in live.rows().items()}
        assert {name for name in after if after[name] == before[name]} == {"user"}
        handed = [fact["service"] for fact in live.journal("roll hands on")]
        assert handed == ["back", "front"]
        (tmp_path / "mode").write_text("exit")
        results = roll(live, "front", "back")
        assert (results["back"]["ok"], results["front"]["words"]) == (False, "not restarted, because `back` was not")


def test_without_a_kept_socket_nothing_is_begun(stack: Make, tmp_path: Path) -> None:
    live, _ = web(stack, tmp_path / "mode", handoff="off")
    with live.up():
        before = live.rows()["web"]["pid"]
        ran = live.run("restart", "--rolling", "web")
        assert ran.returncode == 1
        assert "error: cannot restart `web` rolling: two processes can share its port only where" in ran.stderr
        assert "the handoff is off" in ran.stderr
        assert "hint: " in ran.stderr
        assert live.rows()["web"]["pid"] == before
        other = live.rows()["other"]["pid"]
        assert roll(live, "other")["other"]["ok"], "a service without a port needs no socket"
        assert live.rows()["other"]["pid"] != other


def test_a_service_that_does_not_run_can_not_be_restarted_rolling(stack: Make, tmp_path: Path) -> None:
    live, _ = web(stack, tmp_path / "mode")
    with live.up():
        live.do("stop", "web")
        ran = live.run("restart", "--rolling", "web", "other")
        assert (ran.returncode, "it is stopped, not running" in ran.stderr) == (1, True)


def test_a_new_process_in_sessions_of_its_own_is_told_apart_from_the_old_one(stack: Make, tmp_path: Path) -> None:
    """What the old one has left behind in another session is not touched when a bad successor is killed."""
    script = tmp_path / "both.sh"
    script.write_text(
        f'[ -e {tmp_path}/bad ] && {{ setsid sleep 1000 & echo "child $!"; exit 3; }}\n'
        f'( setsid sleep 1000 & echo "child $!" )\nexec {sys.executable} {program("finishes")[-1]}\n'
    )
    (port,) = free_pool(1)
    live = stack({"web": {"command": ["sh", str(script)], "pool": [port]}, "other": SLEEPS})
    with live.up():
        (child,) = (int(line.split()[1]) for line in live.log("web").splitlines() if line.startswith("child"))
        (tmp_path / "bad").touch()
        assert not roll(live, "web")["web"]["ok"]
        lines = [line.split()[1] for line in live.log("web").splitlines() if line.startswith("child")]
        assert len(lines) == 2
        eventually(lambda: not is_alive(int(lines[1])))
        assert is_alive(child)
        assert fetched(port) == str(live.rows()["web"]["pid"])
