"""How an order went for one service, in words for the one who gave it."""

from collections.abc import Collection, Sequence

from supervisor.config.spec import ServiceSpec
from supervisor.core.service import Service
from supervisor.core.state import State
from supervisor.words.enumeration import counted, often
from supervisor.words.failures import failure
from supervisor.words.reasons import text_of

RESTARTED_MEANWHILE = "restarted meanwhile"
REMOVED = "removed"
ADDED = "added, and not started"
CHANGED = "changed, and goes on"
LEFT_OR_FOREIGN = "it has ended, or runs as another user"


def running(svc: Service) -> str:
    """That it runs, and where."""
    return "running" + place(svc.port)


def place(port: int | None) -> str:
    """Where it is; empty for one without a port."""
    return "" if port is None else f" on port {port}"


def state_of(svc: Service, spec: ServiceSpec) -> str:
    """How it is after a start or a stop."""
    match svc.state:
        case State.RUNNING:
            return running(svc)
        case State.FAILED:
            return failure(svc, spec)
        case State.EXITED:
            return f"ended, {text_of(svc.reason)}"
        case State.BACKOFF:
            return f"{text_of(svc.reason)}, {often(svc.attempts)}; portsup restarts it indefinitely"
    return str(svc.state)


def reloaded(svc: Service) -> str:
    """How it is after a reload."""
    if svc.state is State.RUNNING:
        return running(svc)
    if svc.state is State.FAILED and svc.pid is not None:
        return f"process {svc.pid} is still alive; its port stays reserved"
    return str(svc.state) + (f", {text_of(svc.reason)}" if svc.reason else "")


def file_changed(name: str) -> str:
    """That what runs is older than its file."""
    return f"{name} has changed since it was read: `portsup reload` applies it"


def of_service(name: str, words: str) -> str:
    """The same with the name before it."""
    return f"{name}: {words}"


def rotated(before: int | None, now: int | None) -> str:
    """Whether it moved."""
    if now == before:
        return f"stays on port {before}: no other port of its pool can be used"
    return f"moved from port {before} to {now}"


def scaled(before: int, now: int, failed: int) -> str:
    """How many replicas it has; `failed` of the new ones did not come up."""
    if before == now:
        return f"has {_replicas(now)} already"
    return f"{_replicas(now)} in place of {before}" + (f"; {failed} did not become ready" if failed else "")


def _replicas(count: int) -> str:
    return counted(count, "replica")


def signalled(signal: str) -> str:
    """That a signal was sent."""
    return f"{signal} sent"


def no_process(state: State) -> str:
    """That there is nobody to send a signal to."""
    return f"not running ({state})"


def still_needed(name: str, by: Sequence[str]) -> str:
    """Who depends on a service that is being stopped."""
    return f"{name}: still needed by {', '.join(by)}"


def not_rolled_after(failed: str) -> str:
    """That a rolling restart ended before its turn."""
    return f"not restarted, because `{failed}` was not"


def not_running(state: State) -> str:
    """That there is nothing to replace."""
    return f"is {state}, not running"


def not_replaced(svc: Service, before: int | None) -> str:
    """That its new process did not take over."""
    kept = f"; pid {svc.pid} stays in service" if svc.pid == before else f"; it is {svc.state}"
    return f"not replaced: {text_of(svc.roll_trouble)}{kept}"


def not_there(svc: Service) -> str:
    """That it does not run after a rolling restart."""
    return f"is {svc.state}" + (f": {text_of(svc.reason)}" if svc.reason else "")


def replaced(svc: Service, before: int | None) -> str:
    """Which process stands for it now."""
    return f"running{place(svc.port)}, pid {svc.pid} in place of pid {before}"


def stack_stops(left: int, total: int) -> str:
    """How the stack ends, for the status line of a service manager; `left` still have a process."""
    return f"stopping: {left} of {total} services are left"


def stack_starts(is_up: bool, ready: int, total: int, failing: Collection[str]) -> str:
    """How many of the services are ready, for the same line."""
    words = f"{ready} of {total} services are ready" + (f"; failing: {', '.join(failing)}" if failing else "")
    return words if is_up else f"starting: {words}"
