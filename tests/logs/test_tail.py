import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.config.spec import LogLimits
from supervisor.logs import tail
from supervisor.logs.line import Line, rfc3339
from supervisor.logs.service_log import ServiceLog
from supervisor.logs.tail import Follower, follow, read_last

SMALL = LogLimits(max_size=200, backups=3)


def messages(lines: Iterator[Line] | list[Line]) -> list[str]:
    return [line.message for line in lines]


def test_a_line_is_one_json_object() -> None:
    line = Line(1772357400.25, "web", "stderr", 'say "ä"\x1b[0m')
    assert line.as_json().count("\n") == 0
    assert json.loads(line.as_json()) == {
        "time": "2026-03-01T09:30:00.250Z",
        "service": "web",
        "stream": "stderr",
        "message": 'say "ä"\x1b[0m',
    }
    assert rfc3339(0.9996) == "1970-01-01T00:00:01.000Z"


def test_logs_are_merged_in_the_order_of_time(tmp_path: Path) -> None:
    web, api = ServiceLog(tmp_path / "web.log", SMALL), ServiceLog(tmp_path / "api.log", SMALL)
    web.write("stdout", b"w1\nw2\n", 1.0)
    api.write("stderr", b"a1\n", 2.0)
    web.write("stderr", b"w3\n", 3.0)
    paths = {"web": tmp_path / "web.log", "api": tmp_path / "api.log"}
    assert [(line.service, line.stream, line.message, line.time) for line in read_last(paths)] == [
        ("web", "stdout", "w1", 1.0),
        ("web", "stdout", "w2", 1.0),
        ("api", "stderr", "a1", 2.0),
        ("web", "stderr", "w3", 3.0),
    ]


@pytest.mark.parametrize("count", [0, 1, 5, 17, 39, 40, 1000])
def test_the_last_lines_are_found_across_parts(tmp_path: Path, count: int) -> None:
    log = ServiceLog(tmp_path / "web.log", LogLimits(max_size=100, backups=100))
    for number in range(40):
        log.write("stdout", b"%d\n\n" % number if number % 7 == 0 else b"%d\n" % number, float(number))
    every = messages(read_last({"web": tmp_path / "web.log"}))
    assert len(every) == 46
    assert messages(read_last({"web": tmp_path / "web.log"}, count)) == (every[-count:] if count else [])


