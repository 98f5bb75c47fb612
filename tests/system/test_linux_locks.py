"""The table of locks of the whole machine, which everybody can make long."""

import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("Linux alone has a table of locks", allow_module_level=True)

from supervisor.system import linux_locks
from supervisor.system.linux_locks import MOST, PAUSE, LockTable

OF_US = f"1: FLOCK  ADVISORY  WRITE {os.getpid()} 00:1f:{{}} 0 EOF\n"
OF_OTHERS = "2: POSIX  ADVISORY  WRITE 4711 00:1f:99 {0} {0}\n"


class Clock:
    """Stands for both clocks; the one of the processor goes on by `step` at each look."""

    def __init__(self, step: float = 0.0) -> None:
        self.now = 1000.0
        self.cpu = 0.0
        self.step = step

    def time(self) -> float:
        return self.now

    def cpu_time(self) -> float:
        self.cpu += self.step
        return self.cpu


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks"


def inodes(table: LockTable) -> set[int]:
    return {inode for _, inode in table.flocked_by_us()}


def test_ours_are_found_among_those_of_others(path: Path) -> None:
    path.write_text(OF_OTHERS.format(1) + OF_US.format(5) + "2: -> FLOCK  ADVISORY  WRITE 1 00:1f:6 0 EOF\n")
    assert inodes(LockTable(os.fspath(path))) == {5}


def test_no_more_than_the_beginning_is_read_however_many_locks_others_have(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    of_us = linux_locks._of_us

    def counted(table: bytes) -> list[tuple[int, int]]:
        read.append(table)
        return of_us(table)

    monkeypatch.setattr(linux_locks, "_of_us", counted)
    with path.open("w") as file:
        file.write(OF_US.format(5))
        file.writelines(OF_OTHERS.format(number) for number in range(200_000))
        file.write(OF_US.format(6))
    assert path.stat().st_size > 20 * MOST
    assert inodes(LockTable(os.fspath(path))) == {5}, "that behind is looked at by another descriptor"
    assert len(read[0]) <= MOST + (1 << 16)
    assert read[0].endswith(b"\n"), "half a line would tell of another file"


def test_a_table_that_takes_long_is_not_read_for_a_while(path: Path) -> None:
    path.write_text(OF_US.format(5))
    clock = Clock(step=1.0)
    table = LockTable(os.fspath(path), clock.time, clock.cpu_time)
    assert inodes(table) == {5}
    clock.now += PAUSE - 1
    assert inodes(table) == set()
    clock.now += 2
    assert inodes(table) == {5}


def test_there_may_be_no_table(path: Path) -> None:
    assert inodes(LockTable(os.fspath(path))) == set()


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Path]:
    """A file on which another process has many locks, each of one byte."""
    file = tmp_path / "crowd"
    file.write_bytes(b"")
    ready, done = os.pipe()
    end, ends = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ends)
        with file.open("r+b") as locked:
            for number in range(2000, 0, -1):
                fcntl.lockf(locked, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 2 * number)
            os.write(done, b"x")
            os.read(end, 1)
        os._exit(0)
    os.close(end)
    os.close(done)
    os.read(ready, 1)
    yield file
    os.close(ready)
    os.close(ends)
    os.waitpid(pid, 0)


@pytest.mark.live
def test_locks_of_a_neighbour_are_read_as_far_as_is_allowed(crowded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def counted(table: bytes) -> list[tuple[int, int]]:
        read.append(len(table))
        return []

    monkeypatch.setattr(linux_locks, "_of_us", counted)
    monkeypatch.setattr(linux_locks, "MOST", 1 << 12)
    LockTable().flocked_by_us()
    assert 0 < read[0] <= (1 << 12) + (1 << 16)
    assert len(Path(linux_locks.LOCKS).read_bytes()) > 2 * read[0]
