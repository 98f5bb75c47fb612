"""What the events of a journal say, as people would tell them, and what went wrong with a service by them.  Pure."""

from collections.abc import Iterable, Mapping, Sequence

from supervisor.core import journal
from supervisor.core.state import AT_REST
from supervisor.words.enumeration import counted
from supervisor.words.moments import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Event = Mapping[str, Any]

_QUIET = frozenset(each.event for each in journal.ALL if each.is_quiet)
_ENDS = frozenset(each.event for each in journal.ALL if each.is_failure)


def of_last_run(events: "Iterable[Event]") -> "list[Event]":
    """The events since the instance came up the last time."""
    kept: list[Event] = []
    for event in events:
        if event["event"] == journal.InstanceStarts.event:
            kept.clear()
        kept.append(event)
    return kept


def chapters(events: "Sequence[Event]", service: str) -> "list[list[Event]]":
    """The failures of a service, oldest first: each from where it was last well to where it went wrong."""
    found: list[list[Event]] = []
    current: list[Event] = []
    for event in events:
        if event.get("service") != service or event["event"] in _QUIET:
            continue
        current.append(event)
        if not _is_failure(event):
            continue
        if found and current == [event] and found[-1][-1]["event"] == journal.LeftBehind.event:
            found[-1].append(event)  # what came of the same end
            current = []
        else:
            found.append(current)
            current = []
    return found


def later(events: "Sequence[Event]", service: str) -> "list[Event]":
    """What came of a service since its last failure."""
    since: list[Event] = []
    for event in events:
        if event.get("service") == service and event["event"] not in _QUIET:
            since.append(event)
            if _is_failure(event):
                since.clear()
    return since


def span_of_output(events: "Sequence[Event]", service: str) -> tuple[float, float]:
    """Between which moments lies what it printed up to its last failure: the start of the run, and its next process.

    In seconds since 1970; without an end where no process came after that failure.
    """
    from datetime import datetime

    begin = (event["time"] for event in events)
    after = (event["time"] for event in later(events, service) if event["event"] == journal.ServiceSpawned.event)
    since, until = (datetime.fromisoformat(told).timestamp() if (told := next(each, "")) else None
                    for each in (begin, after))  # fmt: skip
    return since or 0.0, until or float("inf")


def _is_failure(event: "Event") -> bool:
    """Whether something went wrong; a rotation that somebody asked for is no failure."""
    return event["event"] in _ENDS and not event.get("is_requested")


def sentence(event: "Event") -> str:
    """One event as a person would tell it."""
    told = _sentence(event)
    return told if event.get("replica") is None else f"replica {event['replica']} {told}"


