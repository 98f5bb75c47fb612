"""Programs that put themselves into the background, and forget whose they are: they end like all others."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Make, in_both_ways
from tests.live.stack import STOPPED, Live, is_alive, parent_of
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.rounds import each_once

pytestmark = pytest.mark.live

# A double fork with a session of its own, no environment, no descriptors, and another name.
FORGETFUL = """
import os, sys, time
if os.fork():
    os.wait()
    {then}
os.setsid()
if os.fork():
    os._exit(0)
os.closerange(0, 256)
os.execve(sys.executable, ["-", "-IS", "-c", {inner!r}], {{}})
"""
SERVES = """
import ctypes, os, socket, time
ctypes.CDLL(None).prctl(15, b"else", 0, 0, 0)
{become}
s = socket.socket(); s.setsockopt(1, 2, 1); s.bind(("127.0.0.1", {port})); s.listen()
open({told!r}, "a").write(f"{{os.getpid()}}\\\\n")
while True:
    s.accept()[0].send(str(os.getpid()).encode())
"""


def forgetful(folder: Path, port: int, then: str, become: str = "") -> list[str]:
    """A program whose daemon serves on a port and notes its pid; `then` is what its first process does after that."""
    inner = SERVES.format(port=port, told=str(folder / "told"), become=become).replace("\\\\n", "\\n")
    return [sys.executable, "-IS", "-c", FORGETFUL.format(inner=inner, then=then)]


def told(folder: Path) -> list[int]:
    """The pids that were noted."""
    file = folder / "told"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


@pytest.fixture(autouse=True)
def nobody_stays(tmp_path: Path) -> Iterator[None]:
    """Ends what these tests have started, should portsup not have done so."""
    yield
    for file in tmp_path.rglob("told"):
        for pid in told(file.parent):
            if is_alive(pid) and parent_of(pid) != os.getpid():
                os.kill(pid, signal.SIGKILL)


def service(command: Sequence[str], port: int, **more: Any) -> dict[str, Any]:
    return {"command": [word.replace("$", "$$") for word in command], "pool": [port], **more}


def noted(folder: Path, count: int) -> int:
    """The pid of the daemon number `count`, once it serves."""
    return eventually(lambda: told(folder)[count - 1 : count])[0]


@in_both_ways
def test_a_crash_ends_it_and_it_is_started_again(stack: Make) -> None:
    (port,) = free_pool(1)
    live = stack({})
    file = live.folder / "crash"
    wait = f"import pathlib\n    while not pathlib.Path({str(file)!r}).exists(): time.sleep(0.02)\n    os._exit(1)"
    live.write({"web": service(forgetful(live.folder, port, wait), port)})
    with live.up():
        first = noted(live.folder, 1)
        file.touch()
        eventually(lambda: not is_alive(first))
        file.unlink()
        second = noted(live.folder, 2)
        live.until("web", state="running", restarts=1)
        assert live.do("restart", "web")["web"]["ok"]
        third = noted(live.folder, 3)
        assert live.do("stop", "web")["web"].items() >= STOPPED
        eventually(lambda: not [pid for pid in (first, second, third) if is_alive(pid)])
        assert live.do("start", "web")["web"]["ok"]
        fourth = noted(live.folder, 4)
        assert live.run("down").returncode == 0
    eventually(lambda: not is_alive(fourth))
    live.leaves_nothing(port)


def kill_both(live: Live) -> None:
    """SIGKILL to the guardian and to the daemon; the guardian first, which could still clean up."""
    daemon = live.daemon()
    guardian = parent_of(daemon)
    for pid in (guardian, daemon):
        os.kill(pid, signal.SIGSTOP)
    for pid in (guardian, daemon):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_alive(daemon) and not is_alive(guardian))


AS_NOBODY = "os.setgid(65534); os.setuid(65534)"


@pytest.mark.parametrize(("finder", "who"), each_once(["up", "prune"], ["itself", "nobody"]))
@in_both_ways
def test_it_is_found_when_both_of_our_processes_were_killed(stack: Make, finder: str, who: str) -> None:
    if who == "nobody" and os.geteuid():
        pytest.skip("only root can become somebody else")
    (port,) = free_pool(1)
    live = stack({})
    (live.folder / "told").touch(0o666)
    (live.folder / "told").chmod(0o666)
    for folder in (live.folder, *live.folder.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    become = AS_NOBODY if who == "nobody" else ""
    live.write({"web": service(forgetful(live.folder, port, "time.sleep(1000)", become), port)})
    with live.up():
        pid = noted(live.folder, 1)
        kill_both(live)
        assert is_alive(pid)
        if finder == "prune":
            assert str(pid) in live.run("prune", "--dry-run").stdout
            assert live.run("prune", "--yes").returncode == 0
            assert not is_alive(pid)
        else:
            up = live.run("up", "-d")
            assert up.returncode == 0, up.stderr
            assert "left behind" in up.stderr
            assert str(pid) in up.stderr
            assert not is_alive(pid)
            assert live.rows()["web"]["port"] == port


def test_strangers_are_left_alone(stack: Make) -> None:
    """Also one of the same name, and one that runs in the environment of a service of another run."""
    live = stack({"web": {"command": ["sleep", "1000"]}})
    with live.up():
        pid = live.rows()["web"]["pid"]
        kill_both(live)
        eventually(lambda: not is_alive(pid))
        with stack({"web": {"command": ["sleep", "1000"]}}, folder="other").up("--instance", "2"):
            other = live.rows(2)["web"]["pid"]
            assert live.run("prune", "--yes").returncode == 0
            assert is_alive(other)
