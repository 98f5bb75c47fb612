"""What the life of a service is made of: how it is started and ended, and what follows when its process is gone.  Pure.

`one_process` and `rolling` decide which of these comes next.
"""

from supervisor.core import events as ev
from supervisor.core.reasons import (
    AfterRestarts,
    Asked,
    BeforeReady,
    Cause,
    EndedBySignal,
    EndedWithCode,
    InARow,
    NoPortUsable,
    NotTried,
    OfHook,
    Reason,
    SaysItHangs,
    SaysItStops,
)
from supervisor.core.restart import GOOD_RUN
from supervisor.core.sd_notify import Notification
from supervisor.core.service import hooks
from supervisor.core.service.hooks import Step
from supervisor.core.service.snapshot import Service
from supervisor.core.state import IS_LIVE, Health, Hook, Milestone, Result, State, Then
from supervisor.dataclass import replace

S = State


def fresh(svc: Service) -> Service:
    """The service as if nothing had ever gone wrong: somebody wants it to start."""
    return replace(svc, attempts=0, short_runs=0, misses=0, failed_ports=(), trouble="", is_called=True)


def idle(svc: Service) -> Service:
    """The service without a process, and all that is said of one."""
    return replace(
        svc, pid=None, deadline=None, reached=Milestone.NONE, health=Health.NONE, ready_since=None, then=Then.STOP,
        reloading_since=None, in_use=False, makes_room_for="",
    )  # fmt: skip


def acquire(svc: Service, leaving: int | None = None) -> Step:
    """Gets it a port."""
    svc = replace(idle(svc), state=S.ACQUIRING, port=None)
    return svc, (ev.LeasePort(svc.failed_ports, leaving),)


def listen(svc: Service, now: float, pause: float = 0.0) -> Step:
    """Has it wait for its first client, whom it looks for after a `pause`, in seconds; a job for its time."""
    svc = replace(
        idle(svc), state=S.IDLE, is_called=False, clients_until=None, deadline=now + pause if pause else None,
        result=Result.NONE, reason="",
    )  # fmt: skip
    return svc, () if pause or svc.port is None else (ev.AwaitClients(svc.port),)


def launch(svc: Service, now: float) -> Step:
    """Starts it on the port it has."""
    svc = replace(idle(svc), trouble="", printed=None, told="", watchdog=svc.timeouts.watchdog)
    if Hook.PRE_START in svc.hooks:
        return hooks.begin(replace(svc, state=S.PREPARING), Hook.PRE_START, now)
    return spawn(svc)


def spawn(svc: Service) -> Step:
    """Starts its process."""
    return replace(svc, state=S.STARTING), (ev.Spawn(svc.port),)


def terminate(
    svc: Service, then: Then, why: Cause, now: float, grace: float | None = None, *, is_told: bool = True
) -> Step:
    """Has its process end within the grace period; without `is_told` it knows already, or is told by the caller."""
    was_ready = svc.state is S.RUNNING
    grace = svc.timeouts.grace if grace is None else grace
    svc = replace(svc, state=S.TERMINATING, then=then, reason=why, deadline=now + grace, grace=grace)
    if not is_told:
        return svc, ()
    if was_ready and Hook.PRE_STOP in svc.hooks and grace > 0:
        return hooks.begin(svc, Hook.PRE_STOP, now, hooks.half_of_the_grace(svc, now))
    return ask_to_stop(svc, now)


def ask_to_stop(svc: Service, now: float) -> Step:
    """Tells its process to end, by its own command if it has one."""
    if Hook.STOP_COMMAND in svc.hooks and svc.grace > 0:
        return hooks.begin(svc, Hook.STOP_COMMAND, now, hooks.half_of_the_grace(svc, now))
    return svc, (ev.Terminate(svc.process),)


def stop_sooner(svc: Service, event: ev.StopRequested, now: float) -> Step:
    """It is being stopped already, and somebody wants that once more: perhaps in less time, or for good."""
    svc = replace(svc, then=Then.STOP, reason=Asked("stop"))
    if event.grace is not None and svc.deadline is not None and now + event.grace < svc.deadline:
        svc = hooks.hurry(replace(svc, grace=event.grace, deadline=now + event.grace), now)
    if not event.is_urgent or svc.hook is None:
        return svc, ()
    svc = replace(svc, hook=None)
    return gone(svc, "", now) if svc.pid is None else (svc, (ev.Terminate(svc.pid),))