def _sentence(event: "Event") -> str:
    port = event.get("port")
    place = f" on port {port}" if port is not None else ""
    why = str(event.get("why") or "")
    pid = f" (pid {event['pid']})" if event.get("pid") is not None else ""
    match event["event"]:
        case journal.ServiceAcquiring.event:
            return f"waits for a port: {why}" if why else "begins"
        case journal.PortSkipped.event:
            skipped = event.get("skipped") or {}
            return "; ".join(f"port {each}: {reason}" for each, reason in skipped.items()) + f"; takes {port}"
        case journal.OrphansReaped.event:
            return f"ended what an earlier run left behind (pid {', '.join(map(str, event.get('pids') or ()))})"
        case journal.HookRuns.event:
            return f"runs its {event.get('hook')}{pid}"
        case journal.HookFailed.event:
            return f"goes on although its {why}"
        case journal.HookLeft.event:
            return (
                f"kills what its {event.get('hook')} left behind (pid {', '.join(map(str, event.get('pids') or ()))})"
            )
        case journal.StartFailed.event:
            return f"does not start: {why}"
        case journal.FilesChanged.event:
            return f"`{event.get('path')}` changed, so: {event.get('action')}"
        case journal.WatchFailed.event:
            return f"cannot watch its files: {why}"
        case journal.RunBegins.event:
            late = f", {event['late']:g} s late" if event.get("late") else ""
            return f"has its run of {moment(event.get('at') or '')}{late}"
        case journal.RunSkipped.event:
            return f"does not run at {moment(event.get('at') or '')}: the run before is not over"
        case journal.RunQueued.event:
            return f"has its run of {moment(event.get('at') or '')} once the one before is over"
        case journal.ServiceStarting.event:
            return f"starts{place}"
        case journal.ServiceSpawned.event:
            return f"runs{pid}{place}"
        case journal.ServiceListens.event:
            return f"listens{place}"
        case journal.NotReadyYet.event:
            return f"is not ready yet: {why}"
        case journal.ServiceReady.event:
            return f"is ready{place}"
        case journal.ServiceUnhealthy.event:
            return f"is unhealthy: {why}"
        case journal.ServiceIsEnded.event:
            return f"is asked to stop{pid}: {why}"
        case journal.ServiceSays.event:
            return f"says: {event.get('says')}"
        case journal.StopsItself.event:
            return f"says that it is stopping{pid}"
        case journal.NoticeRefused.event:
            who = f"`{event.get('name') or 'a process that is gone'}` (pid {event.get('pid')})"
            return f"portsup ignores a report from {who}, which is not one of its processes"
        case journal.MainTold.event:
            heir = f"goes on as pid {event.get('pid')}, {why}"
            return heir if why else f"says that another process stands for it{pid}"
        case journal.Abandoned.event:
            return f"starts although pid {', '.join(map(str, event.get('pids') or ()))} survived SIGKILL"
        case journal.RollBegins.event:
            return f"rolling restart: pid {event.get('pid')} starts, pid {event.get('beside')} still serves"
        case journal.RollHandsOn.event:
            return f"is ready in its new process{pid}{place}; pid {event.get('leaving')} is asked to stop"
        case journal.RollFailed.event:
            return f"is not replaced, pid {event.get('pid')} stays in service: {why}"
        case journal.LeftOver.event:
            return f"has left a process that SIGKILL does not end{pid}"
        case journal.ServiceTerminating.event:
            return f"is asked to stop{pid}" + (f": {why}" if why else "")
        case journal.GraceOver.event:
            return f"did not end within its grace period{pid}: killed"
        case journal.PortLeft.event:
            return f"leaves port {port}: {why}"
        case journal.ServiceRestarts.event:
            return f"{why}: restart {event.get('restarts')}"
        case journal.ServiceFailed.event:
            return f"has failed ({event.get('result')}): {why}"
        case journal.WrongPort.event:
            elsewhere, count = event.get("elsewhere") or (), event.get("count") or 0
            more = f" and {counted(count - len(elsewhere), 'other')}" if count > len(elsewhere) else ""
            return f"listens on {', '.join(map(str, elsewhere))}{more} instead of {port}"
        case journal.FilterRefused.event:
            return f"{why}; {event.get('hint')}"
        case journal.BindNotSeen.event:
            return f"binds in a process that portsup may not look into: {why}"
        case journal.QueueRelayed.event:
            return f"has lost a process: {counted(event.get('count') or 0, 'client')} that waited there got to another"
        case journal.QueueDropped.event:
            return f"refuses those who waited for its next process: {why}"
        case journal.ServiceIdle.event:
            return f"is idle: its next client{place} starts it"
        case journal.ServiceCalled.event:
            return "starts, because a client waits for it"
        case journal.RoomAwaited.event:
            return f"waits for room: {why}"
        case journal.ClientsUnseen.event:
            return f"is not stopped by `idle_stop`: the system does not tell when its clients leave ({why})"
        case journal.ClientsRefused.event:
            return f"refuses the clients that wait for it: it was not ready within {event.get('within')} s"
        case journal.Fatal.event:
            return f"the stack ends: {why}"
        case journal.BindRefused.event:
            return f"tried to bind port {port}, and portsup refused it (`bind: strict`)"
    return str(event["event"]).removeprefix("service ") + (f": {why}" if why else "")


def hints(events: "Sequence[Event]", service: str) -> list[str]:
    """What to do about the last time that it ended with success, where that is not what anybody wants."""
    last = [
        event for event in events if event.get("service") == service and event["event"] == journal.ServiceExited.event
    ][-1:]
    return [hint for event in last if (hint := str(event.get("hint") or ""))]


def advice(events: "Sequence[Event]", service: str, state: str) -> list[str]:
    """What to do next."""
    last = chapters(events, service)
    if not last:
        return []
    end = last[-1][-1]
    words = str(end.get("words") or "")
    if end["event"] == journal.ServiceFailed.event and (taken := _of_ports(events, service)):
        return [*_of_handoff(events, service), *taken]
    if end["event"] == journal.ServiceFailed.event and words:
        return [*_of_handoff(events, service), *words.splitlines()]
    blocked = [event for event in last[-1] if event["event"] == journal.PortSkipped.event]
    advice = [*_of_handoff(events, service), f"`portsup logs {service}` has all of its output"]
    if blocked or end["event"] == journal.PortLeft.event:
        advice.append("`portsup ports` shows who holds the ports of its pool; end that program, or change the pool")
    if end["event"] == journal.ServiceUnhealthy.event:
        advice.append("this is what its `healthcheck` saw: check its limits")
    if state in AT_REST:
        advice.append(f"`portsup start {service}` tries again")
    return advice


def _of_ports(events: "Sequence[Event]", service: str) -> list[str]:
    """Who had each port of a pool of which none could be used, and what to do about it."""
    last = [event for event in events if event["event"] == journal.Fatal.event and event.get("service") == service][-1:]
    lines = [f"port {port}: {reason}" for event in last for port, reason in (event.get("reasons") or {}).items()]
    return [*lines, *(str(event["hint"]) for event in last if event.get("hint"))] if lines else []


def _of_handoff(events: "Sequence[Event]", service: str) -> list[str]:
    """What helps a program that the handoff keeps from its work."""
    seen = {event["event"] for event in events if event.get("service") == service}
    reasons = {
        journal.FilterRefused.event: "it needs a seccomp listener of its own",
        journal.BindNotSeen.event: "portsup may not look into a process of it that binds",
    }
    return [
        f"set `handoff: off` for `{service}` in services.yaml: {reason}"
        for event, reason in reasons.items()
        if event in seen
    ]
