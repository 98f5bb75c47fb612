"""Starts the processes of services: under the filter that hands their ports over, or without where there is none."""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Collection

from supervisor.config.spec import HandoffMode
from supervisor.core import events as ev
from supervisor.daemon.console.reporter import Reporter
from supervisor.daemon.handoff.calls import Handoff
from supervisor.daemon.handoff.contained import ContainedLoop
from supervisor.daemon.handoff.hangups import HangUps
from supervisor.daemon.handoff.hearing import Hearing
from supervisor.daemon.service.environment import with_more
from supervisor.daemon.service.sd_notify import SdNotify
from supervisor.daemon.service.slot import Child, Slot
from supervisor.daemon.stalls import doing, has_time
from supervisor.dataclass import replace
from supervisor.errors import REFUSALS, PortsupError, SpawnError
from supervisor.ports.reservation import Reservation
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.process import tree
from supervisor.process.filters import Filters
from supervisor.process.spawn import Command, spawn
from supervisor.system.held_calls import HeldCalls
from supervisor.words import activities, refusals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.daemon.handoff.relays import Relays
    from supervisor.daemon.handoff.rescue import Rescue

TRY_AGAIN = 1.0  # seconds until it is looked again whether there are descriptors for clients that wait
GATHERED_FOR = 0.2  # seconds in which other ports that a service binds are told of as one


def spawn_failed(error: Exception) -> ev.SpawnFailed:
    """What the service has to know of an error of `Spawner.start`; raises one again that nobody expected."""
    if not isinstance(error, PortsupError | OSError):
        raise error
    cause = error.__cause__ if isinstance(error, SpawnError) else error
    is_transient = isinstance(cause, OSError) and cause.errno in REFUSALS
    if isinstance(error, PortsupError):
        return ev.SpawnFailed(f"{error}" + (f"; {error.hint}" if error.hint else ""), is_transient)
    return ev.SpawnFailed(error.strerror or str(error), is_transient)