def test_lines_longer_than_a_block_are_counted_right(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_bytes(b"first\n" + b"x" * 70_000 + b"\n" + b"y" * 65536 + b"\nlast")
    assert messages(read_last({"web": tmp_path / "web.log"}, 1)) == ["last"]
    assert messages(read_last({"web": tmp_path / "web.log"}, 2)) == ["y" * 65536, "last"]
    pieces = messages(read_last({"web": tmp_path / "web.log"}))
    assert "".join(pieces) == "first" + "x" * 70_000 + "y" * 65536 + "last"


def test_odd_bytes_are_replaced_and_colours_left_alone(tmp_path: Path) -> None:
    ServiceLog(tmp_path / "web.log", SMALL).write("stdout", b"\xff\xfe \x1b[31mred\x1b[0m\r\n\n", 1.0)
    assert messages(read_last({"web": tmp_path / "web.log"})) == ["\ufffd\ufffd \x1b[31mred\x1b[0m", ""]


def test_no_log_no_lines(tmp_path: Path) -> None:
    (tmp_path / "empty.log").touch()
    assert list(read_last({"none": tmp_path / "none.log", "empty": tmp_path / "empty.log"}, 5)) == []


def test_without_an_index_the_time_of_the_file_is_taken(tmp_path: Path) -> None:
    ServiceLog(tmp_path / "web.log", SMALL).write("stderr", b"one\n", 1.0)
    (tmp_path / "web.log.idx").unlink()
    os.utime(tmp_path / "web.log", (5.0, 5.0))
    assert [(line.time, line.stream) for line in read_last({"web": tmp_path / "web.log"})] == [(5.0, "stdout")]


@pytest.mark.parametrize("damage", [b"", b"x" * 23, b"\xff" * 480])
def test_a_damaged_index_harms_nothing(tmp_path: Path, damage: bytes) -> None:
    log = ServiceLog(tmp_path / "web.log", SMALL)
    for number in range(5):
        log.write("stdout", b"%d\n" % number, 1.0 + number)
    index = tmp_path / "web.log.idx"
    index.write_bytes(index.read_bytes()[:48] + damage)
    assert messages(read_last({"web": tmp_path / "web.log"})) == ["0", "1", "2", "3", "4"]
    log.close()
    log.write("stdout", b"5\n", 20.0)
    lines = list(read_last({"web": tmp_path / "web.log"}))
    assert messages(lines)[-1] == "5"
    assert all(line.as_json() for line in lines)


def test_an_index_that_knows_more_than_the_log_is_cut(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", SMALL)
    for number in range(5):
        log.write("stdout", b"%d\n" % number, 1.0 + number)
    log.close()
    os.truncate(tmp_path / "web.log", 4)  # as after a crash of the machine
    log.write("stderr", b"new\n", 20.0)
    assert [(line.message, line.time) for line in read_last({"web": tmp_path / "web.log"})] == [
        ("0", 1.0),
        ("1", 2.0),
        ("new", 20.0),
    ]


@pytest.fixture
def log(tmp_path: Path) -> ServiceLog:
    return ServiceLog(tmp_path / "web.log", SMALL)


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Follower]:
    with Follower({"web": tmp_path / "web.log"}, 2) as follower:
        yield follower


def test_following_begins_with_the_last_lines_and_doubles_none(log: ServiceLog, follower: Follower) -> None:
    log.write("stdout", b"1\n2\n3\n", 1.0)
    assert messages(follower.last()) == ["2", "3"]
    assert follower.new() == []
    log.write("stdout", b"4\n", 2.0)
    assert messages(follower.new()) == ["4"]
    assert follower.new() == []


def test_following_waits_for_the_end_of_a_line(log: ServiceLog, follower: Follower) -> None:
    list(follower.last())
    log.write("stdout", b"half", 1.0)
    assert follower.new() == []
    log.write("stdout", b" and half\n", 1.0)
    assert messages(follower.new()) == ["half and half"]


def test_an_unfinished_line_at_the_beginning_is_shown_once(log: ServiceLog, follower: Follower) -> None:
    log.write("stdout", b"1\nlast words", 1.0)
    assert messages(follower.last()) == ["1", "last words"]
    log.write("stderr", b"next\n", 2.0)
    assert messages(follower.new()) == ["next"]


def test_following_goes_through_many_rotations(log: ServiceLog, follower: Follower) -> None:
    list(follower.last())
    for number in range(10):
        log.write("stdout", b"%030d\n" % number, 1.0 + number)
    assert messages(follower.new()) == [f"{number:030d}" for number in range(10)]
    for number in range(10, 14):
        log.write("stdout", b"%030d\n" % number, 1.0 + number)
    lines = follower.new()
    assert messages(lines) == [f"{number:030d}" for number in range(10, 14)]
    assert [line.time for line in lines] == [1.0 + number for number in range(10, 14)]


def test_what_was_rotated_away_unseen_is_gone_but_nothing_doubled(log: ServiceLog, follower: Follower) -> None:
    list(follower.last())
    log.write("stdout", b"seen\n", 1.0)
    assert messages(follower.new()) == ["seen"]
    for number in range(100):
        log.write("stdout", b"%030d\n" % number, 1.0 + number)
    seen = messages(follower.new())
    seen.remove(tail.GAP)
    assert seen[-1] == f"{99:030d}"
    assert len(set(seen)) == len(seen)
    assert seen == sorted(seen)


def test_a_log_that_comes_later_is_followed(log: ServiceLog, follower: Follower) -> None:
    assert messages(follower.last()) == []
    assert follower.new() == []
    log.write("stdout", b"first\n", 1.0)
    assert messages(follower.new()) == ["first"]


def test_a_deleted_log_is_followed_into_the_new_one(log: ServiceLog, follower: Follower) -> None:
    for number in range(20):
        log.write("stdout", b"%030d\n" % number, 1.0)
    list(follower.last())
    Path(log.path).unlink()
    assert follower.new() == []
    log.write("stdout", b"new\n", 5.0)
    assert messages(follower.new()) == ["new"]


def test_an_emptied_log_is_followed(log: ServiceLog, follower: Follower) -> None:
    log.write("stdout", b"long line\n", 1.0)
    list(follower.last())
    os.truncate(log.path, 0)
    log.write("stdout", b"new\n", 5.0)
    assert messages(follower.new()) == ["new"]


def test_another_run_is_followed_too(tmp_path: Path, log: ServiceLog, follower: Follower) -> None:
    log.write("stdout", b"old run", 1.0)
    assert messages(follower.last()) == ["old run"]
    log.close()
    ServiceLog(tmp_path / "web.log", SMALL).write("stdout", b"new run\n", 9.0)
    assert messages(follower.new()) == ["new run"]


@pytest.mark.live
@pytest.mark.parametrize("watching", [True, False])
def test_following_wakes_up_and_loses_nothing_while_others_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watching: bool
) -> None:
    if not watching:
        monkeypatch.setattr(tail, "open_watch", lambda: None)
        monkeypatch.setattr(tail, "POLL_EVERY", 0.01)
    count = 3000
    pause = threading.Event()

    def write() -> None:
        log = ServiceLog(tmp_path / "s" / "web.log", LogLimits(max_size=20_000, backups=3))
        for number in range(count):
            log.write("stderr" if number % 3 == 0 else "stdout", b"%d\n" % number, 1.0 + number)
            if number % 20 == 0:
                pause.wait(0.0005)

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[Line] = []
    try:
        for batch in follow({"web": tmp_path / "s" / "web.log"}, None):
            seen += batch
            if len(seen) >= count:
                break
    finally:
        writer.join()
    assert messages(seen) == [str(number) for number in range(count)]
    assert all(line.stream == ("stderr" if number % 3 == 0 else "stdout") for number, line in enumerate(seen))


