"""The journal read back."""

import json
from pathlib import Path

from supervisor.logs.history import read_events
from supervisor.logs.journal import open_journal


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
