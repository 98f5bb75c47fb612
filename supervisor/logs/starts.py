"""When each service was started last, read from the end of an instance's journal."""

import os
from collections.abc import Collection
from datetime import datetime

from supervisor.core.journal import RollBegins, ServiceSpawned
from supervisor.core.naming import called
from supervisor.logs.blocks import backwards
from supervisor.logs.history import parsed
from supervisor.logs.journal_file import BACKUPS
from supervisor.logs.part import Part

_STARTS = (ServiceSpawned.event, RollBegins.event)


def last_starts(journal: str | os.PathLike[str], services: Collection[str]) -> dict[str, float]:
    """By service, or replica of one, when its last process was spawned, in seconds since 1970; without those lost."""
    found: dict[str, float] = {}
    for number in range(BACKUPS + 1):
        part = Part.open("", os.fspath(journal), number)
        if part is None:
            continue
        try:
            for block in backwards(part.descriptor, os.fstat(part.descriptor).st_size):
                for line in reversed(block.raw()):
                    if any(each.encode() in line for each in _STARTS):
                        _note(line, services, found)
                if len(found) == len(services):
                    return found
        finally:
            part.close()
    return found


def _note(line: bytes, services: Collection[str], found: dict[str, float]) -> None:
    event = parsed(line.decode(errors="replace"))
    if event is None or event["event"] not in _STARTS:  # half a line, or one that quotes an event
        return
    name = called(event.get("service") or "", event.get("replica"))
    if name in services and name not in found:
        found[name] = datetime.fromisoformat(event["time"]).timestamp()
