"""Ports that are handed over to programs as sockets: nobody else gets them, and no client is refused."""

import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
from operator import le
from pathlib import Path

import pytest

from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live, answer_of, is_alive
from tests.support.caller import caller
from tests.support.compiled import compiled
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import PROGRAMS, program
from tests.support.thief import as_user, thief, ways_in

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]

AT_ONCE = {"restart_policy": {"delay": 0, "max_restarts": 1000}}


def kill(stack: Live, name: str) -> int:
    """SIGKILL the process of a service, and wait for the next one; its pid."""
    before = stack.until(name, state="running")["pid"]
    os.kill(before, signal.SIGKILL)
    row = eventually(lambda: (row := stack.rows()[name])["state"] == "running" and row["pid"] != before and row)
    return int(row["pid"])


def test_nobody_gets_the_port_of_a_service_that_crashes_and_restarts(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port], **AT_ONCE}})
    with live.up():
        with thief([port]) as loot:
            for _ in range(15):
                kill(live, "web")
            live.do("restart", "web")
        assert loot.won == {}
        assert loot.tries > 1000
        assert live.rows()["web"]["port"] == port


def test_no_client_is_refused_while_a_service_crashes_and_restarts(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port], **AT_ONCE}})
    with live.up():
        with caller(port) as calls:
            for _ in range(15):
                kill(live, "web")
            for _ in range(3):
                live.do("restart", "web")
        assert (calls.refused, calls.late, calls.strange) == (0, 0, [])
        assert calls.cut <= 18
        assert calls.answered > 18


def test_who_connects_between_two_processes_is_answered_by_the_next(stack: Make) -> None:
    (port,) = free_pool(1)
    policy = {"restart_policy": {"delay": "1s"}}
    live = stack({"web": {"command": program("listens"), "pool": [port], **policy}})
    with live.up():
        before = live.rows()["web"]["pid"]
        os.kill(before, signal.SIGKILL)
        live.until("web", state="backoff")
        with socket.create_connection(("127.0.0.1", port), 10) as waiting:
            assert int(waiting.recv(64)) == live.until("web", state="running")["pid"] != before


def test_a_stopped_service_refuses_at_once_and_keeps_its_port(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port]}})
    with live.up():
        live.do("stop", "web")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1)
        assert ways_in(port) == []
        live.do("start", "web")
        assert answer_of(port) == str(live.rows()["web"]["pid"])


def test_a_service_that_gives_up_refuses_at_once_and_keeps_its_port(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port], "restart": "never"}, "other": SLEEPS})
    with live.up():
        os.kill(live.rows()["web"]["pid"], signal.SIGKILL)
        live.until("web", state="failed")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1)
        assert ways_in(port) == []


def test_without_handoff_everything_works_too(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port], "handoff": "off", **AT_ONCE}})
    with live.up():
        assert live.rows()["web"]["handoff"] == "off"
        kill(live, "web")
        assert answer_of(port) == str(live.rows()["web"]["pid"])
    live.write({"web": {"command": program("listens"), "pool": [port]}})
    with live.up():
        assert live.rows()["web"]["handoff"] in ("bpf", "sysctl", "swap")
    with live.up("--handoff", "off"):
        assert live.rows()["web"]["handoff"] == "off"
        assert answer_of(port) == str(live.rows()["web"]["pid"])


def test_the_end_of_a_service_is_the_end_of_its_last_process(stack: Make) -> None:
    """A child in a session of its own that ignores SIGTERM does not escape, nor hide the end."""
    live = stack({"job": {"command": program("leaves_session"), "restart": "never"}, "other": SLEEPS})
    with live.up():
        pid = int(eventually(lambda: live.log("job").split())[1])
        os.kill(live.rows()["job"]["pid"], signal.SIGKILL)
        live.until("job", state="failed")
        assert not is_alive(pid)


AS_NOBODY = as_user(65534)


