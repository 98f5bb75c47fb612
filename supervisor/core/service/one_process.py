"""The life of one service, as a pure function from (service, event, now) to (service, effects).

`now` is monotonic seconds.  LeasePort and Spawn are answered before the service sees another event, every other
effect is not answered at all.  A service has one deadline, kept in its state.  What is said about a process carries
its pid, and is ignored if that is not ours.  The ports of a pool stay leased for as long as the stack is up.
"""

from supervisor.core import events as ev
from supervisor.core.reasons import (
    Asked,
    Cause,
    ListensElsewhere,
    NoRoom,
    NotReady,
    PortLockLost,
    SaidNothing,
    StillAlive,
    Unhealthy,
)
from supervisor.core.service import hooks, idling
from supervisor.core.service.hooks import Step as Step
from supervisor.core.service.moves import (
    abort,
    acquire,
    faulted,
    fresh,
    gone,
    heard,
    hook_ended,
    kill,
    launch,
    listen,
    no_port,
    rest,
    stop_sooner,
    terminate,
)
from supervisor.core.service.sd_notify import note, watched_until
from supervisor.core.service.snapshot import Service as Service
from supervisor.core.service.snapshot import Timeouts as Timeouts
from supervisor.core.service.snapshot import check, end_of, is_due, note_exit
from supervisor.core.state import Health, Hook, Milestone, Result, State, Then
from supervisor.dataclass import replace

S = State
KILL_REQUESTED = Asked("kill")  # the reason of a service that somebody did not want to wait for


def step(svc: Service, event: ev.Event, now: float) -> Step:
    """What `event` makes of `svc` at time `now`, and what to do about it."""
    if isinstance(event, ev.DeadlinePassed) and svc.clients_until is not None and now >= svc.clients_until:
        after, effects = step(replace(svc, clients_until=None), event, now)
        return after, (ev.RefuseClients(), *effects)
    if isinstance(event, ev.DeadlinePassed) and idling.is_due(svc, now):
        counting, effects = idling.count(svc, now)
        after, more = step(counting, event, now)
        return after, (*effects, *more)
    over = hooks.verdict(svc, event, now)
    if over is not None:
        made = hook_ended(svc, over, now)
    elif svc.hooks and hooks.is_urgent(event):
        made = _step(hooks.without(svc), event, now)
    else:
        made = _step(svc, event, now)
    made = made if svc.hook is None and made[0].hook is None else hooks.settle(svc, event, made)
    check(svc, event, made[0])
    return made


