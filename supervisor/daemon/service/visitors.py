"""Counts who is connected to a service, hears of those who leave, and keeps newcomers for its next process.

The kernel tells of each connection that ends (`system.open_departures`).  Nobody listens for that while the service is
in use: from one count of its clients to the first that leaves, and then not before the next count; only of those that
make room for others it is kept when they were used last.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from supervisor import system
from supervisor.core import events as ev
from supervisor.core.reasons import Cause
from supervisor.core.service import Service
from supervisor.core.state import IS_ASLEEP, State
from supervisor.daemon.service.slot import Child, Slot
from supervisor.daemon.tasks import begin
from supervisor.system import Departures

APART = 0.1  # seconds between two departures that are heard, of a service that may make room for others
WhyBusy = Callable[[Slot, Child], Awaitable[Cause]]


class Visitors:
    """The clients of the services of one instance that are stopped when nobody uses them.

    Of several replicas the first that is ready has the clients counted, for all of them: they stop together.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, is_busy: WhyBusy, tell_trouble: Callable[[str, str], None]
    ) -> None:
        self._loop = loop
        self._is_busy = is_busy
        self._tell_trouble = tell_trouble
        self._departures: dict[str, tuple[int, Departures]] = {}
        self._heard: set[str] = set()

    def watch(self, slot: Slot) -> None:
        """Hears from now on who leaves."""
        name, port = slot.of, slot.service.port
        if port is None or self._port_of(name) == port:
            return
        self.forget(slot)
        try:
            self._departures[name] = port, system.open_departures(port)
        except OSError as error:
            self._tell_trouble(name, (error.strerror or str(error)).lower())
        else:
            self._hear(slot)

    def forget(self, slot: Slot) -> None:
        """Its process ends, or is not stopped for want of clients any more."""
        name = slot.of
        self._hear_no_more(name)
        if name in self._departures:
            self._departures.pop(name)[1].close()

    def count(self, slot: Slot, pid: int) -> None:
        """Answers CountClients."""
        name = slot.of
        if slot.service.pid != pid or name not in self._departures or slot.shared.running()[:1] != [slot]:
            return
        try:
            has_left = self._has_left(slot)
            waiting = 0 if slot.sockets is None else slot.sockets.newcomers().waiting()
            connected = max(0, self._connected(slot) - waiting)
        except OSError as error:
            self._tell_trouble(name, (error.strerror or str(error)).lower())
            return
        self._hear(slot)
        slot.keeper.tell(ev.ClientsCounted(pid, connected, has_left, waiting))

    def make_sure(self, slot: Slot, pid: int) -> None:
        """Answers MakeSureUnused."""
        child = slot.child_of(pid)
        if child is None or not is_running(slot, pid):  # somebody stopped it in between
            return

        async def ask() -> None:
            self._hear_no_more(slot.of)  # the check may connect as well
            why = await self._is_busy(slot, child)
            if is_running(slot, pid):
                if slot.of in self._departures:
                    self._has_left(slot)
                self._answer(slot, pid, why)

        if slot.spec.idle_cpu_below or slot.spec.idle_check is not None:
            child.tasks.append(begin(ask(), self._loop))
        else:
            self._answer(slot, pid, "")

    def _answer(self, slot: Slot, pid: int, why: Cause) -> None:
        if not slot.service.is_watched or slot.of not in self._departures:
            why = why or slot.label  # a reload wants it to stay, or nobody is told who leaves
        elif slot.replica is not None:
            why = why or next((each.label for each in slot.replicas if not self._may_stop(each.service)), "")
        elif slot.service.beside is not None or slot.service.hook is not None:
            why = why or slot.label  # nobody would let in again those who wait
        running = slot.shared.running()
        if why or not self._keep_newcomers(slot, [each.child for each in running if each.child is not None]):
            slot.keeper.tell(ev.FoundInUse(pid, why))
            return
        for each in running:
            each.keeper.tell(ev.FoundUnused(each.service.process))

    def _may_stop(self, svc: Service) -> bool:
        """Whether a replica can be stopped with the others now: it is at rest, or has been ready for long enough."""
        if svc.state is not State.RUNNING:
            return svc.state in IS_ASLEEP
        is_old = self._loop.time() >= (svc.ready_since or 0.0) + svc.timeouts.min_up
        return is_old and svc.beside is None and svc.hook is None

    def _keep_newcomers(self, slot: Slot, children: Sequence[Child]) -> bool:
        """Has everybody who connects from now on wait for the next process; False if somebody came before that."""
        sockets = slot.sockets
        if sockets is None:
            with contextlib.suppress(OSError):  # somebody may be there
                return not self._connected(slot)
            return False
        newcomers = sockets.newcomers()
        try:
            with contextlib.suppress(OSError):  # then they wait at the socket of the process, as before a restart
                for child in children:
                    newcomers.keep(child.invocation)
            waiting = newcomers.waiting()  # first: who comes in between counts as connected, and not the other way
            if not self._has_left(slot) and self._connected(slot) <= waiting:
                return True
        except OSError:
            pass  # somebody may be there
        for child in children:
            newcomers.let_in(child.invocation)
        return False

    def _connected(self, slot: Slot) -> int:
        own = slot.own_ports
        return sum(each.peer_port not in own for each in system.connections_on(slot.service.port or 0))

    def _has_left(self, slot: Slot) -> bool:
        """Whether somebody has left since this was asked before, other than the probes of portsup."""
        others = False
        for port in self._departures[slot.of][1].read():
            if port in slot.own_ports:
                slot.own_ports.remove(port)  # a client may come from there now
            else:
                others = True
                if not port:
                    slot.own_ports.clear()
        return others

    def _hear(self, slot: Slot) -> None:
        name = slot.of
        if name not in self._heard:
            try:
                self._loop.add_reader(self._departures[name][1].fileno(), self._on_departure, slot)
            except OSError as error:  # no memory, or too many watches (epoll_ctl(2)): the next count tries again
                self._tell_trouble(name, (error.strerror or str(error)).lower())
            else:
                self._heard.add(name)

    def _hear_no_more(self, name: str) -> None:
        if name in self._heard:
            self._heard.discard(name)
            self._loop.remove_reader(self._departures[name][1].fileno())

    def _on_departure(self, slot: Slot) -> None:
        running = slot.shared.running()
        if self._has_left(slot) and running:
            self._hear_no_more(slot.of)
            if slot.service.can_make_room:  # it matters whether it was used after others
                self._loop.call_later(APART, self._hear_again, slot)
            running[0].keeper.tell(ev.ClientLeft(running[0].service.process))

    def _hear_again(self, slot: Slot) -> None:
        if slot.of in self._departures and not slot.service.makes_room_for:
            self._hear(slot)

    def _port_of(self, name: str) -> int | None:
        return self._departures[name][0] if name in self._departures else None


def is_running(slot: Slot, pid: int) -> bool:
    """Whether this is the process in charge of a service that is ready."""
    return slot.service.pid == pid and slot.service.state is State.RUNNING
