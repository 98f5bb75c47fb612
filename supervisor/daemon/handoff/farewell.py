"""Before a process is asked to end: it accepts the clients that wait for it, and others wait for the next process.

Where no process follows, others are turned away.  Where a name of the service leads to it, the name does so first.
"""

import asyncio
from collections.abc import Callable

from supervisor import system
from supervisor.core.farewell import Patience, patience_from
from supervisor.core.hostnames import pause_before_stop
from supervisor.core.state import State
from supervisor.daemon.service.slot import Child, Slot
from supervisor.dataclass import dataclass
from supervisor.ports.doors import Doors, doors_of
from supervisor.ports.newcomers import Newcomers
from supervisor.ports.service_sockets import ServiceSockets

LOOK_AGAIN = 0.005
SHUT_FOR = 1.0  # seconds from the word to a process, in which most close their sockets


def see_off(loop: asyncio.AbstractEventLoop, slot: Slot, pid: int, end: Callable[[], None]) -> None:
    """Calls `end` when nobody would be refused by the end of a process, or after a while; not if it is gone before."""
    child, svc = slot.child_of(pid), slot.service
    is_named = slot.name_url and svc.state is State.TERMINATING
    pause = pause_before_stop(svc.deadline, loop.time()) if is_named else 0.0
    patience = patience_from(loop.time() + pause, _deadline(slot, pid))
    if child is None:
        look = end
    else:
        look = _Farewell(loop, slot, child, end, patience).look
    if pause:
        loop.call_later(pause, look)
    elif slot.replica is not None:  # others of them may have to end as well, which will be known then
        loop.call_soon(look)
    else:
        look()


def _deadline(slot: Slot, pid: int) -> float | None:
    beside = slot.service.beside
    return beside.deadline if beside is not None and beside.pid == pid else slot.service.deadline


@dataclass(slots=True, eq=False)
class _Farewell:
    loop: asyncio.AbstractEventLoop
    slot: Slot
    child: Child
    end: Callable[[], None]
    patience: Patience
    is_new: bool = True  # it has been looked at for no handshake

    def look(self) -> None:
        """Asks it to end, or looks again in a moment."""
        if self.child is not self.slot.child_of(self.child.pid):
            return
        sockets, shared = self.slot.sockets, self.slot.shared
        keeps = shared.keeps_clients() or shared.serves_on()
        try:
            if sockets is not None and self._has_to_wait(sockets, keeps=keeps):
                self.loop.call_later(0 if self.is_new else LOOK_AGAIN, self.look)
                self.is_new = False
                return
        except OSError:  # who waits cannot be told, or cannot be led elsewhere
            pass
        self.end()
        if not keeps:
            self._shut()

    def _has_to_wait(self, sockets: ServiceSockets, *, keeps: bool) -> bool:
        """Whether there are clients that the process is to accept first; `keeps`: others wait for the next process."""
        if keeps:
            return not self._has_led_on(sockets)
        doors = self._all_doors()
        doors.hold_all(sockets.seats().values(), self._asked())
        doors.close()
        if self.is_new and doors.begun is None and doors.held:  # one look for all of this turn
            return True
        self.is_new = False
        waiting = doors.waiting()
        return bool(waiting) and self._waits_for(doors, waiting)

    def _has_led_on(self, sockets: ServiceSockets) -> bool:
        """Has those who connect wait for the next process."""
        who, newcomers = self.child.invocation, sockets.newcomers()
        is_last = any(each.spawned_at < self.child.spawned_at for each in self.slot.children())
        is_clear = newcomers.stand_by(who, is_last=is_last)
        doors = self.child.doors
        if doors is None:
            seats = [seat for seat in sockets.seats().values() if None in seat.kept or seat.others_of(who)]
            match system.moves_queues():
                case "bpf":
                    seats = []
                case "sysctl":
                    seats = [seat for seat in seats if seat.workers(who)]
            doors = self._hold(doors_of(seats, who))
        if system.moves_queues():
            self._move_on(sockets, doors, self.loop.time() + SHUT_FOR, is_last=is_last)
            return True
        waiting = doors.waiting()  # after that, as who came while the kernel told of all others was not counted
        is_clear = not waiting and is_clear
        if not is_clear and self._waits_for(doors, waiting):
            return False
        if len(doors.held) > 1:  # one of them closes first, and then the places of the others change
            doors.close()
        if not is_clear:
            newcomers.let_in(who)
            doors.open()
            doors.release()
        return True

    def _move_on(self, sockets: ServiceSockets, doors: Doors, until: float, *, is_last: bool) -> None:
        """Has what waits at several workers move once they have closed their sockets.

        The kernel resets a client whose handshake ends at the moment in which a socket is closed, so they are closed
        when others have got all who connect for a moment.
        """
        if not doors.held:
            return
        if self.loop.time() < until and doors.are_open():
            self.loop.call_later(LOOK_AGAIN, lambda: self._move_on(sockets, doors, until, is_last=is_last))
        else:
            newcomers = sockets.newcomers()
            newcomers.get_past(self.child.invocation, () if is_last else doors.held)
            self.loop.call_later(LOOK_AGAIN, self._let_go, newcomers, doors)

    def _let_go(self, newcomers: Newcomers, doors: Doors) -> None:
        doors.release()
        newcomers.get_anywhere(self.child.invocation)

    def _shut(self) -> None:
        """Nobody connects any more."""
        self.slot.close_sockets()
        if (doors := self.child.doors) is not None:
            doors.release()
            self.loop.call_later(SHUT_FOR, doors.open)

    def _all_doors(self) -> Doors:
        """Those of all that end together: the first to end closes the sockets of all."""
        own = self.child.doors
        if own is not None and own.are_all:
            return own
        others = (each.doors for each in self._children() if each.doors is not None and each.doors.are_all)
        doors = self._hold(next(others, None) or Doors(are_all=True))
        if own is not None:  # others were to follow it, and end as well by now
            self.patience = patience_from(self.loop.time(), _deadline(self.slot, self.child.pid))
            own.open()
            own.release()
        return doors

    def _asked(self) -> set[object]:
        """The process trees that were asked to end before, or are killed."""
        return {each.invocation for each in self._children() if each.is_asked}

    def _children(self) -> list[Child]:
        return [child for slot in self.slot.replicas for child in slot.children()]

    def _hold(self, doors: Doors) -> Doors:
        handoff = self.child.handoff
        if (doors.held or doors.are_all) and handoff is not None and handoff.workers is not None:
            handoff.workers.close()  # when one of them ended, what is held of it would be a listener that nobody knows
        self.child.doors = doors
        return doors

    def _waits_for(self, doors: Doors, waiting: int) -> bool:
        now = self.loop.time()
        processes = {self.child.main, *(claim.process for claim in doors.claims)} - {0}
        is_held_up = bool(doors.coming) or any(map(system.is_busy, processes))
        self.patience = self.patience.seen(waiting, now, is_held_up=is_held_up)
        return self.patience.lasts(now)
