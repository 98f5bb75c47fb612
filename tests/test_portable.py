"""The list of live tests that need Linux names tests that there are, and little more than it must."""

import re
from pathlib import Path

import pytest

from tests.live.portable import LEFT_OUT, why_left_out

FOLDER = Path(__file__).parent / "live"


@pytest.mark.parametrize("begin", LEFT_OUT)
def test_what_is_left_out_is_there(begin: str) -> None:
    file, _, test = begin.partition("::")
    text = (FOLDER / file).read_text(encoding="utf-8")
    assert not test or re.search(rf"^def {test.partition('[')[0]}\(", text, re.MULTILINE)


def test_most_live_tests_run_without_linux() -> None:
    there, left = set(), set()
    for path in FOLDER.glob("test_*.py"):
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            there.add(test := f"tests/live/{path.name}::{name}")
            if why_left_out(test):
                left.add(test)
    assert len(there) > 400
    assert len(left) < len(there) / 8
    assert not why_left_out("tests/live/test_ports.py::test_another")
