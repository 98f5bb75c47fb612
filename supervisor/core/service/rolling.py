"""The life of a service with up to two processes, as a pure function: what `one_process` tells of one, and the roll.

In a rolling restart the process in charge goes on (`pid`) while its successor starts beside it.  Once that is ready the
two change places, and the old one is asked to stop.  If the successor comes to nothing, the old one never notices.
Whoever has to end the service ends both: it is at rest when the last one is gone.  Should the one in charge end by
itself, whoever is left takes its place: a successor goes on starting, one that was leaving is waited for.

Of the hooks pre_start runs before the successor is spawned, and post_start when that is in charge.  The service does
not stop meanwhile, so neither pre_stop nor post_stop runs; the old process is told by its signal.
"""

from supervisor.core import events as ev
from supervisor.core.reasons import BeforeReady, Cause, ListensElsewhere, NothingListens, NotReady, OfHook
from supervisor.core.service import hooks, idling, one_process
from supervisor.core.service.hooks import Step
from supervisor.core.service.sd_notify import note, note_beside, watched_until
from supervisor.core.service.snapshot import Service, check, end_of, is_due, note_exit
from supervisor.core.state import IS_LIVE, Beside, Health, Hook, Milestone, Role, State, Then
from supervisor.dataclass import replace

S = State


def step(svc: Service, event: ev.Event, now: float) -> Step:
    """What `event` makes of `svc` at time `now`, and what to do about it."""
    if svc.beside is None:
        return _begin(svc, event, now) if isinstance(event, ev.RollRequested) else one_process.step(svc, event, now)
    if svc.beside.pid is None and svc.hook is not None:
        made = _prepare(svc, svc.beside, event, now)
    else:
        made = _step(svc, svc.beside, event, now)
    made = hooks.settle(svc, event, made) if svc.hook is not None else made
    check(svc, event, made[0])
    return made


def can_roll(svc: Service) -> bool:
    """Whether a rolling restart can begin."""
    return svc.state is S.RUNNING and svc.beside is None and svc.hook is None


def is_rolling(svc: Service) -> bool:
    """Whether a rolling restart is under way; a process that survived SIGKILL is waited for no longer."""
    return svc.beside is not None and (svc.beside.pid is None or svc.beside.deadline is not None)


def _begin(svc: Service, wish: ev.RollRequested, now: float) -> Step:
    if not can_roll(svc):
        return svc, ()
    grace = svc.timeouts.grace if wish.grace is None else wish.grace
    beside = Beside(Role.SUCCESSOR, grace=grace, watchdog=svc.timeouts.watchdog)
    svc = replace(svc, beside=beside, roll_trouble="", hook_trouble="")
    if Hook.PRE_START in svc.hooks:
        return hooks.begin(svc, Hook.PRE_START, now)
    return svc, (ev.SpawnBeside(svc.port),)


def _prepare(svc: Service, beside: Beside, event: ev.Event, now: float) -> Step:
    """The pre_start of a successor runs, and the one in charge goes on as if it were the only one."""
    over = hooks.verdict(svc, event, now)
    if over is not None and over.why:
        return replace(svc, beside=None, hook=None, roll_trouble=OfHook(str(Hook.PRE_START), over.why, over.said)), ()
    if over is not None:
        return replace(svc, hook=None), (ev.SpawnBeside(svc.port),)
    after, effects = one_process.step(replace(svc, beside=None), event, now)
    if after.state is S.RUNNING:
        return replace(after, beside=beside), effects
    return replace(after, roll_trouble=after.reason), effects


