"""The warden ends what it runs with its keeper, with a process that it watches, and in time; and never begins late."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.cluster.clock import now
from supervisor.cluster.warden import BUSY, REVOKED
from supervisor.ports.lockfile import FileLock
from tests.support.eventually import eventually

pytestmark = pytest.mark.live

QUIET = "import time; print(1, flush=True); time.sleep(600)"
STUBBORN = f"import signal; [signal.signal(each, signal.SIG_IGN) for each in (2, 15)]; {QUIET}"
MARKED = "import pathlib,os,sys; pathlib.Path(sys.argv[1]).write_text(str(os.getpid()));"


class Guarded:
    """A warden, with a program that writes its pid to a file."""

    def __init__(self, folder: Path, program: str = QUIET, watched: int | None = None) -> None:
        self.lock, self.marked = folder / "lock", folder / "pid"
        command = [sys.executable, "-m", "supervisor.cluster.warden", str(self.lock), str(watched or os.getpid()), "--"]
        self.process = subprocess.Popen(
            [*command, sys.executable, "-c", MARKED + program, str(self.marked)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip

    def allow(self, stop_in: float, kill_in: float) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{now() + stop_in} {now() + kill_in}\n".encode())
        self.process.stdin.flush()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def pid(self) -> int:
        return int(eventually(lambda: self.marked.read_text(), within=60, what="the program"))

    def code(self) -> int:
        """The exit code, once everything is over."""
        assert self.process.stdout is not None
        said = self.process.stdout.read()
        self.process.stdout.close()
        self.process.wait()
        return int(said)

    def nothing_left(self) -> None:
        assert not os.path.exists(f"/proc/{self.pid()}")
        lock = FileLock(str(self.lock))
        assert lock.acquire()
        lock.release()


def test_it_ends_with_its_keeper(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path)
    guarded.allow(600, 600)
    guarded.pid()
    assert not FileLock(str(guarded.lock)).acquire()
    guarded.close()
    assert guarded.code() == 128 + 15
    guarded.nothing_left()


def test_it_ends_with_a_process_that_it_watches(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as watched:
        guarded = Guarded(tmp_path, watched=watched.pid)
        guarded.allow(600, 600)
        guarded.pid()
        watched.kill()
    assert guarded.code() == 128 + 15
    guarded.nothing_left()
    guarded.close()


def test_it_ends_when_its_time_is_over_whatever_the_program_says(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, STUBBORN)
    guarded.allow(600, 600)
    guarded.pid()
    guarded.allow(0.1, 0.3)
    assert guarded.code() == 128 + 9
    guarded.nothing_left()
    guarded.close()


def test_it_gives_the_exit_code_of_the_program(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, "sys.exit(7)")
    guarded.allow(600, 600)
    assert guarded.code() == 7
    guarded.nothing_left()
    guarded.close()


def test_it_does_not_begin_once_somebody_was_told_that_nothing_runs(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("over\n")
    guarded = Guarded(tmp_path)
    guarded.allow(600, 600)
    assert guarded.code() == REVOKED
    assert not guarded.marked.exists()
    guarded.close()


def test_it_does_not_begin_beside_another(tmp_path: Path) -> None:
    lock = FileLock(str(tmp_path / "lock"))
    assert lock.acquire()
    guarded = Guarded(tmp_path)
    guarded.allow(600, 600)
    assert guarded.code() == BUSY
    lock.release()
    guarded.close()


def test_it_does_not_begin_without_a_word_of_its_keeper(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path)
    guarded.close()
    assert guarded.code() == REVOKED
    assert not guarded.marked.exists()
