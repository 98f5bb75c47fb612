"""When a service that nobody uses is stopped, until its next client comes.  Pure.

The clock starts when the last client has left.  Clients are counted when it has run out, and not before, unless one has
left: then soon after that, so that a crowd that leaves is one event.  Nothing is done while a client stays.
"""

from supervisor.core import events as ev
from supervisor.core.reasons import MakesRoom, Unused
from supervisor.core.service.hooks import Step
from supervisor.core.service.moves import terminate
from supervisor.core.service.snapshot import Service
from supervisor.core.state import State, Then
from supervisor.dataclass import replace

SHARE = 10  # so often within `idle_stop` clients are counted at most
LATEST = 60.0  # seconds after one has left
AGAIN = 0.5  # seconds after which one that could not make room is looked at again


def begin(svc: Service, now: float) -> Service:
    """`svc`, which is ready, or was used, at `now`."""
    idle_at = _earliest(svc, now + svc.timeouts.idle) if svc.timeouts.idle else None
    return replace(svc, used_at=now, idle_at=idle_at, in_use=False, makes_room_for="")


def is_due(svc: Service, now: float) -> bool:
    """Whether it is time to count its clients."""
    return svc.state is State.RUNNING and svc.idle_at is not None and now >= svc.idle_at


def count(svc: Service, now: float) -> Step:
    """It is time; not in the middle of something else."""
    if svc.beside is not None or svc.hook is not None or svc.pid is None:
        return replace(svc, idle_at=_soon(svc, now)), ()
    return replace(svc, idle_at=None), (ev.CountClients(svc.pid),)


def decide(svc: Service, event: ev.OfClients, now: float) -> Step:
    """What an event about its clients means for a running service."""
    match event:
        case ev.IdlingChanged():
            return begin(replace(svc, idle_at=None), now), ()
        case _ if not svc.is_watched:
            return replace(svc, makes_room_for=""), ()
        case ev.ClientsCounted() | ev.FoundUnused() | ev.FoundInUse() if svc.beside is not None or svc.hook is not None:
            return replace(svc, makes_room_for="", idle_at=_soon(svc, now)), ()  # it is in the middle of something else
        case _ if svc.beside is not None:
            return replace(svc, makes_room_for=""), ()
        case ev.RoomNeeded(by) if can_go(svc) and svc.pid is not None:
            return replace(svc, makes_room_for=by, idle_at=None), (ev.MakeSureUnused(svc.pid),)
        case ev.ClientLeft(pid) if pid == svc.pid:
            idle_at = _soon(svc, now) if svc.timeouts.idle else svc.idle_at
            return replace(svc, used_at=now, idle_at=idle_at, in_use=False), ()
        case ev.ClientsCounted(pid) if pid == svc.pid:
            return _counted(svc, event, now)
        case ev.FoundInUse(pid, why) if pid == svc.pid and svc.makes_room_for:
            again = _soon(svc, now) if why else now + AGAIN
            used_at = svc.used_at if why else now
            return replace(svc, used_at=used_at, idle_at=again, in_use=True, makes_room_for=""), ()
        case ev.FoundInUse(pid, why) if pid == svc.pid:
            return (replace(svc, idle_at=_soon(svc, now)) if why else begin(svc, now)), ()
        case ev.FoundUnused(pid) if pid == svc.pid:
            unused = round(now - svc.used_at, 1)
            why = MakesRoom(svc.makes_room_for, unused) if svc.makes_room_for else Unused(unused)
            return terminate(svc, Then.IDLE, why, now)
        case ev.FoundUnused():
            return replace(svc, makes_room_for=""), ()
    return svc, ()


def can_go(svc: Service) -> bool:
    """Whether it is worth looking if a service can be stopped for another one."""
    is_settled = svc.state is State.RUNNING and svc.beside is None and svc.hook is None
    return svc.can_make_room and is_settled and not svc.in_use and not svc.makes_room_for


def _counted(svc: Service, event: ev.ClientsCounted, now: float) -> Step:
    if event.waiting:  # not for longer than there is need
        made = replace(begin(svc, now), idle_at=_soon(svc, now), in_use=event.connected > 0), ()
        return made if event.connected else (replace(svc, idle_at=None), (ev.MakeSureUnused(event.pid),))
    if event.connected or event.has_left:
        return replace(begin(svc, now), in_use=event.connected > 0), ()
    svc = replace(svc, in_use=False)
    if not svc.timeouts.idle:
        return svc, ()
    until = _earliest(svc, svc.used_at + svc.timeouts.idle)
    if now < until:
        return replace(svc, idle_at=until), ()
    return replace(svc, idle_at=None), (ev.MakeSureUnused(event.pid),)


def _earliest(svc: Service, moment: float) -> float:
    return max(moment, (svc.ready_since or 0.0) + svc.timeouts.min_up)


def _soon(svc: Service, now: float) -> float:
    if not svc.timeouts.idle:
        return now + LATEST
    return _earliest(svc, now + min(svc.timeouts.idle / SHARE, LATEST))
