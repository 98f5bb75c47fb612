"""Listens for services that have no process, and tells them when their first client comes."""

import asyncio
import socket
from collections.abc import Collection

from supervisor.config.spec import HandoffMode
from supervisor.core import events as ev
from supervisor.core.address import host_of
from supervisor.core.reasons import NoFirstClient
from supervisor.daemon.service.programs import Programs
from supervisor.daemon.service.slot import Slot
from supervisor.errors import PortsupError
from supervisor.ports.place import place_of_socket
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.process.filters import Filters
from supervisor.words import refusals
from supervisor.words.sockets import HANDOFF_IS_OFF


class Callers:
    """Whoever connects to a service of one instance that waits for its first client.

    Nothing happens until somebody does: each listening socket is one watch of the loop, and no timer.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, programs: Programs, filters: Filters, *, hands_over: bool
    ) -> None:
        self._loop = loop
        self._programs = programs
        self._filters = filters
        self._hands_over = hands_over
        self._watched: dict[str, list[int]] = {}

    def wait_for(self, slot: Slot) -> ev.AwaitFailed | None:
        """Listens from now on, or says why it cannot be; the service is told when a client waits.

        Of several replicas it is all that are told; nobody is listened for as long as one of them serves.
        """
        if slot.replica is not None and (slot.of in self._watched or slot.shared.is_served()):
            return None
        self.forget(slot)
        try:
            why = self._why_not(slot)
            if not why:
                self._watch(slot, self._sockets(slot).await_clients(self._host(slot)))
        except (OSError, PortsupError) as error:
            why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        if why:
            self.forget(slot)
        return ev.AwaitFailed(NoFirstClient(why)) if why else None

    def forget(self, slot: Slot) -> None:
        """Its process sees to its clients from now on, or nobody does; say it before its sockets are closed."""
        for fd in self._watched.pop(slot.of, ()):
            self._loop.remove_reader(fd)

    def _watch(self, slot: Slot, sockets: Collection[socket.socket]) -> None:
        slot.shared.host = host_of([place_of_socket(sock) for sock in sockets]) or slot.host
        self._programs.forget_endpoints()
        watched = self._watched[slot.of] = []
        for sock in sockets:
            self._loop.add_reader(sock.fileno(), self._called, slot)
            watched.append(sock.fileno())

    def _called(self, slot: Slot) -> None:
        self.forget(slot)
        self.tell(slot, ev.Called())

    def tell(self, slot: Slot, event: ev.Called | ev.AwaitFailed) -> None:
        """Has all replicas know."""
        for each in tuple(slot.replicas):
            each.keeper.tell(event)

    def _why_not(self, slot: Slot) -> str:
        if slot.spec.handoff is HandoffMode.SYSTEMD:
            return ""
        if not self._hands_over or slot.spec.handoff is HandoffMode.OFF:
            return HANDOFF_IS_OFF
        return "" if self._filters.get() is not None else self._filters.why_not

    def _sockets(self, slot: Slot) -> ServiceSockets:
        if slot.shared.sockets is None:
            reservation = None if slot.lease is None else slot.lease.reservation()
            if reservation is None:
                raise refusals.no_port_held()
            slot.shared.sockets = ServiceSockets(reservation)
        return slot.shared.sockets

    def _host(self, slot: Slot) -> str:
        return self._programs.environment(slot, slot.service.port)["HOST"]