def abort(svc: Service, why: Cause, now: float) -> Step:
    """Ends a process that hangs."""
    svc, _ = terminate(replace(svc, result=Result.WATCHDOG), Then.RETRY, why, now, is_told=False)
    return svc, (ev.Abort(svc.process),)


def heard(svc: Service, notice: Notification, now: float) -> Step:
    """It said this, which has been noted."""
    if notice.is_hung and svc.state is S.RUNNING:
        return abort(svc, SaysItHangs(), now)
    if notice.is_stopping and svc.state in IS_LIVE:
        return terminate(svc, Then.LEAVE, SaysItStops(), now, is_told=False)
    return svc, ()


def kill(svc: Service, then: Then, why: Cause, now: float, grace: float = 0.0) -> Step:
    """Kills its whole process tree."""
    deadline = now + svc.timeouts.kill
    svc = replace(svc, state=S.KILLING, then=then, reason=why, deadline=deadline, grace=grace, survivor="")
    return svc, (ev.Kill(svc.process),)


def faulted(svc: Service, why: Cause, now: float) -> Step:
    """Portsup failed in what it does for it: what there is of a process is killed, and its restart policy decides.

    What it was to do then it still does.
    """
    failing = replace(svc, then=Then.RETRY, result=Result.INTERNAL_ERROR, reason=why)
    match svc.state:
        case S.STARTING | S.RUNNING if svc.pid is not None:
            return kill(replace(svc, result=Result.INTERNAL_ERROR), Then.RETRY, why, now)
        case S.STARTING | S.PREPARING:
            return gone(failing, "", now)
        case S.ACQUIRING | S.WAITING | S.IDLE:
            return rest(svc, S.FAILED, Result.INTERNAL_ERROR, why)
        case S.TERMINATING if svc.pid is not None:
            return kill(svc, svc.then, svc.reason, now)
        case S.TERMINATING | S.CLEANING if svc.hook is not None:
            return hook_ended(svc, ev.HookEnded(svc.hook.number, why), now)
    return svc, ()


def rest(svc: Service, state: State, result: Result, why: Cause) -> Step:
    """Leaves it without a process."""
    return replace(idle(svc), state=state, result=result, reason=why, clients_until=None), ()


def no_port(svc: Service, reasons: ev.Reasons, why: str) -> Step:
    """None of its ports can be had."""
    known = dict(reasons) | dict(svc.failed_ports)
    svc = replace(svc, failed_ports=tuple((port, known.get(port, NotTried())) for port in svc.pool))
    return rest(svc, S.FAILED, Result.NO_PORT, why or NoPortUsable())


def hook_ended(svc: Service, end: ev.HookEnded, now: float) -> Step:
    """The hook that ran is over: what it was run for goes on."""
    run = svc.hook
    assert run is not None
    trouble: Cause = OfHook(str(run.hook), end.why, end.said) if end.why else ""
    svc = replace(svc, hook=None)
    match run.hook:
        case Hook.PRE_START if svc.state is S.PREPARING:
            if not trouble:
                return spawn(svc)
            then = Then.FAIL if end.is_final else Then.RETRY
            return gone(replace(svc, then=then, result=Result.HOOK_FAILED, reason=trouble), "", now)
        case Hook.POST_STOP:
            svc = replace(svc, hook_trouble=trouble or svc.hook_trouble)
            if svc.ready_since is not None:  # the time that this took is none that the service has run well
                svc = replace(svc, ready_since=svc.ready_since + (now - run.began))
            return follow(svc, run.intruder, now)
        case Hook.PRE_STOP | Hook.STOP_COMMAND:
            svc = replace(svc, hook_trouble=trouble or svc.hook_trouble)
            if run.is_alone:
                return gone(replace(svc, pid=run.pid), run.intruder, now)
            if run.hook is Hook.PRE_STOP:
                return ask_to_stop(svc, now)
            return svc, (ev.Terminate(svc.process),) if trouble else ()  # else it has been asked
    return replace(svc, hook_trouble=trouble or svc.hook_trouble), ()


def gone(svc: Service, intruder: Cause, now: float) -> Step:
    """Nothing is left of the process, or of what came before it."""
    if Hook.POST_STOP not in svc.hooks:
        return follow(svc, intruder, now)
    svc, effects = hooks.begin(replace(svc, state=S.CLEANING, deadline=None), Hook.POST_STOP, now)
    assert svc.hook is not None
    svc = replace(svc, pid=None, reached=Milestone.NONE, health=Health.NONE, hook=replace(svc.hook, intruder=intruder))
    return svc, effects


