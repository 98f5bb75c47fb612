"""The life of one service, as a pure function from (service, event, now) to (service, effects).

`now` is monotonic seconds.  LeasePort and Spawn are answered before the service sees another event, every other
effect is not answered at all.  A service has one deadline, kept in its state.  What is said about a process carries
its pid, and is ignored if that is not ours.  The ports of a pool stay leased for as long as the stack is up.
"""

from supervisor.core import events as ev
from supervisor.core.notify import Notice, note, watched_until
from supervisor.core.restart import GOOD_RUN
from supervisor.core.snapshot import Service as Service
from supervisor.core.snapshot import Timeouts as Timeouts
from supervisor.core.snapshot import check, is_due, note_exit, words
from supervisor.core.state import Health, Milestone, Result, State, Then
from supervisor.dataclass import replace

S = State
KILL_REQUESTED = "kill requested"  # the reason of a service that somebody did not want to wait for


Step = tuple[Service, tuple[ev.Effect, ...]]


def step(svc: Service, event: ev.Event, now: float) -> Step:
    """What `event` makes of `svc` at time `now`, and what to do about it."""
    after, effects = _step(svc, event, now)
    check(svc, event, after)
    return after, effects


def _step(svc: Service, event: ev.Event, now: float) -> Step:
    match svc.state, event:
        case S.STOPPED | S.EXITED | S.FAILED, ev.StartRequested() | ev.RestartRequested() if svc.pid is None:
            return _acquire(_fresh(svc))
        case S.BACKOFF, ev.StartRequested() | ev.RestartRequested():
            return _launch(_fresh(svc))
        case S.TERMINATING | S.KILLING, ev.StartRequested() | ev.RestartRequested() if svc.then is not Then.FAIL:
            moves = svc.then in (Then.MOVE, Then.ROTATE)  # which starts it again as well, on another port
            return (svc if moves else replace(_fresh(svc), then=Then.RESTART)), ()
        case S.STARTING | S.RUNNING, ev.RestartRequested(why, grace):
            return _terminate(svc, Then.RESTART, why, now, grace)
        case S.STARTING | S.RUNNING, ev.RotateRequested():
            return _terminate(svc, Then.MOVE, "rotation requested", now)

        case (S.WAITING | S.BACKOFF | S.EXITED, ev.StopRequested() | ev.KillRequested()):
            return _rest(svc, S.STOPPED, svc.result, "stop requested")
        case S.FAILED, ev.StopRequested() | ev.KillRequested() if svc.pid is None:
            return _rest(svc, S.STOPPED, svc.result, svc.reason)
        case S.STARTING | S.RUNNING, ev.StopRequested(grace):
            return _terminate(svc, Then.STOP, "stop requested", now, grace)
        case S.TERMINATING, ev.StopRequested(grace) if svc.then is Then.LEAVE:
            return _terminate(svc, Then.STOP, "stop requested", now, grace)
        case S.TERMINATING, ev.StopRequested(grace):
            svc = replace(svc, then=Then.STOP, reason="stop requested")
            if grace is not None and svc.deadline is not None and now + grace < svc.deadline:
                svc = replace(svc, grace=grace, deadline=now + grace)
            return svc, ()
        case S.KILLING, ev.StopRequested() | ev.KillRequested():
            return replace(svc, then=_unless_failing(svc, Then.STOP)), ()
        case S.STARTING | S.RUNNING | S.TERMINATING, ev.KillRequested():
            return _kill(svc, _unless_failing(svc, Then.STOP), KILL_REQUESTED, now)

        case S.ACQUIRING, ev.PortLeased(port):
            return replace(svc, state=S.WAITING, port=port), (ev.AwaitDependencies(),)
        case S.ACQUIRING, ev.NoPort(reasons):
            return _no_port(svc, reasons)
        case S.WAITING, ev.DependenciesMet():
            return _launch(svc)
        case S.FAILED, ev.DependenciesMet() if svc.result is Result.DEPENDENCY:
            is_placed = svc.port is not None or not svc.pool  # not if it got another pool meanwhile
            return _launch(svc) if is_placed else _acquire(svc)
        case S.WAITING, ev.DependencyFailed(why):
            return replace(svc, state=S.FAILED, result=Result.DEPENDENCY, reason=why), ()

        case S.STARTING, ev.Spawned(pid):
            deadline = now + svc.timeouts.ready if svc.timeouts.ready else None
            return replace(svc, pid=pid, reached=Milestone.STARTED, deadline=deadline), ()
        case S.STARTING, ev.SpawnFailed(why, is_transient):
            if is_transient:
                return _retry(svc, Result.SPAWN_FAILED, why, now)
            return _rest(svc, S.FAILED, Result.SPAWN_FAILED, why)
        case S.STARTING, ev.BeganListening(pid) if pid == svc.pid:
            return replace(svc, reached=max(svc.reached, Milestone.LISTENING)), ()
        case S.STARTING, ev.ProbeFailed(pid, why) if pid == svc.pid:
            return replace(svc, trouble=why), ()
        case S.STARTING, ev.BecameReady(pid) if pid == svc.pid:
            return replace(
                svc, state=S.RUNNING, reached=Milestone.READY, deadline=watched_until(svc, now), ready_since=now,
                misses=0, failed_ports=(), result=Result.NONE, reason="", trouble="", exit_code=None,
            ), ()  # fmt: skip
        case S.STARTING, ev.DeadlinePassed() if is_due(svc, now):
            trouble = svc.trouble
            if not trouble and svc.port is not None and svc.reached < Milestone.LISTENING:
                trouble = f"nothing listens on port {svc.port}"
            goal = "done" if svc.one_shot else "ready"
            why = f"not {goal} within {svc.timeouts.ready:g} s" + (f": {trouble}" if trouble else "")
            svc = replace(svc, misses=svc.misses + 1, result=Result.TIMEOUT)
            return _terminate(svc, Then.RETRY, why, now)

        case S.RUNNING, ev.BecameHealthy(pid) if pid == svc.pid:
            return replace(svc, health=Health.HEALTHY), ()
        case S.RUNNING, ev.BecameUnhealthy(pid, why) if pid == svc.pid:
            svc = replace(svc, health=Health.UNHEALTHY)
            if not svc.policy.wants_restart(clean=False):
                return replace(svc, reason=why), ()
            return _terminate(replace(svc, result=Result.UNHEALTHY), Then.RETRY, why, now)
        case S.STARTING | S.RUNNING, ev.MemoryExceeded(pid, why) if pid == svc.pid:
            return _terminate(replace(svc, result=Result.MEMORY_LIMIT), Then.RETRY, why, now)
        case S.STARTING | S.RUNNING | S.TERMINATING, ev.Notified(pid, notice) if pid == svc.pid:
            return _heard(note(svc, notice, now), notice, now)
        case S.RUNNING, ev.DeadlinePassed() if is_due(svc, now):
            return _abort(svc, f"said nothing for {svc.watchdog:g} s", now)
        case S.STARTING | S.RUNNING, ev.Intruded(pid, who) if pid == svc.pid:
            return _terminate(svc, Then.ROTATE, who, now)

        case S.STARTING | S.RUNNING, ev.MainExited(pid) as exit if pid == svc.pid:
            return _kill(note_exit(svc, exit), Then.EXIT, words(exit), now)
        case S.TERMINATING | S.KILLING, ev.MainExited(pid) as exit if pid == svc.pid:
            return note_exit(svc, exit), ()
        case S.STARTING | S.RUNNING, ev.Exited(pid) as exit if pid == svc.pid:
            return _ended(note_exit(svc, exit), exit.intruder, now)
        case S.TERMINATING | S.KILLING, ev.Exited(pid) as exit if pid == svc.pid:
            noted = svc if svc.then is Then.EXIT else note_exit(svc, exit)  # that of the main process is known then
            return _gone(noted, exit.intruder, now)
        case S.FAILED, ev.Exited(pid) as exit if pid == svc.pid:
            return replace(note_exit(svc, exit), pid=None), ()

        case S.FAILED, ev.LockLost():
            return svc, ()
        case _, ev.LockLost() as loss if svc.pid is not None:
            return _kill(replace(svc, result=Result.LOCK_LOST), Then.FAIL, str(loss), now)
        case _, ev.LockLost() as loss if svc.state is not S.ACQUIRING:
            return _rest(svc, S.FAILED, Result.LOCK_LOST, str(loss))

        case S.TERMINATING, ev.DeadlinePassed() if is_due(svc, now):
            return _kill(svc, svc.then, svc.reason, now, svc.grace)
        case S.KILLING, ev.DeadlinePassed() if is_due(svc, now):
            why = "still alive after SIGKILL"
            return replace(svc, state=S.FAILED, result=Result.TIMEOUT, reason=why, deadline=None), ()
        case S.BACKOFF, ev.DeadlinePassed() if is_due(svc, now):
            return _launch(svc)

    return svc, ()  # said twice, or about a process that is gone