def _step(svc: Service, beside: Beside, event: ev.Event, now: float) -> Step:
    match event:
        case ev.RollRequested():
            return svc, ()
        case ev.Spawned(pid) if beside.pid is None:
            deadline = now + svc.timeouts.ready
            return replace(svc, beside=replace(beside, pid=pid, reached=Milestone.STARTED, deadline=deadline)), ()
        case ev.SpawnFailed(why) if beside.pid is None:
            return replace(svc, beside=None, roll_trouble=why), ()

        case ev.Faulted(why, pid) if pid is not None and pid == beside.pid:
            return (svc, ()) if beside.role is Role.DOOMED else _doom(replace(svc, roll_trouble=why), beside, now)
        case ev.BeganListening(pid) if pid == beside.pid:
            beside = replace(beside, reached=max(beside.reached, Milestone.LISTENING))
            if svc.is_ready_by_listening and _is_coming(beside):
                return _hand_on(svc, beside, now)
            return replace(svc, beside=beside), ()
        case ev.ProbeFailed(pid, ListensElsewhere() as why) if pid == beside.pid and svc.keeps_to_port:
            return _doom(replace(svc, roll_trouble=why), beside, now)
        case ev.ProbeFailed(pid, why) if pid == beside.pid:
            return replace(svc, beside=replace(beside, trouble=why)), ()
        case ev.BecameReady(pid) if pid == beside.pid:
            return _hand_on(svc, beside, now) if beside.role is Role.SUCCESSOR else (svc, ())
        case ev.MainExited(pid) as exit if pid == beside.pid:
            if beside.role is not Role.SUCCESSOR:
                return svc, ()
            return _doom(replace(svc, roll_trouble=BeforeReady(end_of(exit))), beside, now)
        case ev.Exited(pid) as exit if pid == beside.pid:
            trouble = BeforeReady(end_of(exit)) if beside.role is Role.SUCCESSOR else svc.roll_trouble
            return replace(svc, beside=None, roll_trouble=trouble), ()

        case ev.Notified(pid, notice) if pid == beside.pid:
            return replace(svc, beside=note_beside(svc, beside, notice, now)), ()
        case ev.Notified(pid, notice) if pid == svc.pid and _is_coming(beside):
            return note(svc, notice, now), ()  # if it hangs or leaves, it is being replaced already
        case ev.CheckFailed(pid) if pid == svc.pid and beside.role is Role.SUCCESSOR:
            failed = svc.failed_checks + 1
            health = svc.health if failed < svc.unhealthy_after else Health.UNHEALTHY
            return replace(svc, failed_checks=failed, health=health), ()  # it is being replaced already
        case ev.MainExited(pid) as exit if pid == svc.pid and svc.state is S.RUNNING and _is_coming(beside):
            svc = _promote(note_exit(svc, exit), beside, end_of(exit))
            rest = Beside(Role.DOOMED, pid, now + svc.timeouts.kill)
            return replace(svc, beside=rest), (ev.Kill(pid),)
        case ev.Exited(pid) as exit if pid == svc.pid:
            return _leave_to(svc, beside, exit, now)

    if isinstance(event, ev.DeadlinePassed) and _is_coming(beside) and is_due(svc, now):
        svc = replace(svc, deadline=watched_until(svc, now))  # silent, but it is being replaced already
    after, effects = one_process.step(svc, event, now)
    after, more = _follow(svc, after, beside, event, now)
    if isinstance(event, ev.DeadlinePassed) and after.beside is beside and _is_over(beside, now):
        after, more = _overdue(after, beside, now)
    return after, (*effects, *more)


def _is_coming(beside: Beside) -> bool:
    return beside.role is Role.SUCCESSOR


def _is_over(beside: Beside, now: float) -> bool:
    return beside.deadline is not None and now >= beside.deadline


def _hand_on(svc: Service, beside: Beside, now: float) -> Step:
    """The successor is ready: it is in charge from now on."""
    pid = svc.process
    old = Beside(Role.LEAVING, pid, now + beside.grace, beside.grace)
    svc = replace(
        svc, pid=beside.pid, beside=old, reached=Milestone.READY, health=Health.NONE, ready_since=now,
        failed_checks=0, attempts=0, short_runs=0, misses=0, trouble="", reason="", exit_code=None,
        told=beside.told, watchdog=beside.watchdog, reloading_since=None,
    )  # fmt: skip
    svc = idling.begin(replace(svc, deadline=watched_until(svc, now)), now)
    effects: tuple[ev.Effect, ...] = ()
    if Hook.POST_START in svc.hooks:
        svc, effects = hooks.begin(svc, Hook.POST_START, now)
    return svc, (ev.Terminate(pid), *effects)


