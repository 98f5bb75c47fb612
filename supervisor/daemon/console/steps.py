"""Which event of the journal a step of a service is.  Pure."""

from collections.abc import Callable

from supervisor.annotations import Any
from supervisor.config.spec import ServiceSpec
from supervisor.core import journal
from supervisor.core.reasons import Cause, NoRoom, facts_of
from supervisor.core.service import KILL_REQUESTED, Service
from supervisor.core.state import AT_REST, IS_ASLEEP, Beside, Health, Milestone, Role, State, Then
from supervisor.words.failures import STDIN_HINT, ends_with_stdin, failure
from supervisor.words.reasons import text_of

AT_ONCE = 10.0  # seconds within which a program has ended at once

# The events of states that nothing else is to be told of.
_OF_STATE: dict[State, Callable[..., journal.Event]] = {
    State.ACQUIRING: journal.ServiceAcquiring,
    State.WAITING: journal.ServiceWaiting,
    State.PREPARING: journal.ServicePreparing,
    State.STARTING: journal.ServiceStarting,
    State.TERMINATING: journal.ServiceTerminating,
    State.KILLING: journal.ServiceKilling,
    State.CLEANING: journal.ServiceCleaning,
    State.BACKOFF: journal.ServiceBackoff,
}


def event_of(before: Service, after: Service, spec: ServiceSpec, took: float | None) -> journal.Event | None:
    """What the step from `before` to `after` is; `took` is the age of the process in seconds."""
    name, state = after.name, str(after.state)
    if (roll := _of_roll(before, after)) is not None:
        return roll
    if after.state is before.state:
        return _within(before, after)
    match after.state:
        case State.RUNNING:
            age = None if took is None else round(took, 3)
            return journal.ServiceReady(service=name, state=state, port=after.port, pid=after.pid, took=age)
        case State.IDLE:
            return journal.ServiceIdle(service=name, state=state, port=after.port)
        case State.WAITING if before.state is State.IDLE and after.clients_until is not None:
            return journal.ServiceCalled(service=name, state=state, port=after.port)
        case State.STARTING if _is_coming(before.beside):
            return _restarting(after, takes_over=after.pid)
        case State.STARTING | State.PREPARING if after.restarts > before.restarts:
            return _restarting(after)
        case State.BACKOFF:
            return _restarting(after, waits=True)
        case State.CLEANING if after.then is Then.RETRY and before.state is State.PREPARING:
            return journal.StartFailed(service=name, state=state, **because(after.reason))
        case State.ACQUIRING if before.state not in AT_REST:
            is_requested = before.then is Then.MOVE
            return journal.PortLeft(
                service=name,
                state=state,
                port=before.port,
                **because(after.reason or before.reason),
                is_requested=is_requested,
            )
        case State.KILLING if before.state is State.TERMINATING and after.reason != KILL_REQUESTED:
            if after.grace:
                return journal.GraceOver(service=name, state=state, pid=after.pid, grace=after.grace)
            return journal.ServiceIsKilled(service=name, state=state, pid=after.pid)
        case State.KILLING if after.then is Then.EXIT:
            return journal.LeftBehind(service=name, state=state, pid=after.pid, **because(after.reason))
        case State.TERMINATING if after.then is Then.LEAVE:
            return journal.StopsItself(service=name, state=state, pid=after.pid)
        case State.TERMINATING if after.then in (Then.RETRY, Then.ROTATE):
            return journal.ServiceIsEnded(service=name, state=state, pid=after.pid, **because(after.reason))
        case State.FAILED:
            return journal.ServiceFailed(
                service=name, state=state, result=str(after.result), **because(after.reason), exit_code=after.exit_code,
                words=failure(after, spec),
            )  # fmt: skip
        case State.EXITED:
            hint = STDIN_HINT if took is not None and took < AT_ONCE and ends_with_stdin(spec) else None
            return journal.ServiceExited(
                service=name, state=state, exit_code=after.exit_code, **because(after.reason), hint=hint
            )
        case State.STOPPED:
            had_ended = before.state is State.WAITING or before.state in IS_ASLEEP
            return journal.ServiceStopped(service=name, state=state, **(because(after.reason) if had_ended else {}))
    make = _OF_STATE[after.state]
    return make(service=name, state=state, port=after.port, pid=after.pid, **because(after.reason))