def _unless_failing(svc: Service, then: Then) -> Then:
    return Then.FAIL if svc.then is Then.FAIL and svc.state is S.KILLING else then


def _fresh(svc: Service) -> Service:
    return replace(svc, attempts=0, short_runs=0, misses=0, failed_ports=(), trouble="")


def _idle(svc: Service) -> Service:
    return replace(
        svc, pid=None, deadline=None, reached=Milestone.NONE, health=Health.NONE, ready_since=None, then=Then.STOP,
        reloading_since=None,
    )  # fmt: skip


def _acquire(svc: Service, leaving: int | None = None) -> Step:
    svc = replace(_idle(svc), state=S.ACQUIRING, port=None)
    return svc, (ev.LeasePort(svc.failed_ports, leaving),)


def _launch(svc: Service) -> Step:
    """Starts it on the port it has."""
    svc = replace(_idle(svc), state=S.STARTING, trouble="", told="", watchdog=svc.timeouts.watchdog)
    return svc, (ev.Spawn(svc.port),)


def _terminate(svc: Service, then: Then, why: str, now: float, grace: float | None = None) -> Step:
    if svc.pid is None:
        raise AssertionError(f"nothing to terminate in {svc}")
    grace = svc.timeouts.grace if grace is None else grace
    effects = (ev.Terminate(svc.pid),)
    return replace(svc, state=S.TERMINATING, then=then, reason=why, deadline=now + grace, grace=grace), effects


