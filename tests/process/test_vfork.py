"""The fast way to start a program."""

import os
import sys
from pathlib import Path

import pytest

from supervisor.process import vfork
from tests.support.children import children

pytestmark = [pytest.mark.live, pytest.mark.skipif(not vfork.works(), reason="this system cannot do it the fast way")]


def test_what_was_laid_out_for_one_program_is_not_done_for_the_next(tmp_path: Path) -> None:
    """The calls that are the same are copied, and those that are not are made anew, at whatever place they are."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    code = "import os, sys; print(os.getcwd(), os.umask(0), sys.argv[1], len(os.listdir('/proc/self/fd')))"
    ends = os.pipe()
    places = [("a", 0o22, ()), ("a", 0o22, ()), ("b", None, ends)] * 3
    try:
        with children() as start:
            for number, (name, umask, passed) in enumerate(places):
                folder = str(tmp_path / name)
                command = (sys.executable, "-S", "-c", code, str(number))
                told = start.run(*command, working_dir=folder, umask=umask, passed=passed).read().split()
                mask = os.umask(0o22)
                os.umask(mask)
                assert told == [folder, str(mask if umask is None else umask), str(number), str(4 + len(passed))]
    finally:
        for end in ends:
            os.close(end)