def listening_of(before: Service, after: Service) -> journal.Event | None:
    """That a service listens, where that is what makes it ready in the same step."""
    if not after.is_ready_by_listening or after.state is not State.RUNNING or before.state is not State.STARTING:
        return None
    if before.reached >= Milestone.LISTENING:
        return None
    return journal.ServiceListens(service=after.name, state=str(before.state), port=after.port, pid=after.pid)


def _within(before: Service, after: Service) -> journal.Event | None:
    """What a step is that leaves the state as it is."""
    where: dict[str, Any] = {"service": after.name, "state": str(after.state)}
    if after.health is not before.health:
        match after.health:
            case Health.UNHEALTHY:
                return journal.ServiceUnhealthy(**where, pid=after.pid, **because(after.reason))
            case Health.HEALTHY:
                return journal.ServiceHealthy(**where, pid=after.pid)
    if after.restarts > before.restarts and after.state in (State.STARTING, State.PREPARING):
        return _restarting(after)
    if after.told and after.told != before.told:
        return journal.ServiceSays(**where, pid=after.pid, says=after.told)
    if after.reloading_since is not None and before.reloading_since is None:
        return journal.ServiceReloads(**where, pid=after.pid)
    if after.reloading_since is None and before.reloading_since is not None:
        return journal.ServiceReloaded(**where, pid=after.pid)
    if after.state is State.WAITING and after.reason != before.reason and isinstance(after.reason, NoRoom):
        return journal.RoomAwaited(**where, **because(after.reason))
    if after.state is not State.STARTING:
        return None
    if after.pid is not None and after.pid != before.pid:
        return journal.ServiceSpawned(**where, port=after.port, pid=after.pid)
    if after.reached > before.reached and after.reached is Milestone.LISTENING:
        return journal.ServiceListens(**where, port=after.port, pid=after.pid)
    if after.trouble != before.trouble:
        return journal.NotReadyYet(**where, pid=after.pid, **because(after.trouble))
    return None


def _of_roll(before: Service, after: Service) -> journal.Event | None:
    """What there is to tell of a rolling restart."""
    where: dict[str, Any] = {"service": after.name, "state": str(after.state)}
    was, now = before.beside, after.beside
    if was is not None and _is_coming(was) and was.pid is None and now is not None and now.pid is not None:
        return journal.RollBegins(**where, pid=now.pid, beside=after.pid)
    if after.state is State.RUNNING and after.pid != before.pid and now is not None:
        return journal.RollHandsOn(**where, port=after.port, pid=after.pid, leaving=now.pid)
    if after.roll_trouble != before.roll_trouble and after.roll_trouble and after.state is State.RUNNING:
        return journal.RollFailed(**where, **because(after.roll_trouble), pid=after.pid)
    if was is None or now is None or was.pid != now.pid:
        return None
    if was.role is Role.LEAVING and now.role is Role.DOOMED and after.state is State.RUNNING:
        return journal.GraceOver(**where, pid=now.pid, grace=was.grace, is_replaced=True)
    if was.deadline is not None and now.deadline is None:
        return journal.LeftOver(**where, pid=now.pid)
    return None


def because(cause: Cause) -> dict[str, Any]:
    """A reason as two facts of an event: in words, and typed if portsup itself knows it."""
    return {"why": text_of(cause), "cause": facts_of(cause)}


def _is_coming(beside: Beside | None) -> bool:
    return beside is not None and beside.role is Role.SUCCESSOR


def _restarting(after: Service, *, waits: bool = False, takes_over: int | None = None) -> journal.Event:
    return journal.ServiceRestarts(
        service=after.name, state=str(after.state), **because(after.reason), exit_code=after.exit_code,
        restarts=after.restarts, waits=waits, takes_over=takes_over,
    )  # fmt: skip
