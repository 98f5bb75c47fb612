"""Starts the processes of services: under the filter that hands their ports over, or without where there is none."""

import asyncio
import os
import signal
from collections.abc import Callable, Collection

from supervisor.config.spec import HandoffMode
from supervisor.daemon.filters import Filters
from supervisor.daemon.handoff import Handoff, Hearing
from supervisor.daemon.reporter import Reporter
from supervisor.daemon.slot import Child, Slot
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.process.spawn import Command, spawn
from supervisor.system.notifications import Notifications


class Starter:
    """The two ways to start a service."""

    def __init__(self, loop: asyncio.AbstractEventLoop, reporter: Reporter, *, hands_over: bool) -> None:
        self._loop = loop
        self._reporter = reporter
        self._hands_over = hands_over
        self._filters = Filters()

    def start(self, slot: Slot, command: Command) -> tuple[int, Notifications | None]:
        """The pid, and the calls that have to be answered from now on; raises SpawnError or OSError.

        Without those the port is free until the service has bound it.
        """
        wants = self._hands_over and slot.spec.handoff is HandoffMode.AUTO
        under = self._filters.get() if wants else None
        reservation = slot.lease.reservation() if slot.lease is not None else None
        if under is None or (slot.lease is not None and reservation is None):
            slot.why_no_handoff = self._filters.why_not if wants else "off"
            if wants:
                self._reporter.no_handoff(self._filters.why_not)
            if slot.lease is not None:
                slot.close_sockets()
                slot.lease.hand_over()
            return spawn(command), None
        pid = spawn(command, under.calls)
        try:
            calls = Notifications(under.take())
        except OSError as error:
            os.kill(pid, signal.SIGKILL)  # it runs without the filter, and can not get its port
            os.waitpid(pid, 0)
            self._filters.give_up(error.strerror or str(error))
            return self.start(slot, command)
        if reservation is not None and slot.sockets is None:
            slot.sockets = ServiceSockets(reservation)
        return pid, calls

    def hand_over(
        self, slot: Slot, child: Child, calls: Notifications, members: Callable[[], Collection[int]],
        on_end: Callable[[Slot], None],
    ) -> None:  # fmt: skip
        """Answers the calls of a child that was started under the filter."""
        name, tell = slot.spec.name, self._reporter
        hearing = Hearing(
            members=members,
            on_end=lambda: on_end(slot),
            on_moved=lambda port: tell.moved(name, port, slot.service.port),
            on_other_port=lambda port: tell.bound_elsewhere(name, port),
            on_refused=lambda port: tell.bind_refused(name, port),
            on_trouble=lambda why: tell.handoff_trouble(name, why),
        )
        child.handoff = Handoff(self._loop, calls, slot.sockets, slot.spec.bind, hearing)
        child.handoff.begin()

    def close(self) -> None:
        """Starts nothing any more."""
        self._filters.close()