def _step(svc: Service, event: ev.Event, now: float) -> Step:
    match svc.state, event:
        case S.STOPPED | S.EXITED | S.FAILED, ev.StartRequested() | ev.RestartRequested() if svc.pid is None:
            return acquire(replace(fresh(svc), reason=""))
        case S.STOPPED | S.EXITED | S.FAILED, ev.AwaitRequested() if svc.pid is None:
            return acquire(replace(fresh(svc), is_called=False, reason=""))
        case S.IDLE, ev.StartRequested() | ev.RestartRequested():
            return replace(fresh(svc), state=S.WAITING, deadline=None), ()
        case S.IDLE, ev.Called():
            svc = replace(svc, state=S.WAITING, is_called=True, clients_until=now + svc.timeouts.clients)
            return replace(svc, deadline=None), ()
        case S.IDLE, ev.AwaitFailed(why):
            return rest(svc, S.FAILED, Result.SPAWN_FAILED, why)
        case S.IDLE, ev.DeadlinePassed() if is_due(svc, now):
            return listen(svc, now)
        case S.FAILED, ev.StartRequested() | ev.RestartRequested():  # what survived SIGKILL may be gone by now
            return kill(fresh(svc), Then.ABANDON, svc.reason, now)
        case S.BACKOFF, ev.StartRequested() | ev.RestartRequested():
            return launch(fresh(svc), now)
        case S.PREPARING, ev.RestartRequested(why):
            return gone(replace(fresh(svc), then=Then.RESTART, reason=why), "", now)
        case S.TERMINATING | S.KILLING | S.CLEANING, ev.StartRequested() | ev.RestartRequested() if (
            svc.then is not Then.FAIL or svc.state is S.CLEANING
        ):
            moves = svc.then in (Then.MOVE, Then.ROTATE)  # which starts it again as well, on another port
            return (svc if moves else replace(fresh(svc), then=Then.RESTART)), ()
        case S.STARTING | S.RUNNING, ev.RestartRequested(why, grace):
            return terminate(svc, Then.RESTART, why, now, grace)
        case S.STARTING | S.RUNNING, ev.RotateRequested():
            return terminate(svc, Then.MOVE, Asked("rotate"), now)

        case (S.IDLE | S.WAITING | S.BACKOFF | S.EXITED, ev.StopRequested() | ev.KillRequested()):
            return rest(svc, S.STOPPED, svc.result, Asked("stop"))
        case S.FAILED, ev.StopRequested() | ev.KillRequested() if svc.pid is None:
            return rest(svc, S.STOPPED, svc.result, svc.reason)
        case S.STARTING | S.RUNNING, ev.StopRequested(grace):
            return terminate(svc, Then.STOP, Asked("stop"), now, grace)
        case S.TERMINATING, ev.StopRequested(grace) if svc.then is Then.LEAVE:
            svc, _ = terminate(svc, Then.STOP, Asked("stop"), now, grace, is_told=False)
            return svc, (ev.Terminate(svc.process),)
        case S.TERMINATING, ev.StopRequested() as wish:
            return stop_sooner(svc, wish, now)
        case S.PREPARING, ev.StopRequested() | ev.KillRequested():
            return gone(replace(svc, then=Then.STOP, reason=Asked("stop")), "", now)
        case S.CLEANING, ev.StopRequested() | ev.KillRequested():
            svc = replace(svc, then=Then.STOP, reason=Asked("stop"))
            return gone(svc, "", now) if hooks.is_urgent(event) else (svc, ())
        case S.KILLING, ev.StopRequested() | ev.KillRequested():
            return replace(svc, then=_unless_failing(svc, Then.STOP)), ()
        case S.TERMINATING, ev.KillRequested() if svc.pid is None:  # only its hook is left
            return gone(replace(svc, then=Then.STOP, reason=KILL_REQUESTED), "", now)
        case S.STARTING | S.RUNNING | S.TERMINATING, ev.KillRequested():
            return kill(svc, _unless_failing(svc, Then.STOP), KILL_REQUESTED, now)

        case S.ACQUIRING, ev.PortLeased(port) if svc.waits_to_be_called and not svc.is_called:
            return listen(replace(svc, port=port), now)
        case S.ACQUIRING, ev.PortLeased(port):
            return replace(svc, state=S.WAITING, port=port), ()
        case S.ACQUIRING, ev.NoPort(reasons, why):
            return no_port(svc, reasons, why)
        case S.WAITING, ev.DependenciesMet():
            return launch(replace(svc, reason="") if isinstance(svc.reason, NoRoom) else svc, now)
        case S.WAITING, ev.RoomLacking(why):
            until = svc.deadline or svc.clients_until or now + svc.timeouts.clients
            return replace(svc, reason=why, deadline=until), ()
        case S.WAITING, ev.DeadlinePassed() if is_due(svc, now):
            return listen(svc, now) if svc.waits_to_be_called else rest(svc, S.FAILED, Result.TIMEOUT, svc.reason)
        case S.FAILED, ev.DependenciesMet() if svc.result is Result.DEPENDENCY:
            is_placed = svc.port is not None or not svc.pool  # not if it got another pool meanwhile
            if svc.on_connect:
                return listen(svc, now) if is_placed else acquire(replace(svc, is_called=False))
            return launch(svc, now) if is_placed else acquire(svc)
        case S.WAITING, ev.DependencyFailed(why):
            return rest(svc, S.FAILED, Result.DEPENDENCY, why)

        case S.STARTING, ev.Spawned(pid):
            deadline = now + svc.timeouts.ready if svc.timeouts.ready else None
            svc = replace(svc, pid=pid, reached=Milestone.STARTED, deadline=deadline, hook_trouble="")
            return replace(svc, never_listened=False), ()
        case S.STARTING, ev.SpawnFailed(why, is_transient):
            then = Then.RETRY if is_transient else Then.FAIL
            return gone(replace(svc, then=then, result=Result.SPAWN_FAILED, reason=why), "", now)
        case S.STARTING, ev.BeganListening(pid, is_alone) if pid == svc.pid:
            looks = svc.looks_by_connecting or (svc.went_elsewhere and is_alone)
            svc = replace(svc, keeps_to_port=is_alone, looks_by_connecting=looks)
            svc = replace(svc, reached=max(svc.reached, Milestone.LISTENING))
            return _ready(svc, now) if svc.is_ready_by_listening else (svc, ())
        case S.STARTING, ev.ProbeFailed(pid, ListensElsewhere() as why) if pid == svc.pid and svc.keeps_to_port:
            # What was there before it kept to its port: it has found that taken, by who waits there.
            svc = replace(svc, misses=svc.misses + 1, result=Result.TIMEOUT, keeps_to_port=False)
            return terminate(svc, Then.RETRY, why, now)
        case S.STARTING, ev.ProbeFailed(pid, why) if pid == svc.pid:
            return replace(svc, trouble=why), ()
        case S.STARTING, ev.Printed(pid, line) if pid == svc.pid:
            return replace(svc, printed=line), ()
        case S.STARTING, ev.BecameReady(pid) if pid == svc.pid:
            return _ready(svc, now)
        case S.STARTING, ev.DeadlinePassed() if is_due(svc, now):
            why = NotReady(svc.timeouts.ready, svc.missing, svc.one_shot)
            svc = replace(svc, misses=svc.misses + 1, result=Result.TIMEOUT, never_listened=svc.is_silent)
            return terminate(svc, Then.RETRY, why, now)

        case S.RUNNING, ev.BecameHealthy(pid) if pid == svc.pid:
            return replace(svc, health=Health.HEALTHY, failed_checks=0), ()
        case S.RUNNING, ev.CheckFailed(pid, why) if pid == svc.pid:
            svc = replace(svc, failed_checks=svc.failed_checks + 1)
            return (svc, ()) if svc.failed_checks < svc.unhealthy_after else _unhealthy(svc, why, now)
        case S.STARTING | S.RUNNING, ev.MemoryExceeded(pid, why) if pid == svc.pid:
            return terminate(replace(svc, result=Result.MEMORY_LIMIT), Then.RETRY, why, now)
        case S.STARTING | S.RUNNING | S.TERMINATING, ev.Notified(pid, notice) if pid == svc.pid:
            return heard(note(svc, notice, now), notice, now)
        case S.RUNNING, (
            ev.ClientLeft() | ev.ClientsCounted() | ev.FoundUnused() | ev.FoundInUse() | ev.RoomNeeded()
            | ev.IdlingChanged()
        ):  # fmt: skip
            return idling.decide(svc, event, now)
        case S.RUNNING, ev.DeadlinePassed() if is_due(svc, now):
            return abort(svc, SaidNothing(svc.watchdog), now)
        case S.STARTING | S.RUNNING, ev.Intruded(pid, who) if pid == svc.pid:
            return terminate(svc, Then.ROTATE, who, now)

        case S.STARTING | S.RUNNING, ev.MainExited(pid) as exit if pid == svc.pid:
            return kill(note_exit(svc, exit), Then.EXIT, end_of(exit), now)
        case S.TERMINATING | S.KILLING, ev.MainExited(pid) as exit if pid == svc.pid:
            is_on_its_own = svc.state is S.TERMINATING and svc.hook is None and Hook.STOP_COMMAND in svc.hooks
            return note_exit(svc, exit), (ev.Terminate(pid),) if is_on_its_own else ()  # nobody told what is left
        case S.STARTING | S.RUNNING, ev.Exited(pid) as exit if pid == svc.pid:
            return gone(replace(note_exit(svc, exit), then=Then.EXIT, reason=end_of(exit)), exit.intruder, now)
        case S.TERMINATING | S.KILLING, ev.Exited(pid) as exit if pid == svc.pid:
            noted = svc if svc.then is Then.EXIT else note_exit(svc, exit)  # that of the main process is known then
            return gone(noted, exit.intruder, now) if svc.hook is None else (hooks.left_alone(noted, exit.intruder), ())
        case S.FAILED, ev.Exited(pid) as exit if pid == svc.pid:
            return gone(replace(note_exit(svc, exit), then=Then.FAIL), "", now)

        case _, ev.Faulted(why, pid) if pid in (None, svc.pid):
            return faulted(svc, why, now)

        case S.FAILED, ev.LockLost():
            return svc, ()
        case _, ev.LockLost() as loss if svc.pid is not None:
            return kill(replace(svc, result=Result.LOCK_LOST), Then.FAIL, PortLockLost(loss.port, loss.why), now)
        case _, ev.LockLost() as loss if svc.state is not S.ACQUIRING:
            return rest(svc, S.FAILED, Result.LOCK_LOST, PortLockLost(loss.port, loss.why))

        case S.TERMINATING, ev.DeadlinePassed() if is_due(svc, now) and svc.pid is not None:
            return kill(svc, svc.then, svc.reason, now, svc.grace)
        case S.KILLING, ev.Survived(pid, who) if pid == svc.pid:
            return replace(svc, survivor=who), ()
        case S.KILLING, ev.DeadlinePassed() if is_due(svc, now) and svc.then is Then.ABANDON:
            return replace(svc, deadline=now + svc.timeouts.kill), (ev.Abandon(svc.process),)
        case S.KILLING, ev.DeadlinePassed() if is_due(svc, now):
            why = svc.survivor or StillAlive()
            svc = replace(svc, result=Result.TIMEOUT, reason=why, deadline=None, makes_room_for="")
            return replace(svc, state=S.FAILED), ()
        case S.BACKOFF, ev.DeadlinePassed() if is_due(svc, now):
            return launch(svc, now)

    return svc, ()  # said twice, or about a process that is gone


def _ready(svc: Service, now: float) -> Step:
    svc = replace(
        svc, state=S.RUNNING, reached=Milestone.READY, deadline=watched_until(svc, now), ready_since=now, misses=0,
        failed_ports=(), failed_checks=0, result=Result.NONE, reason="", trouble="", printed=None, exit_code=None,
        clients_until=None,
    )  # fmt: skip
    svc = idling.begin(svc, now)
    return hooks.begin(svc, Hook.POST_START, now) if Hook.POST_START in svc.hooks else (svc, ())


def _unhealthy(svc: Service, last: Cause, now: float) -> Step:
    why = Unhealthy(last, svc.failed_checks)
    svc = replace(svc, health=Health.UNHEALTHY)
    if not svc.policy.wants_restart(clean=False):
        return replace(svc, reason=why), ()
    return terminate(replace(svc, result=Result.UNHEALTHY), Then.RETRY, why, now)


def _unless_failing(svc: Service, then: Then) -> Then:
    return Then.FAIL if svc.then is Then.FAIL and svc.state is S.KILLING else then
