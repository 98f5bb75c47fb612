"""What the journal of an instance tells, and what it makes of it: events, and why a service went wrong."""

import math
import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from supervisor.api.values import Event, EventPage, Why
from supervisor.control.json_form import read
from supervisor.core.naming import called
from supervisor.errors import UsageError
from supervisor.logs.files import log_name
from supervisor.logs.history import read_events
from supervisor.logs.tail import read_last
from supervisor.words import events as words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
    events = read_events(journal_of(directory))
    for told in events if behind is None else _behind(events, cursor, behind):
        position = f"{told['time']}/{told.get('seq', 0)}"
        service = told.get("service")
        if not services or service in services or called(str(service), told.get("replica")) in services:
            kept.append(read(Event, told))
            if cursor and len(kept) == count:
                break
    return EventPage(tuple(kept), position)


def _behind(
    events: "Iterable[dict[str, Any]]", cursor: str, moment: tuple[float, int]
) -> "Iterator[dict[str, Any]]":
    """Those that were written behind the one of the cursor; once that is gone, those of later moments.

    What was written later may have an earlier moment: clocks are set back.
    """
    later: list[dict[str, Any]] = []
    told = iter(events)
    for event in told:
        if f"{event['time']}/{event.get('seq', 0)}" == cursor:
            yield from told
            return
        if _moment(event["time"], event.get("seq", 0)) > moment:
            later.append(event)
    yield from later


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


def why_of(
    directory: str, service: str, state: str | None, *, failures: int = 3, lines: int = 50, replica: int | None = None
) -> Why:
    """Why a service went wrong in the last run; `state` is what it is now, None where nothing runs.

    Of its last `failures` failures, with the last `lines` that it printed; -1 means all of them.  Of several replicas
    the output is that of the one that failed last; with `replica` only that one is told of.
    """
    every = words.of_last_run(read_events(journal_of(directory)))
    by_replica = _by_replica(every, service, replica)
    chapters = [(chapter, number) for number, its in by_replica.items() for chapter in words.chapters(its, service)]
    chapters.sort(key=lambda each: _moment(each[0][-1]["time"], each[0][-1].get("seq", 0)))
    total = len(chapters)
    told = chapters if failures < 0 else chapters[max(0, total - failures) :]
    last = chapters[-1][1] if chapters else replica
    events = by_replica.get(last, [])
    output = _printed(directory, service, last, lines, words.span_of_output(events, service)) if told else []
    advice = words.advice(events, service, state or "stopped") if total else []
    failed = {number for _, number in chapters} or by_replica.keys()
    since = [event for number in failed for event in words.later(by_replica[number], service)]
    since.sort(key=lambda event: _moment(event["time"], event.get("seq", 0)))
    return Why(
        called(service, replica), state, total,
        tuple(tuple(read(Event, each) for each in chapter) for chapter, _ in told),
        tuple(read(Event, each) for each in since), tuple(output), (*advice, *words.hints(events, service)),
    )  # fmt: skip


def _by_replica(
    events: "Sequence[Mapping[str, Any]]", service: str, wanted: int | None
) -> "dict[int | None, list[Mapping[str, Any]]]":
    """What happened, once for each replica without what happened to the others; under None where there is one."""
    numbers = dict.fromkeys(event.get("replica") for event in events if event.get("service") == service)
    numbers = dict.fromkeys(number for number in numbers if wanted in (None, number)) or {wanted: None}
    return {
        number: [each for each in events if each.get("service") != service or each.get("replica") == number]
        for number in numbers
    }


def _printed(directory: str, service: str, replica: int | None, lines: int, span: tuple[float, float]) -> list[str]:
    """Its last output between these moments."""
    since, until = span
    path = os.path.join(directory, log_name(service, replica or 1))
    past = read_last({service: path}, lines if lines >= 0 and until == math.inf else None)
    kept = (line.message for line in past if since <= line.time < until)
    return list(kept if lines < 0 else deque(kept, maxlen=lines))