def _abort(svc: Service, why: str, now: float) -> Step:
    svc, _ = _terminate(replace(svc, result=Result.WATCHDOG), Then.RETRY, why, now)
    return svc, (ev.Abort(svc.pid or 0),)


def _heard(svc: Service, notice: Notice, now: float) -> Step:
    """It said this, which has been noted."""
    if notice.is_hung and svc.state is S.RUNNING:
        return _abort(svc, "said that it hangs", now)
    if notice.is_stopping and svc.state in (S.STARTING, S.RUNNING):
        return _terminate(svc, Then.LEAVE, "it is stopping", now)[0], ()  # nobody has to tell it
    return svc, ()


def _kill(svc: Service, then: Then, why: str, now: float, grace: float = 0.0) -> Step:
    if svc.pid is None:
        raise AssertionError(f"nothing to kill in {svc}")
    deadline = now + svc.timeouts.kill
    return replace(svc, state=S.KILLING, then=then, reason=why, deadline=deadline, grace=grace), (ev.Kill(svc.pid),)


def _rest(svc: Service, state: State, result: Result, why: str) -> Step:
    return replace(_idle(svc), state=state, result=result, reason=why), ()


def _no_port(svc: Service, reasons: ev.Reasons) -> Step:
    known = dict(reasons) | dict(svc.failed_ports)
    svc = replace(svc, failed_ports=tuple((port, known.get(port, "not tried")) for port in svc.pool))
    return _rest(svc, S.FAILED, Result.NO_PORT, "no port of its pool can be used")


