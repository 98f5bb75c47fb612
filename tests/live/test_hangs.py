"""A daemon that does nothing any more is killed by its guardian, and nothing of what it ran is left."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, Live, is_alive
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="looks at processes as Linux shows them"),
]

# Any Python that starts with this loops for good when it gets the signal, in whatever it does.
LOOPS = """
import signal
def loop(*_):
    while True:
        pass
signal.signal(signal.SIGRTMIN, loop)
"""


def parent_of(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def hanging(stack: Make, seconds: str = "4", **more: object) -> tuple[Live, int]:
    """A stack whose daemon may be silent so long; its port."""
    (port,) = free_pool(1)
    live = stack({"web": {"command": program("listens"), "pool": [port]}, "other": more or SLEEPS})
    live.env["PORTSUP_HANG_TIMEOUT"] = seconds
    return live, port


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGRTMIN], ids=["stopped", "endless loop"])
def test_a_daemon_that_hangs_is_killed_with_all_that_it_ran(stack: Make, tmp_path: Path, number: int) -> None:
    (tmp_path / "sitecustomize.py").write_text(LOOPS)
    live, port = hanging(stack, command=program("leaves_session"), restart="never")
    live.env["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{live.env['PYTHONPATH']}"
    with live.foreground() as up:
        up.says("is up")
        daemon = live.daemon()
        grandchild = int(eventually(lambda: live.log("other").split())[1])
        pids = [row["pid"] for row in live.rows().values() if row["pid"]] + [grandchild]
        os.kill(daemon, number)
        assert up.ends(within=40) == 15
        assert not any(map(is_alive, pids))
        assert f"the portsup daemon (pid {daemon}) did nothing for 4 s: its guardian killed it, with all" in up.err
        (told,) = live.journal("daemon hung")
        assert (told["level"], told["pid"], told["silent_s"]) == ("error", daemon, 4.0)
    with live.up():
        assert live.rows()["web"]["port"] == port


def test_one_in_the_background_is_watched_too(stack: Make) -> None:
    live, _ = hanging(stack)
    with live.up():
        daemon, web = live.daemon(), live.rows()["web"]["pid"]
        guardian = parent_of(daemon)
        os.kill(daemon, signal.SIGSTOP)
        eventually(lambda: not any(map(is_alive, (daemon, web, guardian))), within=40)
        assert [told["pid"] for told in live.journal("daemon hung")] == [daemon]


def test_one_that_was_stopped_along_with_its_guardian_goes_on(stack: Make) -> None:
    """As by `docker pause` or kill -STOP: no time has passed for either."""
    live, _ = hanging(stack)
    with live.foreground() as up:
        up.says("is up")
        daemon = live.daemon()
        for pid in (up.process.pid, daemon):
            os.kill(pid, signal.SIGSTOP)
        eventually(lambda: (state_of(daemon), state_of(up.process.pid)) == ("T", "T"))
        time.sleep(4.5)  # more than it may be silent
        for pid in (up.process.pid, daemon):
            os.kill(pid, signal.SIGCONT)
        eventually(lambda: live.rows()["web"]["state"] == "running")
        os.kill(up.process.pid, signal.SIGSTOP)  # as by Ctrl-Z: the daemon goes on
        time.sleep(4.5)
        os.kill(up.process.pid, signal.SIGCONT)
        time.sleep(0.5)
        assert live.rows()["web"]["state"] == "running"
        assert is_alive(daemon)
        assert live.journal("daemon hung") == []


def test_nobody_watches_where_nobody_wants_it(stack: Make) -> None:
    live, _ = hanging(stack, "0")
    with live.foreground() as up:
        up.says("is up")
        daemon = live.daemon()
        os.kill(daemon, signal.SIGSTOP)
        time.sleep(3)
        assert up.process.poll() is None
        os.kill(daemon, signal.SIGCONT)
        assert live.rows()["web"]["state"] == "running"


@pytest.mark.parametrize(
    ("text", "why"), [("soon", "is not a duration"), ("0.2", "is below 1 s"), ("-1", "not a duration")]
)
def test_a_time_that_cannot_be_meant_is_refused(stack: Make, text: str, why: str) -> None:
    live, _ = hanging(stack, text)
    ran = live.run("up", "-d")
    assert ran.returncode == 2
    assert "cannot use PORTSUP_HANG_TIMEOUT" in ran.stderr
    assert why in ran.stderr
    assert "hint: 0 switches it off" in ran.stderr


def test_the_guardian_is_small_and_sleeps(stack: Make) -> None:
    live, _ = hanging(stack, "60")
    with live.foreground() as up:
        up.says("is up")
        guardian = up.process.pid
        kilobytes = memory_of(guardian)
        assert kilobytes("Private_Dirty") + kilobytes("Private_Clean") < 10 * 1024, sys.version
        loaded = Path(f"/proc/{guardian}/maps").read_text()
        assert "_asyncio" not in loaded
        eventually(lambda: sleeps_for(guardian, 1.5), within=15, what="a guardian that nothing wakes")


def memory_of(pid: int) -> Callable[[str], int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    found = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return found.__getitem__


def sleeps_for(pid: int, seconds: float) -> bool:
    before = wakeups_of(pid)
    time.sleep(seconds)
    return wakeups_of(pid) == before


def wakeups_of(pid: int) -> int:
    line = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("voluntary"))
    return int(line.split()[1])
