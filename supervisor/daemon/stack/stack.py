"""All services of one instance together: who may start, who has to move, and in which order they stop."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping

from supervisor.annotations import Protocol
from supervisor.core import events as ev
from supervisor.core import stack as rules
from supervisor.core.address import LOOPBACK
from supervisor.core.order import with_dependencies
from supervisor.core.reasons import Asked, Cause, NeedsMoved
from supervisor.core.relations import Relations
from supervisor.core.service import Service
from supervisor.core.state import AT_REST, Result, State
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stack.orders import Orders
from supervisor.daemon.stack.room import Room
from supervisor.daemon.stack.waits import Waits
from supervisor.daemon.stalls import has_time
from supervisor.dataclass import dataclass, field
from supervisor.errors import ExitCode
from supervisor.words import refusals

NOTE_EVERY = 5.0  # seconds between words about whom a stop waits for
LIVE_EVERY = 1.0  # the same where they take the place of those before them


class StackFollower(Protocol):
    """Who is told what becomes of the stack as a whole."""

    def on_ports_changed(self) -> None: ...
    def on_no_port(self, svc: Service) -> None: ...
    def on_waiting(self, slots: Collection[Slot]) -> None: ...


RESTART = Asked("restart")


@dataclass(slots=True)
class Stack:
    """The services of one instance, and the rules between them."""

    slots: Mapping[str, Slot]
    loop: asyncio.AbstractEventLoop
    follower: StackFollower
    is_live: bool = False  # somebody sees all the time whom a stop waits for
    is_stopping: bool = False
    stop_since: float = 0.0  # monotonic seconds
    relations: Relations = field(init=False)
    orders: Orders = field(init=False)
    waits: Waits = field(init=False)
    room: Room = field(init=False)
    _busy: set[str] = field(default_factory=set)  # those that are not at rest
    _acquiring: set[str] = field(default_factory=set)
    _suspects: set[str] = field(default_factory=set)  # whose gates may open, or close for good
    _settled: set[str] = field(default_factory=set)  # whose dependants may have to do something about it
    _rested: set[str] = field(default_factory=set)  # in a stop
    _gates_due: bool = False
    _ports_due: bool = False
    _dependants_due: bool = False
    _stop_due: bool = False
    _ports: dict[str, int] = field(default_factory=dict)
    _hosts: dict[str, str] = field(default_factory=dict)  # those that everybody was told
    stops_in_order: bool = True  # False: everything has to be gone in no time
    _grace: float | None = None
    _asked_to_stop: set[str] = field(default_factory=set)
    _note: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        self.relations = Relations(self.slots)
        self.orders = Orders(self.slots, self.loop, self._all_are_told)
        self.waits = Waits(self.loop)
        self.room = Room(self.slots, self.relations, self._schedule_gates)

    def start(self, names: Iterable[str], *, may_idle: bool = False) -> frozenset[str]:
        """Starts services and what they depend on, unless everything stops; gives all that were asked to.

        With `may_idle` those that start on a connection only listen for it, and those with a schedule wait for it.
        """
        wanted = with_dependencies(self.relations.graph(), tuple(names))
        orders: dict[str, ev.Event] = {}
        for name in self.slots:  # in the order of the file, so that ports are given out the same way each time
            if name in wanted and not self.is_stopping:
                self.slots[name].is_wanted = True
                self._suspect(name)
                if self.slots[name].service.state in rules.STARTABLE:
                    waits = may_idle and self.slots[name].service.waits_to_be_called
                    orders[name] = ev.AwaitRequested() if waits else ev.StartRequested()
                else:
                    self.orders.take_back_stop(name)
        self.orders.give(orders)
        return wanted

    def replicas_of(self, names: Iterable[str]) -> list[str]:
        """All replicas of these services."""
        return [slot.spec.name for name in names for slot in self.slots[name].replicas]

    def services(self) -> dict[str, Slot]:
        """The first replica of each service, mostly the only one."""
        return {name: slot for name, slot in self.slots.items() if slot.number == 1}

    def check_stays(self, verb: str, names: Collection[str]) -> None:
        """Raises PortsupError if one of these, or of what they need, is being removed, or if everything stops.

        Its end is waited for, and nothing would stop it once more.
        """
        if self.is_stopping:
            raise refusals.stopping(verb)
        for name in with_dependencies(self.relations.graph(), names):
            if self.slots[name].is_leaving:
                raise refusals.being_removed(verb, names, name)

    def try_again(self) -> None:
        """Starts those that got no port because the system refused something, and not because others have them."""
        failed = [name for name, slot in self.slots.items() if slot.is_obstructed]
        self.orders.give({name: ev.StartRequested() for name in failed})

    def stop(self, names: Iterable[str], grace: float | None) -> None:
        """Stops services, and only these."""
        orders: dict[str, ev.Event] = {name: ev.StopRequested(grace) for name in names}
        for name in orders:
            self.slots[name].is_wanted = False
            self._suspect(name)
        self.orders.give(orders)

    def restart(self, names: Iterable[str], grace: float | None = None, why: Cause = RESTART) -> None:
        """Restarts services that are at work, and only these; nobody once everything stops."""
        restart = ev.RestartRequested(why, grace=grace)
        orders: dict[str, ev.Event] = {name: restart for name in names if not self.is_stopping}
        for name in orders:
            self.slots[name].is_wanted = True
        self.orders.give(orders)

    def stop_all(self, grace: float | None = None, *, in_order: bool = True) -> None:
        """Stops everything: dependants before what they depend on, or all at once; nothing starts any more.

        All at once is for an end that has to be quick, so no hooks are run then.
        """
        self.stop_since = self.stop_since if self.is_stopping else self.loop.time()
        self.is_stopping = True
        self.orders.end_starts()
        self.stops_in_order = self.stops_in_order and in_order
        self._grace = grace if grace is not None else self._grace
        if not in_order or grace is not None:
            self._asked_to_stop.clear()
        self._rested |= self._busy
        self._advance_stop()
        if self._note is None:
            self._note = self.loop.call_later(1.0, self._tell_whom_it_waits_for)

    def kill_all(self) -> None:
        """Ends everything now."""
        self.is_stopping = True
        self.orders.clear()
        for slot in self.slots.values():
            slot.is_wanted = False
            slot.keeper.tell(ev.KillRequested())

    def is_at_rest(self) -> bool:
        """Whether no process is left (one that survives SIGKILL is given up on)."""
        return not self._busy

    def exit_code(self) -> ExitCode:
        """What `up` returns if it ends now and nothing else is the matter."""
        return rules.exit_code(rules.whole(slot) for slot in self.services().values())

    def has_nothing_left(self, is_detached: bool = False) -> bool:
        """Whether all that should run has ended by itself; not while somebody is still to be told, or tried again."""
        if self.orders or any(slot.is_obstructed for slot in self.slots.values()):
            return False
        return rules.has_nothing_left(self.slots, self.relations, is_detached=is_detached)

    async def until(self, is_over: Callable[[], bool]) -> None:
        """Returns once `is_over`, which is looked at after each change of a service, unless one is still to be told."""
        if self.orders or not is_over():
            await self.waits.until(is_over)

    def changed(self, before: Service, after: Service) -> None:
        """A service changed: whoever that concerns is told."""
        if after.pid != before.pid and after.pid is not None:
            slot = self.slots[after.name]
            slot.shared.note_start(slot.number)
            slot.see(self.slots)
            if after.state is State.RUNNING:  # it took over from another one, in a rolling restart
                self._schedule_dependants(after.name)
        if after.state is not before.state:
            self.slots[after.name].since = self.loop.time()
            (self._busy.discard if after.state in AT_REST else self._busy.add)(after.name)
            (self._acquiring.add if after.state is State.ACQUIRING else self._acquiring.discard)(after.name)
        if after.state is not before.state or after.reached is not before.reached:
            self._suspect(after.name)
            if after.state is State.FAILED and after.result is Result.NO_PORT:
                self.follower.on_no_port(after)
            if after.state is State.RUNNING or after.state in AT_REST:
                self._schedule_dependants(after.name)
            if self.is_stopping and after.state is not before.state:
                self._rested.add(after.name)
                if not self._stop_due:
                    self._stop_due = True
                    self.loop.call_soon(self._advance_stop)
        if self._hosts.get(after.name, LOOPBACK) != self.slots[after.name].host:
            self._hosts[after.name] = self.slots[after.name].host
            self._ports_due = True
            self._schedule_gates()
        if after.port != before.port and after.port is not None:
            if (known := self._ports.get(after.name)) != after.port:
                self.slots[after.name].rotations += known is not None
                self._ports[after.name] = after.port
            self._ports_due = True  # also where it has the old one again: in between it was told to be on its first
            self._schedule_gates()
        self.room.changed(before, after)
        if not self.orders:
            self.waits.look()

    def _all_are_told(self) -> None:
        self.waits.look()
        self._schedule_gates()

    def await_dependencies(self, *names: str) -> None:
        """Services have their ports and would like to start, or need others than before."""
        self._suspects.update(names)
        self._schedule_gates()

    def _suspect(self, name: str) -> None:
        """What this service is, or whether it is wanted, has changed."""
        self._suspects.add(name)
        self._suspects.update(() if self.is_stopping else self.relations.dependants(name))
        self._schedule_gates()

    def _schedule_dependants(self, name: str) -> None:
        self._settled.add(name)
        if not self._dependants_due:
            self._dependants_due = True
            self.loop.call_soon(self._tell_dependants)

    def _schedule_gates(self) -> None:
        if not self._gates_due:
            self._gates_due = True
            self.loop.call_soon(self._open_gates)

    def _open_gates(self) -> None:
        """Lets every service start whose dependencies are far enough, once all know their ports."""
        self._gates_due = False
        if self.is_stopping:
            return
        if self._acquiring or self.orders:  # who is still to be told may have to take ports, too
            return
        if self._ports_due:  # before anything is spawned that reads the endpoints file
            self._ports_due = False
            self.follower.on_ports_changed()
        suspects, self._suspects = self.relations.in_order(self._suspects), set()
        for number, slot in enumerate(self.slots[name] for name in suspects):
            if number and not has_time(self.loop):
                self.await_dependencies(*suspects[number:])  # in the next turn
                break
            self.orders.give(dict.fromkeys(rules.to_wake(slot, self.slots), ev.StartRequested()))
            verdict = rules.gate(slot, self.slots)
            if verdict is not None and not (isinstance(verdict, ev.DependenciesMet) and self.room.holds_back(slot)):
                slot.keeper.tell(verdict)
        self.room.look()

    def _tell_dependants(self) -> None:
        """Acts on services whose dependency was restarted, or is no longer on the port that they were told."""
        self._dependants_due = False
        settled, self._settled = self._settled, set()
        if self.is_stopping:
            return
        for name, restart in rules.followers(self.slots, self.relations).items():
            self.slots[name].keeper.tell(restart)
        concerned = {other for name in settled for other in (name, *self.relations.dependants(name))}
        for slot in (self.slots[name] for name in self.relations.in_order(concerned)):
            if (ports := rules.moved(slot, self.slots)) and slot.child is not None:
                slot.child.seen_ports = {**slot.child.seen_ports, **ports}
                self._tell_of_move(slot, ports)

    def _tell_of_move(self, slot: Slot, needs: Collection[str]) -> None:
        match slot.spec.on_port_change.action:
            case "restart":
                slot.keeper.tell(ev.RestartRequested(NeedsMoved(tuple(needs))))
            case "signal":
                slot.send_signal(slot.spec.on_port_change.signal)

    def _advance_stop(self) -> None:
        """Asks everything to stop whose dependants have stopped."""
        self._stop_due = False
        if not self.is_stopping:
            return
        rested, self._rested = self._rested & self.slots.keys(), set()
        stopping = rules.to_stop(rested, self._busy, self.relations, in_order=self.stops_in_order) - self._asked_to_stop
        self._asked_to_stop |= stopping
        for name in stopping:
            self.slots[name].is_wanted = False
        stop = ev.StopRequested(self._grace, is_urgent=not self.stops_in_order)
        self.orders.give(dict.fromkeys(stopping, stop))

    def _tell_whom_it_waits_for(self) -> None:
        busy = [slot for slot in self.slots.values() if slot.service.state not in AT_REST]
        if busy:
            self.follower.on_waiting(busy)
            self._note = self.loop.call_later(LIVE_EVERY if self.is_live else NOTE_EVERY, self._tell_whom_it_waits_for)
