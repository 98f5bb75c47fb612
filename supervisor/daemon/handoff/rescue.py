"""Accepts those who wait at sockets that no process has any more, and leads them to a process that lives.

That is done where no queue moves, when a worker has crashed, or the processes of a service that share its port end.
Some turns of the loop, as a rule two: nobody gets there since the first, and what had begun then has come to an end.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable

from supervisor import system
from supervisor.core.relay import AT_MOST, Fate, Next, fate_of, what_next
from supervisor.daemon.handoff.relays import Relays
from supervisor.dataclass import dataclass, field
from supervisor.ports import adrift
from supervisor.ports.handshakes import Handshakes
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.words.sockets import cut_off

AT_ONCE = 32  # clients in one turn of the loop
LOOK_AGAIN = 0.005  # seconds


@dataclass(slots=True)
class Rescue:
    """Of the sockets of one service; `tell` is told how many clients were led on, and why others were not."""

    loop: asyncio.AbstractEventLoop
    sockets: ServiceSockets
    relays: Relays
    tell: Callable[[int, str], None]
    _until: float = 0.0
    _timer: asyncio.Handle | None = None
    _begun: set[int] | None = None  # the ports of those whose handshake was under way when nobody got there any more
    _fates: dict[Fate, int] = field(default_factory=dict)
    _handshakes: Handshakes = field(default_factory=Handshakes)

    def begin(self) -> None:
        """There are more of them."""
        self._begun = None
        self._until = self.loop.time() + AT_MOST
        if self._timer is None:
            self._look_later(0)

    def _look_later(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        seats = [seat for seat in self.sockets.seats().values() if seat.adrift]
        if not seats:  # they were closed, as the service is stopped
            self._fates.clear()
            return
        changed = [adrift.pass_by(seat) for seat in seats]
        if any(changed) and self.loop.time() < self._until:  # somebody has begun to listen since
            self._begun = None
            self._look_later(0)
            return
        if self._begun is None or self._begun:
            begun = self._under_way()
            self._begun = begun if self._begun is None else self._begun & begun  # first, as they get into the queues
        has_room = self._accept()
        waiting = sum(map(adrift.waiting, seats))
        match what_next(waiting if has_room else 0, len(self._begun), self.loop.time(), self._until):
            case Next.GO_ON:
                self._look_later(0)
            case Next.WAIT:
                self._look_later(LOOK_AGAIN)
            case Next.CLOSE:
                self._finish(waiting)

    def _under_way(self) -> set[int]:
        with contextlib.suppress(OSError):  # nobody can tell
            return self._handshakes.on(self.sockets.port, self._handshakes.looks)
        return set()

    def _accept(self) -> bool:
        """Sees to the next of those who wait; whether there are descriptors for it."""
        seats = [seat for seat in self.sockets.seats().values() if seat.adrift]
        try:
            for _ in range(AT_ONCE):
                client = next(filter(None, map(adrift.next_of, seats)), None)
                if client is None:
                    break
                fate = self._see_to(client)
                self._fates[fate] = self._fates.get(fate, 0) + 1
        except OSError:
            return False
        return True

    def _see_to(self, client: socket.socket) -> Fate:
        try:
            peer, here = client.getpeername()[0], client.getsockname()[0]
        except OSError:  # it is gone
            client.close()
            return Fate.GONE
        fate = fate_of(peer, here, system.user_of_peer(client), os.geteuid())
        if fate is not Fate.RELAYED:
            adrift.reset(client)
        elif not self.relays.begin(client):
            adrift.reset(client)
            return Fate.LEFT
        return fate

    def _finish(self, left: int) -> None:
        for seat in self.sockets.seats().values():
            adrift.finish(seat)
        fates, self._fates = self._fates, {}
        if left:
            fates[Fate.LEFT] = fates.get(Fate.LEFT, 0) + left
        if fates.get(Fate.FAR) or fates.get(Fate.ANOTHERS):
            self.sockets.hold_no_more()
        if fates.keys() - {Fate.GONE}:
            far, anothers, cut = (fates.get(each, 0) for each in (Fate.FAR, Fate.ANOTHERS, Fate.LEFT))
            self.tell(fates.get(Fate.RELAYED, 0), cut_off(far, anothers, cut))
