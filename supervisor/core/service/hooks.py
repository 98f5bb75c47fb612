"""The commands that are run at certain points of a service's life: when each may run, and what it is told.  Pure.

A service runs one hook at a time.  Whatever takes it out of the state that a hook belongs to ends the hook.
"""

from supervisor.core import events as ev
from supervisor.core.reasons import Cause, NotDone
from supervisor.core.service.product import PRODUCT
from supervisor.core.service.snapshot import NO_HOOKS, Service
from supervisor.core.state import Hook, HookRun, Result, Then
from supervisor.dataclass import replace
from supervisor.errors import shell_code

Step = tuple[Service, tuple[ev.Effect, ...]]


def begin(svc: Service, hook: Hook, now: float, until: float | None = None) -> Step:
    """Runs a hook about the present process, not longer than `until` if that is given."""
    deadline = now + svc.hooks[hook]
    run = HookRun(hook, svc.hook_runs + 1, now, deadline if until is None else min(deadline, until), svc.pid)
    return replace(svc, hook=run, hook_runs=run.number), (ev.RunHook(hook, run.number, svc.pid),)


def settle(before: Service, event: ev.Event, step: Step) -> Step:
    """`step` with the end of a hook that is left behind by it."""
    after, effects = step
    run = after.hook
    if run is not None and run.hook not in PRODUCT[after.state].hooks:
        run = None
        after = replace(after, hook=None)
    old = before.hook
    if old is None or (run is not None and run.number == old.number):
        return after, effects
    end = ev.EndHook(old.number)
    if end in effects or (isinstance(event, ev.HookEnded) and event.number == old.number):
        return after, effects
    kills = tuple(each for each in effects if isinstance(each, ev.Kill))  # nothing comes before these
    return after, (*kills, end, *(each for each in effects if each not in kills))


def verdict(svc: Service, event: ev.Event, now: float) -> ev.HookEnded | None:
    """How the hook that runs has ended by this event, None if it has not."""
    run = svc.hook
    if run is None:
        return None
    if isinstance(event, ev.HookEnded) and event.number == run.number:
        return event
    if isinstance(event, ev.DeadlinePassed) and now >= run.deadline:
        return ev.HookEnded(run.number, NotDone(run.deadline - run.began))
    return None


def is_urgent(event: ev.Event) -> bool:
    """Whether no hook may stand in the way of this."""
    return isinstance(event, ev.KillRequested | ev.LockLost) or (
        isinstance(event, ev.StopRequested) and event.is_urgent
    )


def without(svc: Service) -> Service:
    """The service as if it had no hooks."""
    return replace(svc, hooks=NO_HOOKS)


def half_of_the_grace(svc: Service, now: float) -> float:
    """Until when a command may take that comes before the stop signal: the other half is left for that."""
    return now if svc.deadline is None else now + max(0.0, svc.deadline - now) / 2


def hurry(svc: Service, now: float) -> Service:
    """The grace period has become shorter: so has the time of a hook in it."""
    if svc.hook is None:
        return svc
    return replace(svc, hook=replace(svc.hook, deadline=min(svc.hook.deadline, half_of_the_grace(svc, now))))


def left_alone(svc: Service, intruder: Cause) -> Service:
    """The process that the hook is about has ended: the hook goes on to its end all the same."""
    assert svc.hook is not None
    return replace(svc, pid=None, hook=replace(svc.hook, is_alone=True, intruder=intruder))


def ending(svc: Service) -> Result:
    """Why a process that is gone has ended, as far as that is known before anything follows from it."""
    match svc.then:
        case Then.EXIT | Then.LEAVE:
            if svc.exit_code in svc.success_codes:
                return Result.SUCCESS
            return Result.SIGNAL if (svc.exit_code or 0) < 0 else Result.EXIT_CODE
        case Then.RETRY | Then.FAIL | Then.ROTATE:
            return svc.result
        case _:
            return Result.SUCCESS


def facts(svc: Service, hook: Hook, pid: int | None, reason: str) -> dict[str, str]:
    """The variables that tell a hook what it is run for; `reason` is that of the service, in words."""
    told = {"PORTSUP_HOOK": str(hook)}
    if pid is not None:
        told["PORTSUP_PID"] = str(pid)
    if hook in (Hook.PRE_STOP, Hook.STOP_COMMAND, Hook.POST_STOP):
        told["PORTSUP_REASON"] = reason
    if hook is Hook.POST_STOP:
        told["PORTSUP_RESULT"] = str(ending(svc))
        if pid is not None and svc.exit_code is not None:
            told["PORTSUP_EXIT_CODE"] = str(shell_code(svc.exit_code))
    return {name: value for name, value in told.items() if value}
