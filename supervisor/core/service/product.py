"""The whole product of states: what a service in each `State` may have beside it.  Data; a random walk is held to it.

A service has a state, perhaps a process, perhaps a second one with a `Role`, perhaps a hook that runs, and perhaps a
deadline.  Most combinations of these never are; those that may be stand here, and nowhere else.
"""

from collections.abc import Mapping
from types import MappingProxyType

from supervisor.core.service.snapshot import Service
from supervisor.core.state import Hook, Role, State
from supervisor.dataclass import dataclass

S = State


@dataclass(frozen=True, slots=True)
class Shape:
    """What one state goes with; None where both may be."""

    process: bool | None = False
    roles: frozenset[Role] = frozenset()  # that a second process may have
    hooks: frozenset[Hook] = frozenset()  # that may run
    needs_hook: bool = False
    deadline: bool | None = False


PRODUCT: Mapping[State, Shape] = MappingProxyType({
    S.STOPPED: Shape(),
    S.ACQUIRING: Shape(),
    S.IDLE: Shape(deadline=None),  # that of a pause
    S.WAITING: Shape(deadline=None),  # that of room in the budget
    S.PREPARING: Shape(hooks=frozenset({Hook.PRE_START}), needs_hook=True),
    # Without a deadline where any time will do.
    S.STARTING: Shape(process=True, roles=frozenset({Role.DOOMED}), deadline=None),
    # The pre_start is that of a successor; a deadline is that of the watchdog.
    S.RUNNING: Shape(
        process=True, roles=frozenset(Role), hooks=frozenset({Hook.PRE_START, Hook.POST_START}), deadline=None
    ),
    # Without a process where it ended while its hook still runs.
    S.TERMINATING: Shape(
        process=None, roles=frozenset({Role.LEAVING, Role.DOOMED}),
        hooks=frozenset({Hook.PRE_STOP, Hook.STOP_COMMAND}), deadline=True,
    ),
    S.KILLING: Shape(process=True, roles=frozenset({Role.LEAVING, Role.DOOMED}), deadline=True),
    S.CLEANING: Shape(hooks=frozenset({Hook.POST_STOP}), needs_hook=True),
    S.BACKOFF: Shape(deadline=True),
    S.EXITED: Shape(),
    # With one that survived SIGKILL, or two.
    S.FAILED: Shape(process=None, roles=frozenset({Role.LEAVING, Role.DOOMED})),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flaw:
    """What of a service contradicts the table: its `part`, a field of `Shape`, is not as it was `found`."""

    state: State
    part: str
    found: object


def flaw(svc: Service) -> Flaw | None:
    """The first one of a service, None if it has none; between an effect and its answer it may have many."""
    shape = PRODUCT[svc.state]
    hook = None if svc.hook is None else svc.hook.hook
    beside = None if svc.beside is None else svc.beside.role
    if shape.process is not None and (svc.pid is not None) is not shape.process:
        return Flaw(svc.state, "process", svc.pid)
    if beside is not None and beside not in shape.roles:
        return Flaw(svc.state, "roles", beside)
    if (hook is not None and hook not in shape.hooks) or (hook is None and shape.needs_hook):
        return Flaw(svc.state, "hooks", hook)
    if shape.deadline is not None and (svc.deadline is not None) is not shape.deadline:
        return Flaw(svc.state, "deadline", svc.deadline)
    if svc.state is S.TERMINATING and svc.pid is None and hook is None:
        return Flaw(svc.state, "process", None)
    if (hook is Hook.PRE_START) is not (
        svc.state is S.PREPARING or (svc.beside is not None and svc.beside.pid is None)
    ):
        return Flaw(svc.state, "hooks", hook)
    return None
