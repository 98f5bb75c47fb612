"""The shim fails what it is told to fail, in the processes it is told to, and nothing else."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.board import CUT_SHORT, Board
from tests.faults.points import DEPTHS, ERRORS, Point, every, sample

pytestmark = pytest.mark.live

BEGINS = "import os, sys, supervisor.cli.main; os.fstat(0); "  # what portsup does before anything else
READS = BEGINS + "open(sys.argv[1]).read(); print('read it')"


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    with Board(tmp_path / "board") as made:
        yield made


def run(board: Board, programs: tuple[Path, Path], script: str, *words: str) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "LD_PRELOAD": str(programs[0]), "FAULTS": str(board.path)}
    return subprocess.run([sys.executable, "-c", script, *words], env=env, capture_output=True, text=True, timeout=30)


def test_it_fails_the_call_with_this_number_and_no_other(
    board: Board, programs: tuple[Path, Path], tmp_path: Path
) -> None:
    file = tmp_path / "there"
    file.write_text("x")
    board.arm(0, 0, "open", 1, errno.EMFILE)
    assert "Too many open files" in run(board, programs, READS, str(file)).stderr
    assert board.disarm() == 1
    board.forget(0)
    board.arm(0, 0, "open", 2, errno.EMFILE)
    assert run(board, programs, READS, str(file)).stdout == "read it\n"
    assert board.disarm() == 0
    assert board.counts()[0, 0, "open"] == 1


def test_what_lasts_fails_whatever_is_affected(board: Board, programs: tuple[Path, Path]) -> None:
    script = BEGINS + (
        "import socket\n"
        "for act in (os.pipe, socket.socket, os.getcwd):\n"
        "    try: act(); print('well')\n"
        "    except OSError as error: print(error.errno)"
    )
    board.arm(0, 0, "pipe", 1, errno.EMFILE, affected=("pipe", "socket"))
    assert run(board, programs, script).stdout.split() == [str(errno.EMFILE), str(errno.EMFILE), "well"]
    assert board.disarm() == 2


def test_a_write_is_cut_short(board: Board, programs: tuple[Path, Path], tmp_path: Path) -> None:
    script = BEGINS + "print(os.write(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), b'12345678'))"
    board.arm(0, 0, "write", 1, CUT_SHORT)
    assert run(board, programs, script, str(tmp_path / "new")).stdout == "4\n"
    assert (tmp_path / "new").read_bytes() == b"1234"


def test_a_fork_is_one_deeper_and_a_program_is_without_it(board: Board, programs: tuple[Path, Path]) -> None:
    script = BEGINS + (
        "sys.stdout.flush()\n"
        "if os.fork() == 0:\n"
        "    os.getcwd()\n"
        "    os.execv('/bin/sh', ['sh', '-c', 'echo ${LD_PRELOAD-nothing}'])\n"
        "os.wait()"
    )
    assert run(board, programs, script).stdout == "nothing\n"
    assert (0, 1, "getcwd") in board.counts()
    assert (0, 0, "getcwd") not in board.counts()


def test_points_are_read_as_they_are_written() -> None:
    points = list(every({("up", 2, call): 9 for call in ERRORS}))
    assert [Point.parse(str(point)) for point in points] == points
    assert len(set(map(str, points))) == len(points)
    assert str(Point("down", DEPTHS.index("daemon"), "open", 3, errno.EIO, lasts=True)) == "down/daemon/open/3/EIO+"


def test_a_sample_has_one_of_each_kind_before_it_has_two_of_any() -> None:
    points = list(every({("up", 2, "read"): 50, ("down", 0, "open"): 3}))
    order = list(sample(points, 1))
    kinds = {(each.step, each.call, each.error, each.lasts) for each in points}
    first = {(each.step, each.call, each.error, each.lasts) for each in order[: len(kinds)]}
    assert first == kinds
    assert sorted(order) == sorted(points)
    assert order == list(sample(points, 1))