def test_nothing_stays_open(tmp_path: Path, log: ServiceLog) -> None:
    before = set(os.listdir("/proc/self/fd"))
    for number in range(30):
        log.write("stdout", b"%030d\n" % number, 1.0 + number)
    with Follower({"web": tmp_path / "web.log"}, None) as follower:
        list(follower.last())
        for number in range(30):
            log.write("stdout", b"%030d\n" % number, 1.0 + number)
            follower.new()
    next(iter(read_last({"web": tmp_path / "web.log"})))
    log.close()
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("backups", [1, 3])
def test_what_was_rotated_away_unread_is_said_where_it_is_missing(tmp_path: Path, backups: int) -> None:
    log = ServiceLog(tmp_path / "web.log", LogLimits(max_size=200, backups=backups))
    now = time.time()  # without its index, a line has the time of its file
    log.write("stdout", b"first\n", now)
    with Follower({"web": tmp_path / "web.log"}) as follower:
        list(follower.last())
        log.write("stdout", b"second\n", now)
        for number in range(500):
            log.write("stdout", b"line %d\n" % number, now + 60.0 + number)
        lines = follower.new()
        told = messages(lines)
        assert told[0] == "second"
        gap = told.index(tail.GAP)
        assert lines[gap].stream == "portsup"
        assert told[-1] == "line 499"
        after = [int(message.split()[1]) for message in told[gap + 1 :]]
        assert after == list(range(after[0], 500))
        before = [int(message.split()[1]) for message in told[1:gap]]
        assert before == list(range(len(before)))
        assert len(before) < after[0]
        log.write("stdout", b"on\n", now + 600.0)
        assert messages(follower.new()) == ["on"]


def test_no_gap_is_said_where_nothing_is_missing(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", LogLimits(max_size=200, backups=3))
    with Follower({"web": tmp_path / "web.log"}) as follower:
        list(follower.last())
        told: list[str] = []
        for number in range(300):
            log.write("stdout", b"line %d\n" % number, float(number))
            if number % 10 == 0:
                told += messages(follower.new())
        assert told + messages(follower.new()) == [f"line {number}" for number in range(300)]
        log.close()
        (tmp_path / "web.log").unlink()
        log.write("stdout", b"after it was deleted\n", 1000.0)
        assert messages(follower.new()) == ["after it was deleted"]
