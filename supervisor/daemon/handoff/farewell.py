"""Before a process is asked to end: has its clients wait for the next one, or find that by the name of the service."""

import asyncio
from collections.abc import Callable

from supervisor.core.hostnames import pause_before_stop
from supervisor.core.state import State
from supervisor.daemon.service.slot import Slot

ACCEPTS_WITHIN = 0.25  # seconds that a process has for the clients that wait where nothing can move them
LOOK_AGAIN = 0.005


def see_off(loop: asyncio.AbstractEventLoop, slot: Slot, pid: int, end: Callable[[], None]) -> None:
    """Calls `end` when nobody would be refused by the end of a process, or after a while; not if it is gone before."""
    child, svc = slot.child_of(pid), slot.service
    is_named = slot.name_url and svc.state is State.TERMINATING
    pause = pause_before_stop(svc.deadline, loop.time()) if is_named else 0.0
    until = loop.time() + pause + ACCEPTS_WITHIN

    def look() -> None:
        if child is not slot.child_of(pid):
            return
        if slot.sockets is not None and child is not None and slot.shared.keeps_clients():
            newcomers = slot.sockets.newcomers()
            if not newcomers.stand_by(child.invocation):
                if loop.time() < until:
                    loop.call_later(LOOK_AGAIN, look)
                    return
                newcomers.let_in(child.invocation)
        end()

    if pause:
        loop.call_later(pause, look)
    else:
        look()
