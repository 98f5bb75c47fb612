import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.spec import LogLimits
from supervisor.logs.service_log import ServiceLog
from supervisor.logs.tail import read_last

ROOMY = LogLimits(max_size=1 << 20, backups=3)


def parts(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir() if not entry.name.endswith(".idx"))


def test_the_log_is_what_the_service_printed_byte_for_byte(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "s" / "web.log", ROOMY)
    log.write("stdout", b"\x1b[31mred\x1b[0m \xff\r\n", 1.0)
    log.write("stderr", b"two\nthree\n", 1.5)
    assert (tmp_path / "s" / "web.log").read_bytes() == b"\x1b[31mred\x1b[0m \xff\r\ntwo\nthree\n"
    assert (log.lost, log.trouble) == (0, "")


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    ServiceLog(tmp_path / "s" / "web.log", ROOMY).write("stdout", b"x\n", 1.0)
    assert (tmp_path / "s" / "web.log").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o700


def test_it_goes_on_where_the_last_run_ended(tmp_path: Path) -> None:
    for number in range(3):
        log = ServiceLog(tmp_path / "web.log", ROOMY)
        log.write("stdout", b"run %d\n" % number, 10.0 + number)
        log.close()
    assert [(line.time, line.message) for line in read_last({"web": tmp_path / "web.log"})] == [
        (10.0, "run 0"),
        (11.0, "run 1"),
        (12.0, "run 2"),
    ]


