"""A watch over files that is over before the kernel has let go of it."""

import os
import select
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.live, pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of Linux")]


@pytest.mark.parametrize("since", [(2, 6), (999, 0)], ids=["left to the kernel", "kept until the end"])
def test_one_that_has_stopped_tells_nothing_and_can_be_closed(
    since: tuple[int, int], own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from supervisor.system import inotify

    monkeypatch.setattr(inotify, "_COLLECTS_ASIDE", since)
    before = os.listdir("/proc/self/fd")
    watch = inotify.Inotify()
    watch.add(str(own_folders))
    (own_folders / "one").touch()
    assert watch.read()
    watch.stop()
    watch.stop()
    watch.read()  # that it is over
    (own_folders / "two").touch()
    assert watch.read() == []
    assert not watch.misses_nothing
    assert (watch.fileno() < 0) is (since < (999, 0))
    watch.close()
    assert os.listdir("/proc/self/fd") == before


def test_what_is_left_to_the_kernel_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the other end of a pipe shows."""
    from supervisor.system import inotify

    monkeypatch.setattr(inotify, "_COLLECTS_ASIDE", (2, 6))
    ours, theirs = os.pipe()
    assert inotify._leave_to_kernel(theirs)
    polled = select.poll()
    polled.register(ours, 0)
    assert polled.poll(10_000) == [(ours, select.POLLHUP)]
    os.close(ours)


def test_a_kernel_of_an_unknown_name_is_left_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from supervisor.system import inotify

    ours, theirs = os.pipe()
    uname = os.uname()
    monkeypatch.setattr(os, "uname", lambda: os.uname_result((*uname[:2], "strange", *uname[3:])))
    assert not inotify._leave_to_kernel(theirs)
    os.close(ours)
    os.close(theirs)
