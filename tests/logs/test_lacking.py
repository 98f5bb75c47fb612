"""Logs that are read where no descriptor is left: nothing is taken for a fact, and nothing more is lost by it."""

import contextlib
import errno
import os
from pathlib import Path

import pytest

from supervisor.config.spec import LogLimits
from supervisor.files.opening import open_file
from supervisor.logs.query import make_query
from supervisor.logs.scroll import Scroll
from supervisor.logs.search import Search
from supervisor.logs.service_log import ServiceLog
from supervisor.logs.sought import Span
from supervisor.logs.tail import Follower
from tests.support.descriptors import descriptors

LIMITS = LogLimits(max_size=60, backups=9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log in several files, of which each has an index."""
    log = ServiceLog(tmp_path / "web.log", LIMITS)
    for number in range(30):
        log.write("stderr", f"line {number}\n".encode(), 100.0 + number)
    log.close()
    return tmp_path / "web.log"


class Scarce:
    """Only so many files can be opened; -1: all."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        monkeypatch.setattr("supervisor.logs.part.open_file", self.open)

    def open(self, path: str, flags: int) -> int:
        if self.left == 0:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        self.left -= 1
        return open_file(path, flags)


@pytest.fixture
def scarce(monkeypatch: pytest.MonkeyPatch) -> Scarce:
    return Scarce(monkeypatch)


@pytest.mark.parametrize("kind", ["scroll", "search", "last", "new"])
def test_what_was_opened_is_closed_and_the_next_look_sees_all(path: Path, scarce: Scarce, kind: str) -> None:
    paths = {"web": path}
    before = descriptors(os.getpid())

    def look() -> list[str]:
        match kind:
            case "scroll":
                scroll = Scroll(paths)
                try:
                    scroll.refresh()
                    return [line.message for line in scroll.lines(scroll.first, 99)]
                finally:
                    scroll.close()
            case "search":
                with Search(paths, make_query(), Span()) as search:
                    return [each.line.message for group in search.groups() for each in group.lines]
            case "last":
                with Follower(paths, None) as follower:
                    return [line.message for line in follower.last()]
        with Follower(paths) as follower:
            return [line.message for line in follower.new()]

    expected = [f"line {number}" for number in range(30)]
    for left in range(8):
        scarce.left = left
        with pytest.raises(OSError, match="Too many open files"):
            look()
        assert descriptors(os.getpid()) == before, left
    scarce.left = -1
    assert look()[-20:] == expected[-20:]


@pytest.mark.parametrize("left", range(9))
def test_who_follows_gets_each_line_once_however_long_a_descriptor_is_lacking(
    path: Path, scarce: Scarce, left: int
) -> None:
    other = ServiceLog(path.with_name("api.log"), LIMITS)
    log = ServiceLog(path, LIMITS)
    with Follower({"web": path, "api": path.with_name("api.log")}) as follower:
        list(follower.last())
        for number in range(30, 50):  # in several files
            log.write("stderr", f"line {number}\n".encode(), 100.0 + number)
            other.write("stdout", f"other {number}\n".encode(), 100.0 + number)
        got = []
        scarce.left = left
        for _ in range(3):
            with contextlib.suppress(OSError):
                got += follower.new()
        assert scarce.left == 0, "so all of them were used"
        scarce.left = -1
        for _ in range(3):
            got += follower.new()
    log.close()
    other.close()
    for service, word in (("web", "line"), ("api", "other")):
        mine = [line for line in got if line.service == service]
        assert [line.message for line in mine] == [f"{word} {number}" for number in range(30, 50)]
        assert [line.time for line in mine] == [100.0 + number for number in range(30, 50)]


def test_a_scroll_goes_on_where_it_was(path: Path, scarce: Scarce) -> None:
    scroll = Scroll({"web": path})
    scroll.refresh()
    seen = scroll.first, scroll.end
    log = ServiceLog(path, LIMITS)
    for number in range(30, 40):
        log.write("stderr", f"line {number}\n".encode(), 100.0 + number)
    log.close()
    scarce.left = 1
    with pytest.raises(OSError, match="Too many open files"):
        scroll.refresh()
    assert (scroll.first, scroll.end) == seen
    scarce.left = -1
    scroll.refresh()
    assert [line.message for line in scroll.lines(scroll.end - 1, 1)] == ["line 39"]
    scroll.close()


def test_no_line_has_the_time_and_the_stream_of_a_log_without_an_index(path: Path, scarce: Scarce) -> None:
    scroll = Scroll({"web": path})
    scroll.refresh()
    scarce.left = 0
    with pytest.raises(OSError, match="Too many open files"):
        scroll.lines(scroll.end - 1, 1)
    scarce.left = -1
    (line,) = scroll.lines(scroll.end - 1, 1)
    assert (line.time, line.stream) == (129.0, "stderr")
    scroll.close()
