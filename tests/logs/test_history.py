"""The journal read back."""

import json
import tracemalloc
from pathlib import Path

import pytest

from supervisor.logs.history import read_events
from supervisor.logs.journal import open_journal
from supervisor.logs.line import LATEST
from supervisor.logs.starts import last_starts


def test_rotated_parts_come_first(tmp_path: Path) -> None:
    for name, event in (("portsup.log.2", "a"), ("portsup.log.1", "b"), ("portsup.log", "c")):
        (tmp_path / name).write_text(
            json.dumps({"time": "2026-11-30T10:00:00Z", "level": "info", "event": event}) + "\n"
        )
    assert [event["event"] for event in read_events(tmp_path / "portsup.log")] == ["a", "b", "c"]


def test_what_is_no_event_is_passed_over(tmp_path: Path) -> None:
    lines = [
        '{"time": "2026-11-30T10:00:00Z", "level": "in',
        "",
        "[]",
        "17",
        '{"event": 5}',
        '{"time": "2026-11-30T10:00:00Z", "level": "info", "event": "e"}',
    ]
    (tmp_path / "portsup.log").write_text("\n".join([*lines, "\0\0\udcff"]), errors="surrogateescape")
    assert [event["event"] for event in read_events(tmp_path / "portsup.log")] == ["e"]


@pytest.mark.parametrize(
    "time", ["", "t", "2026-11-30", "2026-11-30T10:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
def test_a_line_without_a_moment_that_every_place_on_earth_has_is_no_event(tmp_path: Path, time: str) -> None:
    line = {"time": time, "level": "info", "event": "service spawned", "service": "web"}
    (tmp_path / "portsup.log").write_text(json.dumps(line) + "\n")
    assert list(read_events(tmp_path / "portsup.log")) == []
    assert last_starts(tmp_path / "portsup.log", ["web"]).get("web", 0.0) < LATEST


def test_a_line_without_an_end_is_not_kept_in_memory(tmp_path: Path) -> None:
    event = '{"time": "2026-11-30T10:00:00Z", "level": "info", "event": "%s"}'
    lines = [event % "before", event % ("x" * 9_000_000), event % "after", event % "last"]
    (tmp_path / "portsup.log").write_text("\n".join(lines))
    tracemalloc.start()
    try:
        told = [event["event"] for event in read_events(tmp_path / "portsup.log")]
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert told == ["before", "after", "last"]
    assert most < 5_000_000


def test_no_journal_has_no_events(tmp_path: Path) -> None:
    assert list(read_events(tmp_path / "portsup.log")) == []


def test_events_are_numbered_and_told_as_they_are_written(tmp_path: Path) -> None:
    told: list[dict[str, object]] = []
    journal = open_journal(tmp_path / "portsup.log", secrets=("sesame-sesame",))
    journal.on_event = lambda event: told.append(dict(event))
    journal.log("info", "one", why="it said sesame-sesame")
    journal.log("warning", "two")
    journal.close()
    assert [(event["seq"], event["event"]) for event in told] == [(1, "one"), (2, "two")]
    assert told[0]["why"] == "it said ***"
    assert told == list(read_events(tmp_path / "portsup.log"))
