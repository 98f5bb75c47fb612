"""Logs that are followed: every line once, also of a read that is cut short, with the starts of processes between."""

import threading
from collections.abc import Iterator, Sequence

import pytest

from supervisor.api import log_following
from supervisor.api.log_following import MARK, LogFollowing
from supervisor.api.project import Project
from supervisor.api.values import Event, EventPage, FoundLine, LogPage, LogQuery
from supervisor.errors import PortsupError


def line(second: int, text: str) -> FoundLine:
    return FoundLine(f"2026-01-01T10:00:{second:02d}.000Z", "web", "stdout", text)


def start(second: int, pid: int) -> Event:
    time = f"2026-01-01T10:00:{second:02d}.500000Z"
    return Event(time, pid, "info", "service spawned", "web", "started", {"pid": pid})


class Pages(Project):
    """A folder whose logs come page by page; after the last one nothing is new."""

    def __init__(self, pages: Sequence[LogPage | PortsupError], starts: Sequence[Event] = ()) -> None:
        super().__init__("/srv/shop")
        self.pages = iter(pages)
        self.starts = starts
        self.asked: list[tuple[str, int | None]] = []

    def running(self) -> None:
        return None

    def search(self, *services: str, query: LogQuery | None = None, seconds: float = 10.0) -> LogPage:
        assert query is not None
        self.asked.append((query.cursor, query.count))
        page = next(self.pages, LogPage((), query.cursor))
        if isinstance(page, PortsupError):
            raise page
        return page

    def history(self, *services: str, cursor: str = "", count: int = 50) -> EventPage:
        return EventPage(tuple(self.starts), "")


def told(following: LogFollowing, reads: int = 1) -> Iterator[tuple[list[str], str]]:
    """What it tells in so many reads."""
    found: list[tuple[list[str], str]] = []
    following._tell = lambda lines, trouble: found.append(([each.message for each in lines], trouble))
    for _ in range(reads):
        following._look()
    return iter(found)


def follow(project: Project) -> LogFollowing:
    return LogFollowing(project, ["web"], lambda *_: None)


def test_a_read_that_is_cut_goes_on_at_once_and_no_line_comes_twice() -> None:
    pages = [
        LogPage((line(1, "a"), line(2, "b")), "1", is_cut=True), LogPage((line(3, "c"),), "2", is_cut=True),
        LogPage((line(4, "d"),), "3"), LogPage((line(5, "e"),), "4"),
    ]  # fmt: skip
    project = Pages(pages, [start(2, 7)])
    first = ["--- earlier lines may be missing: to read them took too long ---", "a", "b", "--- started, pid 7 ---"]
    assert list(told(follow(project), 2)) == [(first, ""), (["c"], ""), (["d"], ""), (["e"], "")]
    assert project.asked == [("", 2000), ("1", 20_001), ("2", 20_001), ("3", 20_001)]


def test_a_read_that_gets_nowhere_is_said_and_tried_again() -> None:
    project = Pages([LogPage((), "", is_cut=True), LogPage((line(1, "a"),), "1")])
    assert list(told(follow(project), 2)) == [
        ([], "cannot read the logs: it takes too long; trying again"), (["a"], ""),
    ]  # fmt: skip


def test_trouble_is_over_once_the_logs_can_be_read_again_though_nothing_is_new() -> None:
    project = Pages([LogPage((line(1, "a"),), "1"), PortsupError("cannot search the logs", "too many open files")])
    assert list(told(follow(project), 3)) == [
        (["a"], ""), ([], "cannot search the logs: too many open files"), ([], ""),
    ]  # fmt: skip


def test_without_any_log_each_start_is_told_once() -> None:
    following = follow(Pages([], [start(1, 7), start(2, 8)]))
    following.note(start(2, 8))  # which the journal has already
    assert list(told(following, 3)) == [(["--- started, pid 7 ---", "--- started, pid 8 ---"], "")]


def test_a_start_stands_behind_the_last_words_of_the_process_before_it() -> None:
    project = Pages([LogPage((line(1, "a"),), "1"), LogPage((line(2, "I die"), line(3, "I live")), "2")])
    following = follow(project)
    assert [each[0] for each in told(following)] == [["a"]]
    following.note(start(2, 8))
    assert [each[0] for each in told(following)] == [["I die", "--- started, pid 8 ---", "I live"]]


def test_lines_that_rotation_took_are_missed_and_none_comes_twice() -> None:
    again = (line(1, "a"), line(2, "b"), line(3, "c"))
    project = Pages([LogPage((line(1, "a"), line(2, "b")), "1"), LogPage(again, "2", has_gap=True)])
    gone = "--- lines may be missing here: the log was rotated faster than it was read ---"
    assert list(told(follow(project), 2)) == [(["a", "b"], ""), ([gone, "c"], "")]


def test_who_prints_more_than_can_be_read_is_shown_as_it_prints_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_following, "AT_ONCE", 3)
    other = FoundLine(line(3, "").time, "api", "stdout", "x")
    many = tuple(line(second, str(second)) for second in (3, 4, 5, 6))
    project = Pages([LogPage((line(1, "a"),), "1"), LogPage((other, *many[1:]), "2"), LogPage(many, "3")])
    passed = "--- lines are not shown here: more is printed than can be read ---"
    shown = [lines for lines, _ in told(follow(project), 3)]
    assert shown == [["a"], ["x", "4", "5", "6"], [passed, "3", "4", "5", "6"]]
    assert [count for _, count in project.asked] == [2000, 4, 4]


@pytest.mark.live  # a thread that waits
def test_it_ends_when_it_is_closed() -> None:
    is_told = threading.Event()
    following = LogFollowing(Pages([LogPage((line(1, "a"),), "1")]), ["web"], lambda *_: is_told.set())
    thread = threading.Thread(target=following.run, daemon=True)
    thread.start()
    assert is_told.wait(20)
    following.close()
    thread.join(20)
    assert not thread.is_alive()


def test_a_mark_is_told_as_one() -> None:
    found: list[FoundLine] = []
    following = LogFollowing(Pages([], [start(1, 7)]), ["web"], lambda lines, _: found.extend(lines))
    following._look()
    assert [(each.stream, each.service) for each in found] == [(MARK, "web")]
