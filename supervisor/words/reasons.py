"""Why a service is as it is, in words."""

from collections.abc import Iterable

from supervisor.core import reasons
from supervisor.core.reasons import Cause, Reason
from supervisor.core.signals import name_of
from supervisor.words.checks import megabytes, of_check
from supervisor.words.enumeration import counted
from supervisor.words.holders import holder
from supervisor.words.locks import lock_gone

_ASKED = {
    "stop": "stop requested",
    "kill": "kill requested",
    "restart": "restart requested",
    "rotate": "rotation requested",
    "reconfigure": "its configuration changed",
}


def text_of(cause: Cause) -> str:
    """The sentence for a reason; what somebody else said as it is."""
    if isinstance(cause, str):
        return cause
    return _of_end(cause) or of_check(cause, text_of) or _of_life(cause)


def texts_of(reasons: Iterable[tuple[int, Cause]]) -> list[tuple[int, str]]:
    """Reasons port by port, in words."""
    return [(port, text_of(cause)) for port, cause in reasons]


def _of_end(reason: Reason) -> str:
    match reason:
        case reasons.EndedWithCode(code):
            return f"exit code {code}"
        case reasons.EndedBySignal(number):
            return f"signal {number}{_name_of(number)}"
        case reasons.BeforeReady(end):
            return f"{text_of(end)} before it was ready"
        case reasons.InARow(last, times):
            return f"{text_of(last)}, {times} times in a row"
        case reasons.AfterRestarts(last, 0):
            return text_of(last)
        case reasons.AfterRestarts(last, restarts):
            return f"{text_of(last)}, after {counted(restarts, 'restart')}"
        case reasons.StillAlive():
            return "still alive after SIGKILL"
        case reasons.Survivors(0):
            return "it has left processes that portsup does not find"
        case reasons.Survivors(pid, name, more, user):
            who = f"pid {pid} (`{name or '?'}`)" + (f" and {more} more" if more else "")
            fate = f"runs as {user}, and portsup may not kill it" if user else "is still alive after SIGKILL"
            return f"{who} {fate}"
    return ""


def _of_life(reason: Reason) -> str:
    match reason:
        case reasons.Asked(to):
            return _ASKED[to]
        case reasons.Unused(seconds):
            return f"nobody used it for {seconds:g} s"
        case reasons.MakesRoom(by, seconds):
            return f"`{by}` needs its room in the budget, and nobody used it for {seconds:g} s"
        case reasons.UsesProcessor(percent):
            if percent < 0:
                return "portsup cannot tell how much of a processor its processes use"
            return f"its processes use {percent:g}% of a processor"
        case reasons.NeedsRestarted(needs):
            return f"{_named(needs)} {'was' if len(needs) == 1 else 'were'} restarted"
        case reasons.NeedsMoved(needs):
            return f"{_named(needs)} moved to another port"
        case reasons.FilesChanged(path, count):
            return f"`{path}` changed" if count == 1 else f"`{path}` and {count - 1} more changed"
        case reasons.NotReady():
            goal = "done" if reason.is_job else "ready"
            return f"not {goal} within {reason.within:g} s" + (f": {text_of(reason.missing)}" if reason.missing else "")
        case reasons.SaidNothing(seconds):
            return f"said nothing for {seconds:g} s"
        case reasons.SaysItHangs():
            return "said that it hangs"
        case reasons.SaysItStops():
            return "it is stopping"
        case reasons.OfHook(hook, why, said):
            has_ended = isinstance(why, reasons.EndedWithCode | reasons.EndedBySignal)
            return f"{hook} {'ended with ' if has_ended else ''}{text_of(why)}" + (f": {said}" if said else "")
        case reasons.NotRun(error):
            return f"cannot be run now: {error}"
        case reasons.NoFirstClient(why):
            return f"cannot listen for its first client: {why}"
        case reasons.SocketNotKept():
            return "portsup does not keep its sockets"
        case reasons.NotDone(within):
            return f"was not done within {within:.3g} s"
    return _of_stack(reason)


def _of_stack(reason: Reason) -> str:
    match reason:
        case reasons.NoPortUsable():
            return "no port of its pool can be used"
        case reasons.Held():
            return holder(reason)
        case reasons.NotTried():
            return "not tried, ports are strict" if reason.is_strict else "not tried"
        case reasons.PortLockLost(port, why):
            return f"the lock of port {port} is lost: {text_of(why)}"
        case reasons.LockGone():
            return lock_gone(reason)
        case reasons.NeedsLost(needs):
            return _needs_lost(needs)
        case reasons.NoRoom():
            return _no_room(reason)
        case reasons.OfPortsup(error, where):
            return f"internal error of portsup: {error}" + (f", in {where}" if where else "")
    raise AssertionError(f"there are no words for {reason!r}")


def _no_room(reason: "reasons.NoRoom") -> str:
    what = reason.resource.replace("gpu_memory", "GPU memory")
    why = f"it needs {megabytes(reason.needs)} of {what}, and {megabytes(reason.free)} of the budget are free"
    if not reason.held_by:
        return why
    return f"{why}; {'it waits until' if reason.leaving else 'the rest is used by'} {_named(reason.held_by)}" + (
        f" {'has' if len(reason.held_by) == 1 else 'have'} stopped" if reason.leaving else ""
    )


def _needs_lost(needs: "tuple[reasons.LostNeed, ...]") -> str:
    named: dict[str, list[str]] = {}
    for need in needs:
        named.setdefault(_fate(need), []).append(f"`{need.name}`")
    why = "it depends on " + " and ".join(f"{', '.join(names)}, which {fate}" for fate, names in named.items())
    jobs = [need for need in needs if need.should_end]
    if not jobs:
        return why
    setting = "" if any(need.has_pool for need in jobs) else "set `one_shot: true` there, or "
    return f"{why}; if {' and '.join(f'`{need.name}`' for need in jobs)} should end, {setting}depend on `completed_ok`"


def _fate(need: "reasons.LostNeed") -> str:
    match need.fate:
        case "stopped":
            return "is stopped"
        case "ended":
            return f"has ended ({text_of(need.why)})" if need.why else "has ended"
    return "failed"


def _named(names: "tuple[str, ...]") -> str:
    return " and ".join(f"`{name}`" for name in names)


def _name_of(number: int) -> str:
    name = name_of(number)
    return f" ({name})" if name else ""