def test_an_unfinished_line_is_ended_before_somebody_else_writes(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", ROOMY)
    log.write("stdout", b"half", 1.0)
    log.write("stdout", b" whole\nlast words", 1.5)
    log.write("stderr", b"oops\n", 2.0)
    log.write("stdout", b"again", 3.0)
    log.close()
    log.write("stdout", b"next run\n", 4.0)
    assert (tmp_path / "web.log").read_bytes() == b"half whole\nlast words\noops\nagain\nnext run\n"


def test_it_is_rotated_on_a_line_end_and_keeps_so_many_parts(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", LogLimits(max_size=100, backups=2))
    for number in range(40):
        log.write("stdout", b"line number %03d\n" % number, 1.0 + number)
    assert parts(tmp_path / "web.log") == ["web.log", "web.log.1", "web.log.2"]
    for part in parts(tmp_path / "web.log"):
        text = (tmp_path / part).read_text()
        assert len(text) <= 100
        assert text.endswith("\n")
    lines = list(read_last({"web": tmp_path / "web.log"}))
    assert [line.message for line in lines] == [f"line number {number:03d}" for number in range(24, 40)]
    assert [line.time for line in lines] == [1.0 + number for number in range(24, 40)]


def test_a_long_line_is_not_torn_by_rotation(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", LogLimits(max_size=100, backups=2))
    log.write("stdout", b"a" * 90, 1.0)
    log.write("stdout", b"a" * 90, 1.5)
    log.write("stdout", b"a\nb\n", 2.0)
    assert (tmp_path / "web.log.1").read_bytes() == b"a" * 181 + b"\n"
    assert (tmp_path / "web.log").read_bytes() == b"b\n"


def test_an_endless_line_is_torn_at_last(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", LogLimits(max_size=1000, backups=1))
    for _ in range(40):
        log.write("stdout", b"a" * 65536, 1.0)
    assert sum((tmp_path / part).stat().st_size for part in parts(tmp_path / "web.log")) < 2_500_000


def test_without_backups_only_the_newest_is_kept(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", LogLimits(max_size=100, backups=0))
    for number in range(40):
        log.write("stdout", b"line number %03d\n" % number, 1.0 + number)
    assert parts(tmp_path / "web.log") == ["web.log"]
    assert (tmp_path / "web.log").read_text().endswith("line number 039\n")


@given(
    st.lists(
        st.tuples(st.sampled_from(["stdout", "stderr"]), st.text("ab\n", min_size=1).map(str.encode)), max_size=30
    ),
    st.integers(1, 60),
)
def test_rotation_loses_nothing_of_the_kept_parts(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[str, bytes]], size: int
) -> None:
    path = tmp_path_factory.mktemp("logs") / "web.log"
    log = ServiceLog(path, LogLimits(max_size=size, backups=100))
    for stream, chunk in writes:
        log.write(stream, chunk, 1.0)
    log.close()
    names = [f"web.log.{number}" for number in range(100, 0, -1)] + ["web.log"]
    text = b"".join((path.parent / name).read_bytes() for name in names if (path.parent / name).exists())
    assert text.replace(b"\n", b"") == b"".join(chunk for _, chunk in writes).replace(b"\n", b"")


def test_the_last_lines_are_at_hand(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", ROOMY)
    assert log.tail() == []
    log.write("stdout", b"".join(b"line %d\n" % number for number in range(100_000)), 1.0)
    log.write("stderr", b"the \xff end", 1.0)
    assert log.tail(3) == ["line 99998", "line 99999", "the \N{REPLACEMENT CHARACTER} end"]
    assert len(log.tail()) == 50
    log.forget()
    assert log.tail() == []


def test_a_deleted_log_begins_anew(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", ROOMY)
    log.write("stdout", b"one\n", 1.0)
    (tmp_path / "web.log").unlink()
    log.write("stdout", b"two\n", 2.5)
    assert (tmp_path / "web.log").read_bytes() == b"two\n"
    assert [(line.time, line.message) for line in read_last({"web": tmp_path / "web.log"})] == [(2.5, "two")]


def test_a_log_that_was_moved_away_begins_anew(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", ROOMY)
    log.write("stdout", b"one\n", 1.0)
    (tmp_path / "web.log").rename(tmp_path / "web.log.old")
    log.write("stdout", b"two\n", 2.5)
    assert (tmp_path / "web.log").read_bytes() == b"two\n"


def test_a_log_that_was_emptied_goes_on(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", ROOMY)
    log.write("stdout", b"one is long\n", 1.0)
    os.truncate(tmp_path / "web.log", 0)
    log.write("stdout", b"two\n", 2.5)
    assert [(line.time, line.message) for line in read_last({"web": tmp_path / "web.log"})] == [(2.5, "two")]


def test_a_directory_that_was_removed_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "s" / "web.log"
    log = ServiceLog(path, ROOMY)
    log.write("stdout", b"one\n", 1.0)
    for entry in path.parent.iterdir():
        entry.unlink()
    path.parent.rmdir()
    log.write("stdout", b"two\n", 2.5)
    assert path.read_bytes() == b"two\n"


def test_a_log_that_can_not_be_opened_is_no_trouble_for_the_service(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("a file where a directory should be")
    log = ServiceLog(tmp_path / "s" / "web.log", ROOMY)
    log.write("stdout", b"one\n", 1.0)
    log.write("stdout", b"two\n", 1.1)
    assert log.lost == 8
    assert log.trouble
    assert log.tail() == ["one", "two"]
    (tmp_path / "s").unlink()
    log.write("stdout", b"three\n", 3.0)
    assert (log.lost, log.trouble) == (8, "")
    text = (tmp_path / "s" / "web.log").read_text().splitlines()
    assert text == ["[portsup] 8 bytes of output lost here: not a directory", "three"]


def test_a_full_disk_is_survived_and_the_gap_is_marked(tmp_path: Path) -> None:
    """RLIMIT_FSIZE makes write(2) fail as a full disk does, in the middle of what is written too."""
    log = ServiceLog(tmp_path / "web.log", ROOMY)
    log.write("stdout", b"one\n", 1.0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        log.write("stdout", b"x" * 89 + b"\ntwo\nthree\n", 2.0)
        for number in range(100):
            log.write("stdout", b"lost\n", 2.0 + number / 10)
        assert log.trouble
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    log.write("stderr", b"back\n", 20.0)
    assert (log.lost, log.trouble) == (504, "")
    lines = list(read_last({"web": tmp_path / "web.log"}))
    assert [line.message for line in lines] == [
        "one",
        "x" * 89,
        "two",
        "th",
        "[portsup] 504 bytes of output lost here: file too large",
        "back",
    ]
    assert [line.stream for line in lines[-2:]] == ["portsup", "stderr"]


def test_a_log_that_cannot_be_rotated_has_as_much_as_all_its_parts_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr("supervisor.logs.service_log.rotate", refuse)
    log = ServiceLog(tmp_path / "web.log", LogLimits(max_size=100, backups=2))
    largest = 0
    for number in range(100):
        log.write("stdout", b"number %03d\n" % number, 1.0 + number)
        largest = max(largest, (tmp_path / "web.log").stat().st_size)
    assert 300 <= largest <= 330
    assert log.lost == 0
    lines = list(read_last({"web": tmp_path / "web.log"}))
    assert lines[0].message.endswith("bytes of older output dropped here: the log cannot be rotated")
    assert lines[0].stream == "portsup"
    numbers = [int(line.message.split()[1]) for line in lines[1:]]
    assert numbers == list(range(numbers[0], 100)), "the newest ones"
    assert [line.time for line in lines[1:]] == [1.0 + number for number in numbers]


@pytest.mark.parametrize("in_the_way", ["web.log.2", "web.log.1", "web.log.1.idx", "web.log.2.idx"])
def test_a_directory_in_the_way_of_a_part_lets_no_log_grow_on(tmp_path: Path, in_the_way: str) -> None:
    (tmp_path / in_the_way / "x").mkdir(parents=True)
    log = ServiceLog(tmp_path / "web.log", LogLimits(max_size=100, backups=2))
    for number in range(100):
        log.write("stdout", b"number %03d\n" % number, 1.0 + number)
        files = [path for path in tmp_path.iterdir() if path.is_file() and not path.name.endswith(".idx")]
        assert sum(path.stat().st_size for path in files) <= 330
    assert any((path / "x").is_dir() for path in tmp_path.iterdir()), "it is not removed"
    last = list(read_last({"web": tmp_path / "web.log"}))[-1]
    assert (last.message, last.time) == ("number 099", 100.0)


def test_a_clock_that_goes_back_harms_nothing(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", ROOMY)
    for now in (100.0, 50.0, 50.0001, 0.0, 100.0):
        log.write("stdout", b"line\n", now)
    assert len(list(read_last({"web": tmp_path / "web.log"}))) == 5


def test_an_unfinished_line_of_a_process_that_is_gone_is_a_line_of_its_own(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", LogLimits())
    log.write("stdout", b"last words", 1.0)
    log.end_line()
    log.write("stdout", b"first words\n", 1.0)
    log.end_line()
    log.write("stdout", b"more\n", 1.0)
    log.close()
    assert (tmp_path / "web.log").read_bytes() == b"last words\nfirst words\nmore\n"


def test_the_tail_keeps_the_lines_of_two_streams_apart(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "web.log", LogLimits())
    log.write("stdout", b"one", 1.0)
    log.write("stderr", b"two\n", 1.0)
    assert log.tail() == ["one", "two"]
