"""Moments of lines."""

import os
from pathlib import Path

import pytest

from supervisor.logs.line import rfc3339
from supervisor.logs.tail import read_last
from supervisor.tui.cells import clock_cell


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (1772357400.25, "2026-03-01T09:30:00.250Z"), (0.9996, "1970-01-01T00:00:01.000Z"),
        (-5.0, "1970-01-01T00:00:00.000Z"), (253402300799.9999, "9999-01-01T00:00:00.000Z"),
        (1e300, "9999-01-01T00:00:00.000Z"), (float("inf"), "9999-01-01T00:00:00.000Z"),
    ],
)  # fmt: skip
def test_every_moment_is_one_that_can_be_read_again(seconds: float, told: str) -> None:
    assert rfc3339(seconds) == told
    assert clock_cell(told)


def test_a_log_that_was_written_in_a_year_that_nobody_has_is_read(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text("x\n")
    os.utime(tmp_path / "web.log", (0, 300_000_000_000))
    (line,) = read_last({"web": tmp_path / "web.log"})
    assert rfc3339(line.time) in ("9999-01-01T00:00:00.000Z", "2446-05-10T22:38:55.000Z")  # what the disk can note
