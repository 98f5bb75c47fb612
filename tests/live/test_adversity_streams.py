"""Streams that are closed, full, or read by nobody: a stack starts, and ends, all the same."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.live.stack import SLEEPS, Live, is_alive
from tests.support.eventually import eventually

pytestmark = pytest.mark.live

NOISY = {"command": ["yes"], "ready": "started", "logging": {"max_size": "1MB", "backups": 1}}
LEAVES = {"command": ["sh", "-c", "(setsid sleep 1000 &) ; echo left; exec sleep 1000"], "ready": {"log": "left"}}


def shell(stack: Live, text: str, within: float = 60.0) -> subprocess.CompletedProcess[str]:
    """`text` as a shell does it, with $portsup for portsup."""
    portsup = " ".join(stack.command())
    return subprocess.run(
        ["bash", "-c", f'portsup="{portsup}"; {text}'], cwd=stack.folder, env=stack.env, capture_output=True, text=True,
        timeout=within, check=False,
    )  # fmt: skip


def children(stack: Live, name: str) -> list[int]:
    """The processes of the stack that have this name."""
    marked = f"PORTSUP_SOCKET={stack.runtime}/".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "comm").read_text().strip() == name:
                found += [int(entry.name)] if marked in (entry / "environ").read_bytes() else []
        except OSError:
            continue
    return [pid for pid in found if is_alive(pid)]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_every_command_works_without_streams(tmp_path: Path, closed: str) -> None:
    stack = Live(tmp_path, {"web": SLEEPS})
    try:
        assert shell(stack, f"$portsup up -d {closed}").returncode == 0
        for command in ("status", "status --format json", "ls", "env", "logs", "down"):
            assert shell(stack, f"$portsup {command} {closed}").returncode == 0, command
        stack.ended()
    finally:
        stack.end()
    assert not (stack.state / "reports").exists()


def test_a_full_disk_under_the_output_ends_no_stack(tmp_path: Path) -> None:
    stack = Live(tmp_path, {"web": SLEEPS, "noisy": NOISY})
    with stack.foreground(stdout=os.open("/dev/full", os.O_WRONLY)) as up:
        up.says("is up")
        time.sleep(0.5)
        assert up.process.poll() is None
        assert stack.rows()["web"]["state"] == "running"
        up.send(signal.SIGINT)
        assert up.ends() == 0


def test_a_reader_that_leaves_ends_a_quiet_stack_too(tmp_path: Path) -> None:
    stack = Live(tmp_path, {"web": SLEEPS})
    theirs, ours = os.pipe()
    with stack.foreground(stdout=ours) as up:
        os.close(ours)
        up.says("is up")
        os.close(theirs)
        assert up.ends(within=5) == 0
    stack.leaves_nothing()


def test_what_a_killed_daemon_leaves_is_ended_though_nobody_reads_the_output(tmp_path: Path) -> None:
    stack = Live(tmp_path, {"noisy": NOISY, "leaves": LEAVES})
    theirs, ours = os.pipe()
    with stack.foreground(stdout=ours) as up:
        os.close(ours)
        stack.until("leaves", state="running")
        eventually(lambda: "pipe" in Path(f"/proc/{up.process.pid}/wchan").read_text(), within=5, what="a full pipe")
        os.kill(stack.daemon(), signal.SIGKILL)
        eventually(lambda: not children(stack, "sleep") and not children(stack, "yes"), within=2, what="their end")
        up.send(signal.SIGTERM)
        assert up.ends(within=2) == -signal.SIGTERM
    os.close(theirs)


def test_an_interrupt_before_anything_has_begun_needs_no_words(tmp_path: Path) -> None:
    stack = Live(tmp_path, {"web": SLEEPS})
    for wait in (0, 0.02, 0.04, 0.08):
        with stack.foreground() as up:
            task = Path(f"/proc/{up.process.pid}/task/{up.process.pid}/children")
            eventually(lambda task=task: task.read_text(), within=5, what="a daemon")  # type: ignore[misc]
            time.sleep(wait)
            up.send(signal.SIGINT)
            assert up.ends(within=5) in (0, 130, -signal.SIGINT)
            assert "error" not in up.err
            assert "Traceback" not in up.err
    with stack.up():  # a record of one that was ended before it could clean up goes with the next run
        assert [info.instance for info in stack.infos()] == [1]
    stack.leaves_nothing()


def test_ctrl_c_ends_a_daemon_that_somebody_stopped(tmp_path: Path) -> None:
    stack = Live(tmp_path, {"web": SLEEPS})
    with stack.foreground() as up:
        up.says("is up")
        os.kill(stack.daemon(), signal.SIGSTOP)
        up.send(signal.SIGINT)
        assert up.ends(within=5) == 0


def test_a_service_that_is_stopped_by_a_signal_still_ends_within_its_grace(tmp_path: Path) -> None:
    stack = Live(tmp_path, {"web": {**SLEEPS, "stop_grace_period": "1000s"}})
    with stack.up():
        os.kill(stack.until("web", state="running")["pid"], signal.SIGSTOP)
        assert stack.run("stop", "web").returncode == 0


@pytest.mark.parametrize("what", ["-f /dev/stdin", "-f <(cat services.yaml)", "-f pipe"])
def test_a_file_that_can_be_read_once_only_is_refused_in_words(tmp_path: Path, what: str) -> None:
    stack = Live(tmp_path, {"web": SLEEPS})
    os.mkfifo(tmp_path / "pipe")
    ran = shell(stack, f"$portsup {what} up -d < services.yaml")
    assert ran.returncode == 2
    assert "no regular file" in ran.stderr or "there is no such file" in ran.stderr
    assert "empty" not in ran.stderr


def test_up_in_the_background_tells_of_a_guardian_that_was_killed(tmp_path: Path) -> None:
    kills = "p=$(cut -d' ' -f4 /proc/$PPID/stat); kill -9 $p $PPID"
    stack = Live(tmp_path, {"web": {"command": ["bash", "-c", kills], "ready": {"log": "never"}}})
    ran = stack.run("up", "-d", within=20)
    assert ran.returncode == 137
    assert "error: cannot tell whether the stack is up: portsup in the background (pid" in ran.stderr
