"""The journal of an instance read back: every event that its files still have, oldest first."""

import json
import os
from collections.abc import Iterator
from typing import Any

from supervisor.files.opening import open_file
from supervisor.logs.journal_file import BACKUPS
from supervisor.logs.rotation import backup


def read_events(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """The events of the journal at `path` and of its rotated parts; lines that are no event are passed over."""
    for number in range(BACKUPS, -1, -1):
        try:
            descriptor = open_file(backup(os.fspath(path), number), os.O_RDONLY)
        except OSError:
            continue
        with open(descriptor, encoding="utf-8", errors="replace") as part:
            for line in part:
                event = _parsed(line)
                if event is not None:
                    yield event


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):  # half a line, of a full disk or of a machine that stopped
        return None
    if not isinstance(event, dict) or not all(isinstance(event.get(key), str) for key in ("time", "level", "event")):
        return None
    return event
