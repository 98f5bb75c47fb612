"""What the journal of an instance tells, and what it makes of it: events, and why a service went wrong."""

import math
import os
from collections import deque
from collections.abc import Collection
from datetime import datetime

from supervisor.api.values import Event, EventPage, Why
from supervisor.control.json_form import read
from supervisor.errors import UsageError
from supervisor.logs.history import read_events
from supervisor.logs.tail import read_last
from supervisor.words import story


def journal_of(directory: str) -> str:
    """The journal of the instance that keeps its logs in `directory`."""
    return os.path.join(directory, "portsup.log")


def events_of(directory: str, services: Collection[str] = (), *, cursor: str = "", count: int = 50) -> EventPage:
    """The last `count` events of these services or of all, or those behind `cursor`; raises UsageError for a wrong one.

    With a cursor they are the first `count` behind it, so that nothing is passed over.
    """
    behind = _position(cursor)
    kept: deque[Event] = deque(maxlen=None if cursor else count)
    position = cursor
    for told in read_events(journal_of(directory)):
        if behind is not None and _moment(told["time"], told.get("seq", 0)) <= behind:
            continue
        position = f"{told['time']}/{told.get('seq', 0)}"
        if not services or told.get("service") in services:
            kept.append(read(Event, told))
            if cursor and len(kept) == count:
                break
    return EventPage(tuple(kept), position)


def _position(cursor: str) -> tuple[float, int] | None:
    if not cursor:
        return None
    time, _, number = cursor.rpartition("/")
    try:
        return _moment(time, int(number))
    except ValueError:
        raise UsageError("cannot go on reading events", "this is no cursor of events", "leave it out") from None


def _moment(time: str, number: int) -> tuple[float, int]:
    try:
        return datetime.fromisoformat(time).timestamp(), number
    except (ValueError, OverflowError):
        raise ValueError(time) from None


def why_of(directory: str, service: str, state: str | None, *, failures: int = 3, lines: int = 50) -> Why:
    """Why a service went wrong in the last run; `state` is what it is now, None where nothing runs.

    Of its last `failures` failures, with the last `lines` that it printed; -1 means all of them.
    """
    events = story.of_last_run(read_events(journal_of(directory)))
    chapters = story.chapters(events, service)
    total = len(chapters)
    told = chapters if failures < 0 else chapters[max(0, total - failures) :]
    output = _printed(directory, service, lines, story.span_of_output(events, service)) if told else []
    advice = story.advice(events, service, state or "stopped") if told else []
    return Why(
        service, state, total, tuple(tuple(read(Event, each) for each in chapter) for chapter in told),
        tuple(read(Event, each) for each in story.later(events, service)), tuple(output),
        (*advice, *story.hints(events, service)),
    )  # fmt: skip


def _printed(directory: str, service: str, lines: int, span: tuple[float, float]) -> list[str]:
    """Its last output between these moments."""
    since, until = span
    path = os.path.join(directory, f"{service}.log")
    past = read_last({service: path}, lines if lines >= 0 and until == math.inf else None)
    kept = (line.message for line in past if since <= line.time < until)
    return list(kept if lines < 0 else deque(kept, maxlen=lines))
