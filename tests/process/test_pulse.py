"""The guardian's judgement of a daemon's silence, with a clock and an alarm that are made up."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from supervisor.process.pulse import HangDetector, Pulse


class Clock:
    """Monotonic time, and the one alarm that is set."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.alarm = 0.0

    def monotonic(self) -> float:
        return self.now

    def set(self, which: int, seconds: float) -> None:
        assert which == signal.ITIMER_REAL
        self.alarm = self.now + seconds if seconds else 0.0


class Scene:
    """A guardian and a daemon of which only the signs of life are real."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.killed: list[tuple[int, int]] = []
        self.is_traced = False
        self.pulse = Pulse(60.0)
        self.watch: HangDetector

    def until_alarm(self, late: float = 0.0) -> None:
        """Time passes until the guardian is woken, or longer if it is stopped."""
        self.clock.now = self.clock.alarm + late
        self.watch._look()


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    clock = Clock()
    made = Scene(clock)
    monkeypatch.setattr("supervisor.process.pulse.time.monotonic", clock.monotonic)
    monkeypatch.setattr("supervisor.process.pulse.signal.setitimer", clock.set)
    monkeypatch.setattr("supervisor.process.pulse.signal.signal", lambda *_: None)
    monkeypatch.setattr("supervisor.process.pulse.os.kill", lambda pid, number: made.killed.append((pid, number)))
    monkeypatch.setattr("supervisor.process.pulse.system.is_traced", lambda pid: made.is_traced)
    made.watch = HangDetector(77, made.pulse)
    return made


def test_a_daemon_that_is_silent_for_too_long_is_killed(scene: Scene) -> None:
    scene.pulse.beat()
    scene.until_alarm()
    assert (scene.killed, scene.clock.alarm) == ([], 1066.0)
    scene.until_alarm()
    assert scene.killed == [(77, signal.SIGKILL)]
    assert scene.watch.has_killed


def test_one_look_a_minute_is_enough_for_a_daemon_that_lives(scene: Scene) -> None:
    for _ in range(3):
        scene.pulse.beat()
        before = scene.clock.now
        scene.clock.now += 50.0
        scene.pulse.beat()
        scene.clock.now = before
        scene.until_alarm()
        assert scene.clock.alarm == before + 110.0
        scene.until_alarm()
        scene.pulse.beat()
        scene.until_alarm()
    assert scene.killed == []


def test_a_daemon_that_has_not_begun_may_take_its_time(scene: Scene) -> None:
    for _ in range(10):
        scene.until_alarm()
    assert scene.killed == []


def test_a_guardian_that_was_stopped_too_looks_again(scene: Scene) -> None:
    scene.pulse.beat()
    scene.until_alarm(late=3600.0)
    scene.until_alarm(late=3600.0)
    assert scene.killed == [], "both were stopped, and the daemon may need a moment"
    scene.pulse.beat()
    scene.until_alarm()
    scene.clock.now -= 30.0
    scene.pulse.beat()
    scene.until_alarm()
    assert scene.killed == []


def test_a_daemon_that_comes_back_in_the_pause_is_left_alone(scene: Scene) -> None:
    scene.pulse.beat()
    scene.until_alarm()
    scene.pulse.beat()
    scene.until_alarm()
    assert scene.killed == []
    assert scene.clock.alarm - scene.clock.now == 54.0


def test_a_daemon_in_a_debugger_is_left_alone(scene: Scene) -> None:
    scene.is_traced = True
    scene.pulse.beat()
    for _ in range(5):
        scene.until_alarm()
    assert scene.killed == []


def test_the_path_of_the_journal_fits_or_is_none() -> None:
    pulse = Pulse(60.0)
    assert pulse.journal() == ""
    pulse.tell_journal("/" + "x" * 5000)
    assert pulse.journal() == ""
    pulse.tell_journal("/var/ä/portsup.log")
    pulse.beat()
    assert pulse.journal() == "/var/ä/portsup.log"


@pytest.mark.live
def test_a_real_process_that_is_traced_is_seen(tmp_path: Path) -> None:
    from supervisor import system

    assert not system.is_traced(os.getpid())
    if system.handoff_support():
        pytest.skip("ptrace as on Linux")
    code = (
        "import ctypes, os, signal, time\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    time.sleep(1000)\n"
        "ctypes.CDLL(None).ptrace(0x4206, pid, 0, 0)\n"  # PTRACE_SEIZE
        "print(pid, flush=True)\ntime.sleep(1000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as tracer:
        assert tracer.stdout is not None
        child = int(tracer.stdout.readline())
        try:
            deadline = time.monotonic() + 5
            while not system.is_traced(child) and time.monotonic() < deadline:
                time.sleep(0.01)
            assert system.is_traced(child)
        finally:
            os.kill(child, signal.SIGKILL)
            tracer.kill()