def python_of_nobody(env: dict[str, str]) -> str:
    """A Python that an ordinary user can run portsup with; skips the test where there is none."""
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("root becomes an ordinary user by setpriv")
    installed = [path for path in sys.path if "site-packages" in path]
    env["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([*env["PYTHONPATH"].split(os.pathsep), *installed]))
    for python in (sys.executable, "/usr/bin/python3"):
        if nobody_can_run(python, env["PYTHONPATH"]):
            return python
    pytest.skip("no Python here that an ordinary user can run portsup with")


@functools.cache
def nobody_can_run(python: str, path: str) -> bool:
    """Whether an ordinary user can run portsup with this Python, which takes the half of a second to find out."""
    check = "import os, sys, portalocker, psutil, structlog, yaml; sys.exit(not os.access(sys.executable, os.X_OK))"
    env = {**os.environ, "PYTHONPATH": path}
    return subprocess.run([*AS_NOBODY, python, "-c", check], env=env, cwd="/", capture_output=True).returncode == 0


def test_an_ordinary_user_can_have_it_too(stack: Make) -> None:
    """Crash, restart, rotation and stop without any capability, under no_new_privs."""
    first, second = free_pool(2)
    live = stack({})
    python = python_of_nobody(live.env)
    web = {"command": [python, str(PROGRAMS / "listens.py")], "pool": [first, second], **AT_ONCE}
    live.write({"web": web})
    for path in (live.folder, live.folder.parent):
        os.chown(path, 65534, 65534)
    live.command = lambda *words: [*AS_NOBODY, python, "-m", "supervisor", *words]  # type: ignore[method-assign]
    with live.foreground() as up:
        up.says("is up")
        with thief([first, second]) as loot, caller(first) as calls:
            for _ in range(5):
                before = live.status()["web"]["pid"]
                os.kill(before, signal.SIGKILL)
                eventually(lambda before=before: live.status()["web"]["pid"] not in (before, None))  # type: ignore[misc]
            assert live.run("restart", "web").returncode == 0
        assert (loot.won, calls.refused, calls.late, calls.strange) == ({}, 0, 0, [])
        assert calls.answered > 6
        process = Path(f"/proc/{live.status()['web']['pid']}/status").read_text()
        assert "NoNewPrivs:\t1\n" in process
        assert "CapEff:\t0000000000000000\n" in process
        assert "Uid:\t65534\t65534\t65534\t65534\n" in process
        with thief([first, second]) as loot:
            assert live.run("rotate", "web").returncode == 0
            assert answer_of(second) == str(live.status()["web"]["pid"])
            assert live.run("stop", "web").returncode == 0
        assert loot.won == {}
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", second), 1)
        up.send(signal.SIGTERM)
        assert up.ends() == 0
        os.chown(live.runtime, 0, 0)


def test_a_call_that_waits_for_a_killed_daemon_fails_instead_of_hanging(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port]}})
    with live.foreground() as up:
        up.says("is up")
        daemon, web = live.daemon(), live.rows()["web"]["pid"]
        os.kill(daemon, signal.SIGKILL)
        eventually(lambda: not is_alive(web), within=2)
        assert up.ends() == 128 + signal.SIGKILL


@pytest.mark.parametrize("handoff", ["auto", "off"])
def test_nothing_leaks_over_many_restarts(stack: Make, own_folders: Path, handoff: str) -> None:
    """`python -m benchmarks.growth` does ten thousand of them."""
    (port,) = free_pool(1)
    server = [str(compiled("server", own_folders))]
    live = stack({"web": {"command": server, "pool": [port], "handoff": handoff, **AT_ONCE}})

    def held() -> tuple[int, int, int]:
        files = [path for path in live.runtime.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        return len(os.listdir(f"/proc/{live.daemon()}/fd")), len(files), size

    with live.up():
        kill(live, "web")
        before = held()
        for _ in range(30):
            kill(live, "web")
            live.do("restart", "web")
        eventually(lambda: all(map(le, held(), before)), what=f"no more than {before}")
