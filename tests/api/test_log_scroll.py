"""The logs that a window scrolls in."""

import os
from pathlib import Path

import pytest

from supervisor.api.log_scroll import LogScroll


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors by /proc")
def test_one_that_is_closed_while_somebody_looks_keeps_no_descriptor(tmp_path: Path) -> None:
    (tmp_path / "api.log").write_text("one\ntwo\n")
    before = os.listdir("/proc/self/fd")
    scroll = LogScroll(str(tmp_path), ["api"])
    assert scroll.stretch(None, 1).number == 1
    scroll.close()  # others took its place, and who had it goes on
    assert [line.message for line in scroll.stretch(0, 9).lines] == ["one", "two"]
    assert scroll.number_at(0.0) == 0
    assert len(os.listdir("/proc/self/fd")) == len(before)