def _ended(svc: Service, intruder: str, now: float) -> Step:
    """The process ended by itself."""
    clean = svc.exit_code in svc.success_codes
    result = Result.SUCCESS if clean else Result.EXIT_CODE if (svc.exit_code or 0) > 0 else Result.SIGNAL
    why = f"exit code {svc.exit_code}" if (svc.exit_code or 0) >= 0 else f"signal {-(svc.exit_code or 0)}"
    if intruder:
        return _rotate(svc, intruder)
    if not svc.policy.wants_restart(clean=clean):
        return _rest(svc, S.EXITED if clean else S.FAILED, result, why)
    if svc.ready_since is None:
        svc = replace(svc, misses=svc.misses + 1)
        why = why if svc.one_shot else f"{why} before it was ready"
    return _retry(svc, result, why, now)


def _gone(svc: Service, intruder: str, now: float) -> Step:
    """The process that was to end is gone."""
    match svc.then:
        case Then.STOP:
            return _rest(svc, S.STOPPED, Result.SUCCESS, svc.reason)
        case Then.FAIL:
            return _rest(svc, S.FAILED, svc.result, svc.reason)
        case Then.EXIT | Then.LEAVE:
            return _ended(svc, intruder, now)
        case Then.ROTATE:
            return _rotate(svc, svc.reason)
        case Then.MOVE:
            return _acquire(_fresh(svc), leaving=svc.port)
        case Then.RESTART | Then.RETRY if intruder:
            return _rotate(svc, intruder)
        case Then.RESTART:
            return _launch(svc)
        case Then.RETRY:
            return _retry(svc, svc.result, svc.reason, now)


def _rotate(svc: Service, why: str) -> Step:
    """Leaves its port for the next one of the pool, at once: a conflict has its own budget, the pool."""
    if svc.port is None:
        return _rest(svc, S.FAILED, svc.result, why)
    left = svc.port
    tried = (*(entry for entry in svc.failed_ports if entry[0] != left), (left, why))
    svc = replace(svc, failed_ports=tried, misses=0, reason=why, restarts=svc.restarts + 1)
    svc, effects = _acquire(svc)
    return svc, (ev.QuarantinePort(left, why), *effects)


def _retry(svc: Service, result: Result, why: str, now: float) -> Step:
    # One that is tried without end stays where it is: the pool has an end.
    is_at_fault = svc.misses >= svc.rotate_after and not svc.policy.is_endless
    if svc.ready_since is None and svc.port is not None and is_at_fault:
        return _rotate(svc, why if svc.misses == 1 else f"{why}, {svc.misses} times in a row")
    run = 0.0 if svc.ready_since is None else now - svc.ready_since
    attempts = 0 if svc.ready_since is not None and run >= svc.policy.period else svc.attempts
    short_runs = 0 if run >= GOOD_RUN else svc.short_runs + 1
    svc = replace(svc, attempts=attempts + 1, short_runs=short_runs)
    if not svc.policy.wants_restart(clean=False):
        return _rest(svc, S.FAILED, result, why)
    if attempts >= svc.policy.max_restarts:
        limit = result if result is Result.UNHEALTHY else Result.START_LIMIT
        return _rest(svc, S.FAILED, limit, f"{why}, after {attempts} restarts")
    delay = svc.policy.delay_before(short_runs)
    svc = replace(_idle(svc), result=result, reason=why, restarts=svc.restarts + 1)
    if delay == 0:
        return _launch(svc)
    return replace(svc, state=S.BACKOFF, deadline=now + delay), ()
