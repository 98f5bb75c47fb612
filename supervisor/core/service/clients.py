"""Who may wait for a service that has no process, or whose process goes.  Pure."""

from supervisor.core.service.snapshot import Service
from supervisor.core.state import Hook, State, Then


def keeps_clients(svc: Service) -> bool:
    """Whether the sockets of a service stay open for its next process, so that clients wait for it."""
    match svc.state:
        case State.IDLE | State.PREPARING | State.STARTING | State.RUNNING | State.BACKOFF:
            return True
        case State.WAITING:
            return svc.can_idle
        case State.TERMINATING | State.KILLING | State.CLEANING:
            return svc.then in (Then.RESTART, Then.RETRY, Then.EXIT, Then.LEAVE, Then.IDLE)
    return False


def serves_on(svc: Service) -> bool:
    """Whether the process of a service that ends serves for as long as a command is run before it is asked to."""
    return svc.state is State.TERMINATING and svc.hook is not None and svc.hook.hook is Hook.PRE_STOP


def has_last_clients(svc: Service) -> bool:
    """Whether the process of a service that ends accepts those who wait before it is asked to: not by its own command.

    Once it has been asked, nobody keeps the sockets any more.
    """
    return svc.state is State.TERMINATING and (svc.hook is None or serves_on(svc))
