"""When a service that nobody uses is stopped, until its next client comes.  Pure.

The clock starts when the last client has left.  Clients are counted when it has run out, and not before, unless one has
left: then soon after that, so that a crowd that leaves is one event.  Nothing is done while a client stays.
"""

from supervisor.core import events as ev
from supervisor.core.reasons import Unused
from supervisor.core.service.hooks import Step
from supervisor.core.service.moves import terminate
from supervisor.core.service.snapshot import Service
from supervisor.core.state import State, Then
from supervisor.dataclass import replace

SHARE = 10  # so often within `idle_stop` clients are counted at most
LATEST = 60.0  # seconds after one has left


def begin(svc: Service, now: float) -> Service:
    """`svc`, which is ready, or was used, at `now`."""
    return replace(svc, used_at=now, idle_at=_earliest(svc, now + svc.timeouts.idle)) if svc.timeouts.idle else svc


def is_due(svc: Service, now: float) -> bool:
    """Whether it is time to count its clients."""
    return svc.state is State.RUNNING and svc.idle_at is not None and now >= svc.idle_at


def count(svc: Service, now: float) -> Step:
    """It is time; not in the middle of something else."""
    if svc.beside is not None or svc.hook is not None or svc.pid is None:
        return replace(svc, idle_at=_soon(svc, now)), ()
    return replace(svc, idle_at=None), (ev.CountClients(svc.pid),)


def decide(svc: Service, event: ev.Event, now: float) -> Step:
    """What an event about its clients means for a running service."""
    match event:
        case ev.IdlingChanged():
            return begin(replace(svc, idle_at=None), now), ()
        case _ if not svc.timeouts.idle or svc.beside is not None:
            return svc, ()
        case ev.ClientLeft(pid) if pid == svc.pid:
            return replace(svc, used_at=now, idle_at=_soon(svc, now)), ()
        case ev.ClientsCounted(pid, connected, has_left, waiting) if pid == svc.pid:
            if waiting:  # not for longer than there is need
                made = replace(begin(svc, now), idle_at=_soon(svc, now)), ()
                return made if connected else (replace(svc, idle_at=None), (ev.MakeSureUnused(pid),))
            if connected or has_left:
                return begin(svc, now), ()
            until = _earliest(svc, svc.used_at + svc.timeouts.idle)
            if now < until:
                return replace(svc, idle_at=until), ()
            return replace(svc, idle_at=None), (ev.MakeSureUnused(pid),)
        case ev.FoundInUse(pid, why) if pid == svc.pid:
            return (replace(svc, idle_at=_soon(svc, now)) if why else begin(svc, now)), ()
        case ev.FoundUnused(pid) if pid == svc.pid and svc.hook is None:
            return terminate(svc, Then.IDLE, Unused(round(now - svc.used_at, 1)), now)
    return svc, ()


def _earliest(svc: Service, moment: float) -> float:
    return max(moment, (svc.ready_since or 0.0) + svc.timeouts.min_up)


def _soon(svc: Service, now: float) -> float:
    return _earliest(svc, now + min(svc.timeouts.idle / SHARE, LATEST))