def follow(svc: Service, intruder: Cause, now: float) -> Step:
    """What comes after a process that is gone."""
    match svc.then:
        case Then.STOP:
            return rest(svc, S.STOPPED, Result.SUCCESS, svc.reason)
        case Then.FAIL:
            return rest(svc, S.FAILED, svc.result, svc.reason)
        case Then.IDLE:
            return listen(svc, now)
        case Then.EXIT | Then.LEAVE:
            return _ended(svc, intruder, now)
        case Then.ROTATE:
            return _rotate(svc, svc.reason)
        case Then.MOVE:
            return acquire(fresh(svc), leaving=svc.port)
        case Then.RESTART | Then.RETRY | Then.ABANDON if intruder:
            return _rotate(svc, intruder)
        case Then.RESTART | Then.ABANDON:
            return launch(svc, now)
        case Then.RETRY:
            return _retry(svc, svc.result, svc.reason, now)


def _ended(svc: Service, intruder: Cause, now: float) -> Step:
    """The process ended by itself."""
    result = hooks.ending(svc)
    clean = result is Result.SUCCESS
    code = svc.exit_code or 0
    end: Reason = EndedWithCode(code) if code >= 0 else EndedBySignal(-code)
    if intruder:
        return _rotate(svc, intruder)
    if clean and svc.on_connect and not svc.policy.wants_restart(clean=True):
        return _listen_again(svc, now)
    if not svc.policy.wants_restart(clean=clean):
        return rest(svc, S.EXITED if clean else S.FAILED, result, end)
    if svc.ready_since is None:
        is_in_doubt = svc.is_ready_by_listening and svc.had_port  # it may have had clients: the port is not at fault
        svc = svc if is_in_doubt else replace(svc, misses=svc.misses + 1)
        end = end if svc.one_shot else BeforeReady(end)
    return _retry(svc, result, end, now)


def _listen_again(svc: Service, now: float) -> Step:
    """It ended well, and its next client starts it again: one that cannot live long waits longer each time."""
    run = 0.0 if svc.ready_since is None else now - svc.ready_since
    svc = replace(svc, short_runs=0 if run >= GOOD_RUN else svc.short_runs + 1)
    return listen(svc, now, svc.policy.delay_before(svc.short_runs - 1))


def _rotate(svc: Service, why: Cause) -> Step:
    """Leaves its port for the next one of the pool, at once: a conflict has its own budget, the pool."""
    if svc.port is None:
        return rest(svc, S.FAILED, svc.result, why)
    left = svc.port
    tried = (*(entry for entry in svc.failed_ports if entry[0] != left), (left, why))
    svc = replace(svc, failed_ports=tried, misses=0, reason=why, restarts=svc.restarts + 1)
    svc, effects = acquire(svc)
    return svc, (ev.QuarantinePort(left, why), *effects)


def _retry(svc: Service, result: Result, why: Cause, now: float) -> Step:
    # One that is tried without end stays where it is: the pool has an end.
    is_at_fault = svc.misses >= svc.rotate_after and result is not Result.HOOK_FAILED and not svc.policy.is_endless
    if svc.ready_since is None and svc.port is not None and is_at_fault:
        return _rotate(svc, why if svc.misses == 1 else InARow(why, svc.misses))
    run = 0.0 if svc.ready_since is None else now - svc.ready_since
    attempts = 0 if svc.ready_since is not None and run >= svc.policy.period else svc.attempts
    short_runs = 0 if run >= GOOD_RUN else svc.short_runs + 1
    svc = replace(svc, attempts=attempts + 1, short_runs=short_runs)
    if not svc.policy.wants_restart(clean=False):
        return rest(svc, S.FAILED, result, why)
    if attempts >= svc.policy.max_restarts:
        limit = result if result is Result.UNHEALTHY else Result.START_LIMIT
        return rest(svc, S.FAILED, limit, AfterRestarts(why, attempts))
    delay = svc.policy.delay_before(short_runs)
    svc = replace(idle(svc), result=result, reason=why, restarts=svc.restarts + 1)
    if delay == 0:
        return launch(svc, now)
    return replace(svc, state=S.BACKOFF, deadline=now + delay), ()
