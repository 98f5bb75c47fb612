"""How long each service took to start, and for whom it waited, out of the events of a run.  Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from supervisor.core import journal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Event = Mapping[str, Any]
    Needs = Mapping[str, Mapping[str, str]]  # service -> dependency -> how far that must have come

_RELEASED = (
    journal.ServicePreparing.event,
    journal.ServiceStarting.event,
)  # whichever comes first: it waits for nobody any more
_OUTCOMES = {
    journal.ServiceReady.event: "ready",
    journal.ServiceExited.event: "exited",
    journal.ServiceFailed.event: "failed",
}
# What a dependency must have reached, and the events that say it has.
_MILESTONES = {
    "started": (journal.ServiceSpawned.event,),
    "listening": (journal.ServiceListens.event, journal.ServiceReady.event),
    "ready": (journal.ServiceReady.event, journal.ServiceExited.event),
    "completed": (journal.ServiceExited.event, journal.ServiceFailed.event),
    "completed_ok": (journal.ServiceExited.event,),
}


class Launch:
    """The start of one service; all times in seconds since the instance came up, None for what did not happen."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.at: dict[str, float] = {}  # event -> when it was first
        self.spawned: float | None = None  # the process that counts in the end
        self.starts = 0
        self.listens: float | None = None
        self.outcome = ""
        self.settled: float | None = None
        self.after = ""  # the dependency that kept it to the last

    @property
    def acquired(self) -> float | None:
        """When it had its ports."""
        return self.at.get(journal.ServiceWaiting.event)

    @property
    def was_left_idle(self) -> bool:
        """Whether the start of the stack left it for its first client, or for its hour."""
        idle = self.at.get(journal.ServiceIdle.event)
        return idle is not None and (self.released is None or idle < self.released)

    @property
    def released(self) -> float | None:
        """When all that it depends on was far enough."""
        return min((self.at[event] for event in _RELEASED if event in self.at), default=None)


def launches(events: "Iterable[Event]", needs: "Needs") -> list[Launch]:
    """The services that the start of the stack started, in the order in which they were there; those that are not
    come last.  One that was left idle counts only if another waited for it.  `events` begin with that of the instance.
    """
    begun: datetime | None = None
    found: dict[str, Launch] = {}
    is_open = True  # who looks for a port after the first was started is no part of the start
    for event in events:
        when = datetime.fromisoformat(event["time"])
        begun = when if begun is None else begun
        name, what = event.get("service"), event["event"]
        is_open = is_open and what not in _RELEASED
        if name is None:
            continue
        if name not in found:
            if not is_open or what != journal.ServiceAcquiring.event:
                continue
            found[name] = Launch(name)
        _take(found[name], what, (when - begun).total_seconds())
    for launch in found.values():
        launch.after = _last_needed(launch, found, needs.get(launch.name, {}))
    waited_for = {launch.after for launch in found.values()}
    told = [launch for launch in found.values() if not launch.was_left_idle or launch.name in waited_for]
    return sorted(told, key=lambda each: (each.settled is None, each.settled or 0.0))


def _take(launch: Launch, what: str, when: float) -> None:
    """What happened once it had settled still counts for those that wait for its end, as for a job's."""
    launch.at.setdefault(what, when)
    if launch.settled is not None:
        return
    if what == journal.ServiceSpawned.event:
        launch.starts += 1
        launch.spawned, launch.listens = when, None
    elif what == journal.ServiceListens.event:
        launch.listens = when
    if what in _OUTCOMES:
        launch.outcome, launch.settled = _OUTCOMES[what], when


def _last_needed(launch: Launch, found: Mapping[str, Launch], needs: "Mapping[str, str]") -> str:
    if launch.released is None:
        return ""
    latest = (0.0, "")
    for need, condition in needs.items():
        if need in found:
            reached = [found[need].at[event] for event in _MILESTONES[condition] if event in found[need].at]
            if reached and min(reached) <= launch.released:
                latest = max(latest, (min(reached), need))
    return latest[1]


def critical_chain(told: Sequence[Launch]) -> list[Launch]:
    """Who kept the start to the end: the last one that was there, whom that waited for, and so on."""
    by_name = {each.name: each for each in told}
    last = max((each for each in told if each.settled is not None), key=lambda each: each.settled or 0.0, default=None)
    chain: list[Launch] = []
    while last is not None and last not in chain:
        chain.append(last)
        last = by_name.get(last.after)
    return chain


def phases(launch: Launch) -> Iterator[tuple[str, float | None]]:
    """How long it looked for a port, waited for others, was spawned, came to listen, and came from there to ready."""
    acquiring = launch.at.get(journal.ServiceAcquiring.event)
    yield "port", _between(acquiring, launch.acquired)
    yield "waited", _between(launch.acquired, launch.released)
    yield "spawn", _between(launch.released, launch.spawned)
    yield "listening", _between(launch.spawned, launch.listens)
    yield "ready", _between(launch.listens if launch.listens is not None else launch.spawned, launch.settled)


def _between(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None else max(0.0, end - begin)
