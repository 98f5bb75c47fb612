"""What a service said of itself, sd_notify(3), noted in what is known of it.  Pure."""

from supervisor.core.sd_notify import Notification
from supervisor.core.service.snapshot import Service
from supervisor.core.state import Beside, Role, State
from supervisor.dataclass import replace


def note(svc: Service, notice: Notification, now: float) -> Service:
    """`svc` after it said this: its words, its watchdog, and a deadline that it asked to move."""
    if notice.status is not None:
        svc = replace(svc, told=notice.status)
    if notice.watchdog is not None:
        svc = replace(svc, watchdog=notice.watchdog)
    match svc.state:
        case State.RUNNING:
            if notice.is_ready:
                svc = replace(svc, reloading_since=None)
            elif notice.is_reloading:
                svc = replace(svc, reloading_since=now)
            if notice.is_alive or notice.watchdog is not None:
                svc = replace(svc, deadline=watched_until(svc, now))
        case State.STARTING | State.TERMINATING if notice.extension and svc.deadline is not None:
            # A grace that somebody gave in person, or a stack that has lost a lock, is not for the service to extend.
            if svc.state is State.STARTING or svc.grace == svc.timeouts.grace:
                svc = replace(svc, deadline=max(svc.deadline, now + notice.extension))
    return svc


def note_beside(svc: Service, beside: Beside, notice: Notification, now: float) -> Beside:
    """The same for the second process of a service, during a rolling restart."""
    if notice.status is not None:
        beside = replace(beside, told=notice.status)
    if notice.watchdog is not None:
        beside = replace(beside, watchdog=notice.watchdog)
    may_extend = beside.role is Role.SUCCESSOR or (beside.role is Role.LEAVING and beside.grace == svc.timeouts.grace)
    if may_extend and notice.extension and beside.deadline is not None:
        beside = replace(beside, deadline=max(beside.deadline, now + notice.extension))
    return beside


def watched_until(svc: Service, now: float) -> float | None:
    """When a running service that is heard at `now` has been silent for too long."""
    return now + svc.watchdog if svc.watchdog else None