class Spawner:
    """The two ways to start a service."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, reporter: Reporter, notices: SdNotify, filters: Filters, *,
        hands_over: bool,
    ) -> None:  # fmt: skip
        self._loop = loop
        self._notices = notices
        self._reporter = reporter
        self._hands_over = hands_over
        self._filters = filters
        self._hang_ups = HangUps(loop)
        self._relays: Relays | None = None

    def start(self, slot: Slot, command: Command, *, refused: OSError | None = None) -> tuple[int, HeldCalls | None]:
        """The pid, and the calls that have to be answered from now on; raises PortsupError or OSError.

        Without those the port is free until the service has bound it, unless it gets its socket from the start.  Then
        there can be no second process beside one that listens there.  `refused`: it is to do without them this time.
        """
        # A program without a port has nothing to be handed, and may want a filter of its own.
        wants = self._hands_over and slot.spec.handoff is not HandoffMode.OFF and bool(slot.pool)
        under = self._filters.get() if wants and refused is None else None
        reservation = slot.lease.reservation() if slot.lease is not None else None
        given = self._with_voice(slot, command)
        if slot.spec.handoff is HandoffMode.SYSTEMD:
            given = self._activated(slot, given, reservation)
        if under is None or (slot.lease is not None and reservation is None):
            slot.why_no_handoff = self._filters.why_not if wants else "off" if slot.pool else ""
            if slot.lease is not None and slot.replica is not None and slot.spec.handoff is not HandoffMode.SYSTEMD:
                raise self._filters.refused or refusals.no_replicas(slot.why_no_handoff)
            if wants:
                self._reporter.no_handoff(self._filters.why_not)
            if slot.lease is not None and slot.spec.handoff is not HandoffMode.SYSTEMD:
                if slot.child is not None:
                    raise self._filters.refused or refusals.no_second_process(slot.why_no_handoff)
                slot.close_sockets()
                slot.lease.hand_over()
            return spawn(given), None
        if slot.sockets is not None and slot.service.needs_empty_port:
            slot.sockets.retire_unclaimed()
        pid = spawn(given, under.calls)
        try:
            calls = HeldCalls(under.take())
        except OSError as error:
            tree.end_at_once(pid)  # it runs without the filter, and cannot get its port
            self._filters.give_up(error)
            return self.start(slot, command, refused=error)
        with contextlib.ExitStack() as undo:
            undo.callback(tree.end_at_once, pid)
            undo.callback(calls.close)
            if reservation is not None and slot.sockets is None:
                slot.shared.sockets = ServiceSockets(reservation)
            if slot.sockets is not None and slot.replica is not None:
                slot.sockets.spread()
            undo.pop_all()
        return pid, calls

    def _with_voice(self, slot: Slot, command: Command) -> Command:
        """The command with what it needs to say how it is, sd_notify(3)."""
        told = self._notices.offer(slot)
        pid_variables = ("WATCHDOG_PID",) if "WATCHDOG_USEC" in told else ()
        return replace(command, environment=with_more(command.environment, told), pid_variables=pid_variables)

    def _activated(self, slot: Slot, command: Command, reservation: Reservation | None) -> Command:
        """The command with the socket of its port as descriptor 3, sd_listen_fds(3); the socket outlives it."""
        name, host = slot.spec.name, command.environment["HOST"]
        if reservation is None:
            raise refusals.socket_not_made(name)
        sockets = slot.shared.sockets = slot.shared.sockets or ServiceSockets(reservation)
        try:
            offered = sockets.offer(host, command.environment[tree.INVOCATION])
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise refusals.socket_not_made(name, why, host, reservation.port) from error
        told = {"LISTEN_FDS": "1", "LISTEN_FDNAMES": slot.of}
        return replace(
            command, environment=with_more(command.environment, told), passed=(offered.fileno(),),
            pid_variables=(*command.pid_variables, "LISTEN_PID"),
        )  # fmt: skip

    def hand_over(
        self, slot: Slot, child: Child, calls: HeldCalls, members: Callable[[], Collection[int]],
        on_end: Callable[[], None],
    ) -> None:  # fmt: skip
        """Answers the calls of a child that was started under the filter."""
        name, tell = slot.spec.name, self._reporter
        if slot.sockets is not None and slot.sockets.on_adrift is None:
            slot.sockets.on_adrift = self._rescuing(slot.sockets, name)
        hearing = Hearing(
            members=members,
            on_end=on_end,
            on_moved=lambda port: tell.moved(name, port, slot.service.port),
            on_other_port=self._gathered(lambda ports: tell.bound_elsewhere(name, ports)),
            on_refused=lambda port: tell.bind_refused(name, port),
            on_unseen=lambda why: self._unseen(slot, why),
            on_dropped=lambda why: tell.queue_dropped(name, why),
            on_filter=functools.cache(lambda: tell.filter_refused(name)),  # once for each process
        )
        offered = None
        if slot.spec.handoff is HandoffMode.SYSTEMD and slot.sockets is not None:  # that is all it has claimed by now
            claimed = slot.sockets.places(child.invocation)
            offered = next(place for place, is_its in claimed.items() if is_its)
        loop = ContainedLoop(self._loop, lambda error: slot.keeper.failed(error, child.pid))
        child.handoff = Handoff(
            loop, calls, slot.sockets, slot.spec.bind, hearing, offered, child.invocation, loop.aside,
            self._hang_ups, lambda: self._may_go_on(name),
        )  # fmt: skip
        child.handoff.begin()

    def _rescuing(self, sockets: ServiceSockets, service: str) -> Callable[[], None]:
        """What leads those on who wait where no process is."""

        @functools.cache
        def rescue() -> "Rescue":
            from supervisor.daemon.handoff.relays import Relays  # late: most never need it
            from supervisor.daemon.handoff.rescue import Rescue

            self._relays = self._relays or Relays(self._loop)
            return Rescue(self._loop, sockets, self._relays, functools.partial(self._reporter.queue_relayed, service))

        def begin() -> None:
            try:
                rescue().begin()
            except (ImportError, OSError):  # no descriptor is left to load it by: until then they wait
                self._loop.call_later(TRY_AGAIN, begin)

        return begin

    def _unseen(self, slot: Slot, why: str) -> None:
        if not slot.why_unseen:
            slot.why_unseen = why.lower()
            self._reporter.bind_not_seen(slot.spec.name, slot.why_unseen)

    def _gathered(self, tell: Callable[[Collection[int]], None]) -> Callable[[int], None]:
        """Tells of ports that come one by one: of the first at once, and of those of the next moment together."""
        ports: set[int] = set()
        is_gathering = False

        def flush() -> None:
            nonlocal is_gathering
            is_gathering = False
            if ports:
                tell(tuple(ports))
                ports.clear()

        def gather(port: int) -> None:
            nonlocal is_gathering
            if is_gathering:
                ports.add(port)
                return
            is_gathering = True
            self._loop.call_later(GATHERED_FOR, flush)
            tell((port,))

        return gather

    def _may_go_on(self, service: str) -> bool:
        doing(self._loop, activities.ANSWERING_BINDS, service)
        return has_time(self._loop)

    def close(self) -> None:
        """Starts nothing any more."""
        self._hang_ups.close()
        if self._relays is not None:
            self._relays.close()
        self._filters.close()
