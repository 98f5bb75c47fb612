"""The journal of an instance read back: every event that its files still have, oldest first."""

import json
import os
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TextIO

from supervisor.core.journal.fit import fits
from supervisor.files.opening import open_file
from supervisor.logs.journal_file import BACKUPS
from supervisor.logs.rotation import backup

_LONGEST = 1 << 20  # characters of a line
_FIRST_YEAR, _LAST_YEAR = 1970, 9999  # what is before the one or in the other is damage


def read_events(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """The events of the journal at `path` and of its rotated parts; lines that are no event are passed over."""
    for number in range(BACKUPS, -1, -1):
        try:
            descriptor = open_file(backup(os.fspath(path), number), os.O_RDONLY)
        except OSError:
            continue
        with open(descriptor, encoding="utf-8", errors="replace") as part:
            for line in _lines(part):
                event = parsed(line)
                if event is not None:
                    yield event


def events_of_port(path: str | os.PathLike[str], port: int, count: int = 200) -> list[dict[str, Any]]:
    """The last `count` events that are about a port: taken, listened on, left, passed over, listened on by another."""
    told = str(port)
    kept: deque[dict[str, Any]] = deque(maxlen=count)
    for event in read_events(path):
        if event.get("port") == port or told in (event.get("skipped") or ()) or port in (event.get("elsewhere") or ()):
            kept.append(event)
    return list(kept)


def _lines(part: TextIO) -> Iterator[str]:
    """Those of a journal; one that is longer than any of ours is not kept in memory."""
    is_inside = False  # of such a line
    while line := part.readline(_LONGEST):
        is_whole = line.endswith("\n") or len(line) < _LONGEST
        if is_whole and not is_inside:
            yield line
        is_inside = not is_whole


def parsed(line: str) -> dict[str, Any] | None:
    """The event of a line of a journal; None for one that is none."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):  # half a line, of a full disk or of a machine that stopped
        return None
    return event if isinstance(event, dict) and fits(event) and _is_moment(event["time"]) else None


def _is_moment(text: str) -> bool:
    """Whether it says when, and in which time zone; so that it is a moment in every other one, too."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return False
    return when.tzinfo is not None and _FIRST_YEAR <= when.year < _LAST_YEAR
