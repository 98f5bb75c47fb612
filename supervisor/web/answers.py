"""What the page asks for beside its stream, as plain data; every call may take as long as reading files does."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from supervisor.api import machine, sight
from supervisor.api.drawing import drawn
from supervisor.api.history import events_of
from supervisor.api.launch import critical_chain, phases
from supervisor.api.log_scroll import LogScroll, level_named, printers
from supervisor.api.log_search import search_logs
from supervisor.api.pools import all_pools
from supervisor.api.project import Project
from supervisor.api.values import Event, LogQuery, as_json
from supervisor.core import journal
from supervisor.core.naming import parted
from supervisor.errors import PortsupError, UsageError
from supervisor.web.windows import event_of
from supervisor.words import answers

Asked = Mapping[str, str]
Told = dict[str, Any]
MOST_LINES = 1000  # of a stretch of a log
MOST_FOUND = 2000  # matches of a search, of each service
MOST_EVENTS = 2000
_SCROLLS = 8  # that stay open
_STARTS = (journal.ServiceSpawned.event, journal.RollBegins.event)


class Scrolls:
    """The logs that somebody scrolls in, counted once and then read on."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, ...], LogScroll] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, directory: str, services: tuple[str, ...]) -> LogScroll:
        """That of these services."""
        with self._lock:
            key = (directory, *printers(directory, services))
            if key not in self._open:
                self._open[key] = LogScroll(directory, services)
            self._open.move_to_end(key)
            if len(self._open) > _SCROLLS:
                self._open.popitem(last=False)[1].close()
            return self._open[key]


_scrolls = Scrolls()


def why(project: Project, asked: Asked) -> Told:
    """Why a service went wrong, as a story."""
    told = project.why(_service(asked), failures=5, lines=50)
    events = {"chapters": [_events(each) for each in told.chapters], "since": _events(told.since)}
    return as_json(told) | events


def service(project: Project, asked: Asked) -> Told:
    """How a service is configured, its environment without secrets, and what it used in the last hour."""
    name = _service(asked)
    told: Told = {"settings": [], "mistake": None}
    try:
        told["settings"] = [as_json(each) for each in sight.settings_of(project, name)]
    except PortsupError as error:
        told["mistake"] = fields_of(error)
    return told | {"environment": [as_json(each) for each in sight.environment_of(project, name)]}


def graph(project: Project, _: Asked) -> Told:
    """Which service needs which, drawn."""
    return as_json(drawn(sight.graph_of(project)))


def trend(project: Project, _: Asked) -> Told:
    """What the services used in the last hour."""
    return as_json(project.stack().trend())


def pools(_: Project, __: Asked) -> Told:
    """The pools of all instances that run."""
    told = []
    for each in all_pools():
        about = {"stack": each.stack, "instance": each.instance, "folder": each.folder}
        services = [
            {"name": row.name, "pid": row.pid, "pool": [as_json(one) for one in row.pool]} for row in each.services
        ]
        told.append(about | {"services": services})
    return {"instances": told}


def port(project: Project, asked: Asked) -> Told:
    """What became of a port."""
    return {"events": _events(project.stack().port_history(_number(asked, "port", 0)))}


def events(project: Project, asked: Asked) -> Told:
    """What happened, the last events or those behind a cursor."""
    page = events_of(project.logs_directory(), cursor=asked.get("cursor", ""), count=MOST_EVENTS)
    return {"events": _events(page.events), "cursor": page.cursor}


def timings(project: Project, _: Asked) -> Told:
    """How long the last start took."""
    starts = sight.last_start(project)
    chain = critical_chain(starts)
    rows = [
        {
            "name": each.name, "outcome": each.outcome, "settled": each.settled, "after": each.after,
            "begin": each.at.get(journal.ServiceAcquiring.event), "phases": dict(phases(each)),
            "critical": each in chain,
        }
        for each in starts
    ]  # fmt: skip
    return {"rows": rows}


def stretch(project: Project, asked: Asked) -> Told:
    """Some lines of the logs of these services: from `number` on, from a `time` or the restart on, or the last ones."""
    directory, services = project.logs_directory(), _services(project, asked)
    scroll = _scrolls.of(directory, services)
    count = min(MOST_LINES, _number(asked, "count", 200))
    number: int | None = _number(asked, "number", 0) if "number" in asked else None
    if "time" in asked:
        number = scroll.number_at(_moment(asked["time"]))
    elif asked.get("since") == "restart":
        number = scroll.number_since_restart()
    told = as_json(scroll.stretch(number, count))
    return told | {"asked": number}


def starts(project: Project, asked: Asked) -> Told:
    """When the processes of these services were started, for marks between the lines of their logs."""
    page = project.history(*_services(project, asked), count=MOST_EVENTS)
    return {"starts": _events([each for each in page.events if each.event in _STARTS])}


def search(project: Project, asked: Asked) -> Told:
    """The lines of these services that match, with those around them."""
    query = LogQuery(
        grep=asked.get("grep") or None, ignore_case=asked.get("case") != "yes", level=asked.get("level") or None,
        since_restart=asked.get("since") == "restart", context=min(20, _number(asked, "context", 0)),
        count=MOST_FOUND, cursor=asked.get("cursor", ""),
    )  # fmt: skip
    told = as_json(search_logs(project.logs_directory(), _services(project, asked), query, 8.0))
    return told | {"lines": [line | {"level": level_named(line["message"])} for line in told["lines"]]}


def everything(_: Project, __: Asked) -> Told:
    """All that runs on this machine, and what runs that are over have left."""
    told: Told = {"instances": [as_json(each) for each in machine.instances()], "left": None, "trouble": ""}
    try:
        left = machine.left_over()
        told["left"], told["trouble"] = as_json(left), left.trouble
    except PortsupError as error:
        told["trouble"] = error.why
    return told


def fields_of(error: PortsupError) -> Told:
    """An error as the page shows it, mistakes of services.yaml with their places."""
    problems = [f"{each}; {each.hint}" if each.hint else str(each) for each in getattr(error, "problems", ())]
    is_asked_wrong = isinstance(error, UsageError)
    return {"what": error.what, "why": error.why, "hint": error.hint, "problems": problems, "usage": is_asked_wrong}


ANSWERS: Mapping[str, Callable[[Project, Asked], Told]] = {
    "why": why, "service": service, "graph": graph, "trend": trend, "port": port, "events": events, "timings": timings,
    "pools": pools, "stretch": stretch, "starts": starts, "search": search, "machine": everything,
}  # fmt: skip
# Lines of logs, which can be copied as they were printed; the page takes out what would change how others look.
AS_PRINTED = frozenset({stretch, search})


def _events(events: Any) -> list[Told]:
    return [event_of(each) for each in events if isinstance(each, Event)]


def _service(asked: Asked) -> str:
    if not (name := asked.get("service", "")):
        raise UsageError("cannot answer", "`service` is missing")
    return name


def _services(project: Project, asked: Asked) -> tuple[str, ...]:
    """Those asked for, or all; raises NotFound, so that no name can lead to another file."""
    known = project.services()
    names = tuple(filter(None, asked.get("services", "").split(",")))
    if wrong := [name for name in names if parted(name, known)[0] not in known]:
        raise answers.unknown(wrong[0], answers.named(known))
    return names or tuple(known)


def _number(asked: Asked, key: str, otherwise: int) -> int:
    text = asked.get(key) or str(otherwise)  # a page that leaves it open may say so with nothing
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise UsageError("cannot answer", f"`{key}` is a number, not {text[:40]!r}")
    return int(text)


def _moment(text: str) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError("cannot answer", f"`time` is no moment: {text[:40]!r}") from None