def _promote(svc: Service, beside: Beside, why: Cause) -> Service:
    """The one in charge ended by itself: its successor, not ready yet, is all there is."""
    return replace(
        svc, state=S.STARTING, pid=beside.pid, deadline=beside.deadline, reached=beside.reached, trouble=beside.trouble,
        ready_since=None, health=Health.NONE, beside=None, reason=why, restarts=svc.restarts + 1,
        attempts=svc.attempts + 1, told=beside.told, watchdog=beside.watchdog, reloading_since=None,
    )  # fmt: skip


def _leave_to(svc: Service, beside: Beside, exit: ev.Exited, now: float) -> Step:
    """The one in charge is gone: the other one is all that is left of the service."""
    if svc.state is S.RUNNING and _is_coming(beside):
        return _promote(note_exit(svc, exit), beside, end_of(exit)), ()
    if svc.state is S.FAILED:
        return replace(note_exit(svc, exit), pid=beside.pid, beside=None), ()
    if svc.state in IS_LIVE:
        svc = replace(note_exit(svc, exit), then=Then.EXIT, reason=end_of(exit))
    elif svc.then is not Then.EXIT:
        svc = note_exit(svc, exit)
    svc = replace(svc, pid=beside.pid, beside=None, hook=None, grace=beside.grace)
    if beside.role is Role.LEAVING:
        return replace(svc, state=S.TERMINATING, deadline=beside.deadline), ()
    effects = () if beside.deadline is not None else (ev.Kill(svc.process),)
    deadline = now + svc.timeouts.kill if beside.deadline is None else beside.deadline
    return replace(svc, state=S.KILLING, deadline=deadline), effects


def _follow(before: Service, after: Service, beside: Beside, event: ev.Event, now: float) -> Step:
    """What ends the service ends both of its processes."""
    if beside.pid is None or beside.role is Role.DOOMED:
        return after, ()
    if after.roll_trouble == "" and _is_coming(beside) and after.state not in IS_LIVE:
        after = replace(after, roll_trouble=after.reason)
    has_begun = after.state is not before.state
    is_killed = has_begun and after.state is S.KILLING and after.then is not Then.EXIT
    if is_killed or isinstance(event, ev.KillRequested | ev.LockLost):
        return _doom(after, beside, now)
    if has_begun and after.state is S.TERMINATING:
        if _is_coming(beside):
            leaving = Beside(Role.LEAVING, beside.pid, after.deadline, after.grace)
            return replace(after, beside=leaving), (ev.Terminate(beside.pid),)
        return _hurry(after, beside, after.deadline), ()
    if isinstance(event, ev.StopRequested) and event.grace is not None and beside.role is Role.LEAVING:
        return _hurry(after, beside, now + event.grace), ()
    return after, ()


def _hurry(svc: Service, beside: Beside, deadline: float | None) -> Service:
    """Gives the one that leaves no more time than until `deadline`."""
    earliest = min((each for each in (beside.deadline, deadline) if each is not None), default=None)
    return svc if earliest == beside.deadline else replace(svc, beside=replace(beside, deadline=earliest))


def _overdue(svc: Service, beside: Beside, now: float) -> Step:
    """The deadline of the process beside has passed."""
    assert beside.pid is not None
    match beside.role:
        case Role.SUCCESSOR:
            trouble = beside.trouble
            if not trouble and svc.port is not None and beside.reached < Milestone.LISTENING:
                trouble = NothingListens(svc.port)
            why = NotReady(svc.timeouts.ready, trouble)
            grace = svc.timeouts.grace
            svc = replace(svc, beside=Beside(Role.LEAVING, beside.pid, now + grace, grace), roll_trouble=why)
            return svc, (ev.Terminate(beside.pid),)
        case Role.LEAVING:
            return _doom(svc, beside, now)
        case Role.DOOMED:
            return replace(svc, beside=replace(beside, deadline=None)), ()


def _doom(svc: Service, beside: Beside, now: float) -> Step:
    """Ends the process beside now."""
    assert beside.pid is not None
    doomed = Beside(Role.DOOMED, beside.pid, now + svc.timeouts.kill, beside.grace)
    return replace(svc, beside=doomed), (ev.Kill(beside.pid),)
