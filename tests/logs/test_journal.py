import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from supervisor.logs.journal import open_journal
from supervisor.logs.journal_file import JournalFile


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def test_an_event_is_one_json_line_with_its_facts(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "s" / "portsup.log")
    journal.log("info", "service ready", service="web", port=6000, pids=(1, 2), where=Path("/x"))
    journal.log("info", "looked", nothing=None)
    journal.close()
    journal.log("error", "fatal", why="two\nlines")
    ready, looked, fatal = events(tmp_path / "s" / "portsup.log")
    assert list(ready)[:4] == ["time", "seq", "level", "event"]
    assert ready | {"time": ""} == {
        "time": "",
        "seq": 1,
        "level": "info",
        "event": "service ready",
        "service": "web",
        "port": 6000,
        "pids": [1, 2],
        "where": "/x",
    }
    assert ready["time"].endswith("Z")
    assert (looked["level"], looked["nothing"], fatal["why"]) == ("info", None, "two\nlines")


def test_structlog_goes_on_with_lines_that_are_the_same(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "portsup.log", secrets={"hunter22"})
    seen: list[Any] = []
    journal.on_event = seen.append
    for _ in range(2):
        journal.log("warning", "odd", service="web", words="said hunter22", deep=[{"a": ("hunter22",)}], token="t")
        journal.settle()
    early, late = events(tmp_path / "portsup.log")
    assert list(early) == list(late)
    assert early | {"time": "", "seq": 2} == late | {"time": ""}
    assert early["time"] <= late["time"]
    assert len(early["time"]) == len(late["time"]) or late["time"].count(".") == 0  # a whole second has no fraction
    assert [each["seq"] for each in seen] == [1, 2]


def test_what_is_put_off_is_told_before_the_next_event_and_as_of_its_own_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000_000_000_000_000
    monkeypatch.setattr("supervisor.logs.journal.time.time_ns", lambda: now)
    journal = open_journal(tmp_path / "portsup.log")
    later: list[Any] = []
    journal.later = later.append
    for name in ("ended", "starts"):
        journal.put_off(lambda name=name: journal.log("info", name))  # type: ignore[misc]
        now += 1_000_000
    assert not (tmp_path / "portsup.log").exists()
    journal.log("info", "lock lost")
    assert later == [journal.catch_up]
    told = events(tmp_path / "portsup.log")
    assert [(each["seq"], each["event"], each["time"][-8:-1]) for each in told] == [
        (1, "ended", ".000000"), (2, "starts", ".001000"), (3, "lock lost", ".002000"),
    ]  # fmt: skip
    later.pop()()
    journal.put_off(lambda: journal.log("info", "ready"))
    later.pop()()
    assert [each["event"] for each in events(tmp_path / "portsup.log")][3:] == ["ready"]


@pytest.mark.parametrize("is_settled", [False, True])
def test_what_is_told_because_of_what_was_put_off_comes_right_after_it(tmp_path: Path, is_settled: bool) -> None:
    journal = open_journal(tmp_path / "portsup.log")
    if is_settled:
        journal.settle()
    journal.later = lambda _: None

    def hear(event: Mapping[str, Any]) -> None:
        if event["event"] == "first":
            journal.log("info", "heard")

    journal.also = hear
    journal.put_off(lambda: journal.log("info", "first"))
    journal.put_off(lambda: journal.log("info", "second"))
    journal.catch_up()
    assert sorted(each["event"] for each in events(tmp_path / "portsup.log")[:2]) == ["first", "heard"]
    assert events(tmp_path / "portsup.log")[2]["event"] == "second"


def test_what_cannot_be_told_keeps_nothing_else_back(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "portsup.log")
    journal.later = lambda _: None
    journal.put_off(lambda: 1 / 0)
    journal.put_off(lambda: journal.log("info", "second"))
    with pytest.raises(ZeroDivisionError):
        journal.catch_up()
    journal.log("info", "third")
    assert [each["event"] for each in events(tmp_path / "portsup.log")] == ["second", "third"]


def test_what_was_left_out_is_counted_after_what_was_put_off(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "portsup.log")
    while journal.log("info", "odd", service="web"):
        pass
    before = len(events(tmp_path / "portsup.log"))
    journal.later = lambda _: None
    journal.put_off(lambda: journal.log("info", "first"))
    journal.count_left_out()
    assert [each["event"] for each in events(tmp_path / "portsup.log")[before:]] == ["first", "events left out"]


def test_once_the_end_has_begun_nothing_is_put_off(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "portsup.log")
    journal.later = lambda _: None
    journal.put_off(lambda: journal.log("info", "first"))
    journal.put_off_no_more()
    journal.put_off(lambda: journal.log("info", "second"))
    assert [each["event"] for each in events(tmp_path / "portsup.log")] == ["first", "second"]


def test_nothing_is_put_off_where_nobody_comes_back_to_it(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "portsup.log")
    journal.put_off(lambda: journal.log("info", "first"))
    assert [each["event"] for each in events(tmp_path / "portsup.log")] == ["first"]


