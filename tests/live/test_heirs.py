"""Servers that put themselves into the background, or replace themselves: who is left stands for the service."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.live.conftest import Make, in_both_ways
from tests.live.stack import SLEEPS, Live, answer_of, is_alive
from tests.support.eventually import eventually
from tests.support.needed import need_program
from tests.support.ports import free_pool

pytestmark = pytest.mark.live

HTTP = b"GET / HTTP/1.0\r\n\r\n"


def _others(live: Live, pids: list[int]) -> int:
    """The main process, once it is none of these."""
    return next((row["pid"] for row in live.rows().values() if row["pid"] not in pids), 0)


# Binds, and hands its socket to a new program of the same kind; the one before ends well.
FLIPS = """
import os, signal, socket, sys, time
generation = int(os.environ.get("GENERATION", "0"))
if "FD" in os.environ:
    s = socket.socket(fileno=int(os.environ["FD"]))
else:
    s = socket.socket(); s.setsockopt(1, 2, 1); s.bind(("127.0.0.1", int(os.environ["PORT"]))); s.listen()
def flip(*_):
    os.set_inheritable(s.fileno(), True)
    if os.fork() == 0:
        environment = os.environ | {"FD": str(s.fileno()), "GENERATION": str(generation + 1)}
        os.execve(sys.executable, [sys.executable, "-IS", sys.argv[0]], environment)
    os._exit(0)
signal.signal(signal.SIGHUP, flip)
if generation < int(sys.argv[1] if len(sys.argv) > 1 else 0):
    flip()
while True:
    s.accept()[0].send(str(os.getpid()).encode())
"""


def _other_pid(file: Path, old: int) -> int:
    found = int(file.read_text() or 0)
    return found if found != old else 0


@in_both_ways
def test_whoever_inherits_the_listening_socket_goes_on(stack: Make) -> None:
    """As with tableflip; again and again, and before the first one was ready."""
    (port,) = free_pool(1)
    live = stack({})
    (live.folder / "flips.py").write_text(FLIPS)
    live.write({"web": {"command": [sys.executable, "-IS", "flips.py", "1"], "pool": [port]}})
    with live.up():
        live.until("web", state="running")
        pids = [eventually(lambda: _who_serves(live, port), within=20)]
        for _ in range(2):
            eventually(lambda: _who_serves(live, port) == pids[-1], within=20)
            os.kill(pids[-1], signal.SIGHUP)
            pids.append(eventually(lambda: _others(live, pids)))
        assert live.rows()["web"]["restarts"] == 0
        os.kill(pids[-1], signal.SIGTERM)
        live.until("web", state="running", restarts=1)


def _who_serves(live: Live, port: int) -> int | None:
    """The main process, if it is the one that answers: the one before it serves until its heir does."""
    pid: int = live.rows()["web"]["pid"]
    return pid if answer_of(port) == str(pid) else None


@in_both_ways
def test_a_program_that_ends_well_and_leaves_nobody_who_listens_has_ended(stack: Make) -> None:
    (port,) = free_pool(1)
    serves = (
        "import os, socket, sys; s = socket.socket(); s.setsockopt(1, 2, 1);"
        f" s.bind(('127.0.0.1', {port})); s.listen(); os.system('setsid sleep 1000 &'); s.accept(); os._exit(0)"
    )
    live = stack({"web": {"command": [sys.executable, "-IS", "-c", serves], "pool": [port]}, "other": SLEEPS})
    with live.up():
        live.until("web", state="running")
        socket.create_connection(("127.0.0.1", port)).close()
        live.until("web", state="exited")


def test_a_pid_file_names_the_heir_of_a_service_without_ports(stack: Make) -> None:
    live = stack({})
    daemon = "import os, time; open('d.pid', 'w').write(f'{os.getpid()}\\n'); time.sleep(1000)"
    command = [
        "sh",
        "-c",
        f'rm -f d.pid; setsid env -i {sys.executable} -c "{daemon}" & until [ -s d.pid ]; do :; done',
    ]
    live.write({"web": {"command": command, "pid_file": "d.pid"}})
    with live.up():
        pid = eventually(lambda: _other_pid(live.folder / "d.pid", 0))
        live.until("web", state="running", pid=pid)
        os.kill(pid, signal.SIGKILL)
        again = eventually(lambda: _other_pid(live.folder / "d.pid", pid))
        live.until("web", state="running", pid=again, restarts=1)
        assert live.do("stop", "web")["web"]["ok"]
        eventually(lambda: not is_alive(again))


@pytest.mark.parametrize("says", ["1", "not a pid", "", "999999999999999"])
def test_a_pid_file_that_names_no_process_of_the_service_is_not_believed(stack: Make, says: str) -> None:
    live = stack({})
    (live.folder / "d.pid").write_text(says)
    command = ["sh", "-c", "setsid sleep 1000 & exit 0"]
    live.write({"web": {"command": command, "pid_file": "d.pid", "restart": "never"}, "other": SLEEPS})
    with live.up():
        live.until("web", state="exited")


def test_what_it_comes_to_is_said(stack: Make) -> None:
    need_program("redis-server")
    (port,) = free_pool(1)
    live = stack({"web": {"command": "redis-server --port {port} --daemonize yes --save ''", "pool": [port]}})
    with live.foreground() as up:
        up.says("is up")
        (told,) = eventually(lambda: live.journal("main process told"))
        up.says(f"web: goes on as pid {told['pid']}, it listens on port {port}")
        live.until("web", state="running", pid=told["pid"])