@pytest.mark.live
def test_structlog_is_not_loaded_before_there_is_news_after_the_start() -> None:
    code = (
        "import sys, supervisor.logs.journal as j; journal = j.open_journal('/dev/null')\n"
        "def look(): journal.look(); print('structlog' in sys.modules)\n"
        "journal.log('info', 'start'); look(); look(); journal.log('info', 'news')\n"
        "sys.modules['structlog'] = None; journal.look(); del sys.modules['structlog']\n"  # no memory, say
        "journal.log('info', 'more'); look()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
        timeout=30,
    )  # fmt: skip
    assert done.stdout.split() == ["False", "False", "True"]


def test_secrets_are_hidden_by_name_and_by_value(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "portsup.log", secrets={"hunter22"})
    try:
        raise ValueError("the password is hunter22")
    except ValueError:
        journal.log(
            "error", "bug", exc_info=True, api_key="abcdefgh", environment={"DB_PASSWORD": "x1", "URL": "u:hunter22@h"}
        )
    journal.log("warning", "odd", words="said hunter22", deep=[{"a": ("hunter22",)}])
    text = (tmp_path / "portsup.log").read_text()
    assert "hunter22" not in text
    assert "abcdefgh" not in text
    bug, odd = events(tmp_path / "portsup.log")
    assert bug["environment"] == {"DB_PASSWORD": "***", "URL": "u:***@h"}
    assert "ValueError: the password is ***" in bug["exception"]
    assert odd["deep"] == [{"a": ["***"]}]
    assert journal.redact("hunter22!") == "***!"


def test_the_journal_is_rotated(tmp_path: Path) -> None:
    file = JournalFile(str(tmp_path / "portsup.log"), max_size=100, backups=2)
    for number in range(20):
        file.write(f"{number:039d}")
    names = sorted(entry.name for entry in tmp_path.iterdir())
    assert names == ["portsup.log", "portsup.log.1", "portsup.log.2"]
    assert (tmp_path / "portsup.log").read_text().endswith("19\n")


def test_a_deleted_journal_begins_anew(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "s" / "portsup.log")
    journal.log("info", "one")
    (tmp_path / "s" / "portsup.log").unlink()
    (tmp_path / "s").rmdir()
    journal.log("info", "two")
    assert [event["event"] for event in events(tmp_path / "s" / "portsup.log")] == ["two"]


def test_a_full_disk_is_survived_and_told_of(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "portsup.log")
    journal.log("info", "one")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "portsup.log").stat().st_size + 10, limits[1]))
    try:
        for _ in range(5):
            journal.log("info", "lost")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    journal.log("info", "back")
    one, count, back = map(json.loads, (tmp_path / "portsup.log").read_text().splitlines())
    assert (one["event"], count["count"], back["event"]) == ("one", 5, "back"), "no half of an event between them"


def test_half_an_event_that_cannot_be_taken_back_stands_on_a_line_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    journal, path = open_journal(tmp_path / "portsup.log"), tmp_path / "portsup.log"
    journal.log("info", "one")
    with monkeypatch.context() as broken:
        broken.setattr(os, "ftruncate", refuse)
        known = os.write
        broken.setattr(os, "write", lambda descriptor, data: known(descriptor, data[:5]))
        journal.log("info", "lost")
    journal.log("info", "back")
    one, half, count, back = path.read_text().splitlines()
    assert (len(half), json.loads(one)["event"], json.loads(count)["count"]) == (5, "one", 1)
    assert json.loads(back)["event"] == "back"


def test_a_place_that_can_not_be_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    open_journal(tmp_path / "file" / "portsup.log").log("error", "fatal")


@pytest.mark.live
def test_structlog_comes_late_and_brings_no_terminal_libraries(tmp_path: Path) -> None:
    unwanted = ("rich", "colorama", "better_exceptions")
    for name in unwanted:
        (tmp_path / f"{name}.py").write_text(f"print('{name} was imported')\n")
    code = (
        "import sys, supervisor.logs.journal as j; early = 'structlog' in sys.modules\n"
        "journal = j.open_journal('/dev/null'); journal.log('info', 'one'); late = 'structlog' in sys.modules\n"
        f"journal.settle(); print(early, late, 'structlog' in sys.modules, set({unwanted}) & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"},
        timeout=30,
    )
    assert done.stdout == "False False True set()\n"


@pytest.mark.parametrize("number", [1, 2])
def test_a_directory_in_the_way_of_an_older_part_lets_no_journal_grow_on(tmp_path: Path, number: int) -> None:
    (tmp_path / f"portsup.log.{number}" / "x").mkdir(parents=True)
    file = JournalFile(str(tmp_path / "portsup.log"), max_size=100, backups=2)
    for count in range(200):
        file.write(f"event {count:03d}")
        parts = [path.stat().st_size for path in tmp_path.iterdir() if path.is_file()]
        assert sum(parts) <= 330
    assert (tmp_path / "portsup.log").read_text().endswith("event 199\n")
    assert file.lost == 0
