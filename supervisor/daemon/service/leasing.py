"""Takes the ports of services: a few in each turn of the loop, and never waits for a search itself."""

import os
from collections import deque
from collections.abc import Callable, Mapping

from supervisor.core import events as ev
from supervisor.core.service import Service
from supervisor.core.state import AT_REST, IS_LIVE, State
from supervisor.daemon.checks.holders import Holders
from supervisor.daemon.console.reporter import Reporter
from supervisor.daemon.faults import obstacle_of
from supervisor.daemon.instance import Instance
from supervisor.daemon.processes.inquiries import Inquiries
from supervisor.daemon.service.slot import Shared, Slot
from supervisor.ports.holders import ConflictKind, Holder
from supervisor.ports.leased_port import LeasedPort
from supervisor.ports.leases import ChosenPort, NoPort, PoolLease, drop_joined
from supervisor.ports.outcomes import holders_in, may_pass, why_of
from supervisor.process.leftovers import reap_run

OWNERLESS_WAIT = 1.0  # seconds that a port gets to become free whose owner is gone or exits; its sockets need that
OWNERLESS_STEP = 0.05
LOOKER_WAIT = 0.06  # seconds that somebody who looks whether a lock is held gets to be done with it
LOOKER_STEP = 0.01
SEARCH_WAIT = 3.0  # seconds that a start waits to hear who has a port; known or not, the service comes up on another
IN_ONE_TURN = 0.01  # seconds

Answer = Callable[[ev.PortLeased | ev.NoPort], None]
Choose = Callable[[Slot, ev.LeasePort, Answer], None]


class Leasing:
    """The leases of all services of one instance."""

    def __init__(
        self, instance: Instance, slots: Mapping[str, Slot], reporter: Reporter, inquiries: Inquiries, *, strict: bool
    ) -> None:
        self._instance = instance
        self._loop = loop = instance.loop
        self._slots = slots
        self._reporter = reporter
        self._inquiries = inquiries
        self.strict = strict  # whether leases that are made from now on are for the first port of a pool only
        self.holders = Holders(loop.time, loop.call_soon, inquiries, instance.runtime, self._learn)
        self._dead_runs: set[str] = set()
        self._ownerless: dict[int, float] = {}  # since when a port has had no owner, as far as was looked
        self._queue: deque[Callable[[], None]] = deque()
        self._unleased: deque[tuple[Slot, PoolLease, Callable[[], None]]] = deque()  # whose ports are to be held first
        self._held: list[Callable[[], None]] = []  # of those whose ports are, until it is known whom they have joined
        self._doubtful: list[LeasedPort] = []
        self._spent = 0.0  # seconds, in this turn of the loop
        self._is_due = False
        self._is_closed = False
        self._joint = JointPorts(self._lease)

    def close(self) -> None:
        """Takes no more ports."""
        self._is_closed = True
        for waiting in (self._queue, self._unleased, self._held):
            waiting.clear()

    def lease(self, svc: Service, wish: ev.LeasePort, answer: Answer) -> None:
        """Answers with a port that the service may have, now or later."""
        slot = self._slots[svc.name]
        if not slot.pool:
            answer(ev.PortLeased(None))
        elif len(slot.replicas) > 1:
            self._joint.lease(slot, wish, answer)
        else:
            self._lease(slot, wish, answer)

    def _lease(self, slot: Slot, wish: ev.LeasePort, answer: Answer) -> None:
        if slot.lease is None:
            slot.shared.lease = PoolLease(
                self._instance.owner(slot.of), slot.pool, self._instance.runtime, strict=self.strict,
                records_later=True, who=self.holders.who,
            )  # fmt: skip
        lease, begun = slot.shared.lease, self._loop.time()
        assert lease is not None
        act = lambda: self._choose(slot, lease, wish, answer, begun)  # noqa: E731
        if lease.missing():
            self._unleased.append((slot, lease, act))
            self._go_on_soon()
        else:
            self._take_turn(act)

    def record_spares(self) -> None:
        """Has every port explained that is held, now that nobody waits for it; else the next look at the locks does."""
        for slot in self._slots.values():
            if slot.lease is not None:
                self._take_turn(slot.lease.record)

    def left(self, slot: Slot) -> None:
        """A process of one of several replicas is gone, and whoever waits for their next port may have it now."""
        self._joint.look(slot)

    def take_back(self, slot: Slot, then: Callable[[Holder | None], None]) -> None:
        """Reserves the active port again; tells `then` who has it if that fails, once it is known who that is.

        Nobody waits for the name where the service is to end in any case.
        """
        self._try_to_take_back(slot, then, self._loop.time())

    def _try_to_take_back(self, slot: Slot, then: Callable[[Holder | None], None], begun: float) -> None:
        if self._is_closed or slot.lease is None:
            then(None)
            return
        port, holder = slot.lease.active, slot.lease.take_back()
        if holder is None or port is None or not any(each.is_wanted for each in slot.replicas):
            then(holder)
            return

        def judge(found: Holder) -> None:
            if found.kind is ConflictKind.OWNERLESS and self._loop.time() - begun < OWNERLESS_WAIT:
                self._loop.call_later(OWNERLESS_STEP, self._try_to_take_back, slot, then, begun)
            else:
                then(found)

        if holder.is_sought:
            self._once(lambda: judge(self.holders.known(port) or holder), SEARCH_WAIT, (port,))
        else:
            judge(holder)

    def _take_turn(self, act: Callable[[], None]) -> None:
        """Does it now, or in a later turn of the loop where this one has taken long enough."""
        self._queue.append(act)
        self._go_on_soon()
        if len(self._queue) == 1 and self._spent < IN_ONE_TURN:
            self._do(self._queue.popleft())

    def _go_on_soon(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._go_on)
            self._spent = 0.0

    def _go_on(self) -> None:
        self._spent = 0.0
        if not self._queue and self._unleased:
            self._do(self._hold_ports)
        while self._queue and self._spent < IN_ONE_TURN:
            self._do(self._queue.popleft())
        self._is_due = bool(self._queue or self._unleased)
        if self._is_due:
            self._loop.call_soon(self._go_on)

    def _hold_ports(self) -> None:
        """Holds the ports of all, in several turns: so the kernel is asked once whether they have joined somebody."""
        until = self._loop.time() + IN_ONE_TURN / 2
        while self._unleased and self._loop.time() < until:
            slot, lease, act = self._unleased.popleft()
            if slot.lease is lease and self._slots.get(slot.spec.name) is slot:
                slot.keeper.contain(lambda lease=lease: self._doubtful.extend(lease.begin()))
            self._held.append(act)
        if not self._unleased:
            self._queue.extend(self._held)
            doubtful, self._doubtful, self._held = self._doubtful, [], []
            drop_joined(doubtful)

    def _do(self, act: Callable[[], None]) -> None:
        begun = self._loop.time()
        act()
        self._spent += self._loop.time() - begun

    def _choose(self, slot: Slot, lease: PoolLease, wish: ev.LeasePort, answer: Answer, begun: float) -> None:
        try:
            self._look_and_choose(slot, lease, wish, answer, begun)
        except Exception as error:
            slot.shared.obstacle = obstacle = obstacle_of(slot, error, self._instance.journal)
            answer(ev.NoPort(tuple((port, str(error)) for port in slot.pool), str(obstacle)))

    def _look_and_choose(self, slot: Slot, lease: PoolLease, wish: ev.LeasePort, answer: Answer, begun: float) -> None:
        if self._is_closed or self._slots.get(slot.spec.name) is not slot:
            return
        now = self._loop.time()
        slot.shared.obstacle = None
        chosen = lease.choose(dict(wish.avoid), now, wish.leaving)
        again = lambda: self._choose(slot, lease, wish, answer, begun)  # noqa: E731
        if dead := [run for run in lease.orphans() if run not in self._dead_runs]:
            self._reap(slot, dead, again)
            return
        holders = holders_in(chosen)
        waited = now - begun
        if waited < LOOKER_WAIT and any(each.kind is ConflictKind.OTHER_INSTANCE and not each.pid for each in holders):
            self._loop.call_later(LOOKER_STEP, again)
        elif waited < SEARCH_WAIT and any(each.is_sought for each in holders):
            self._once(again, begun + SEARCH_WAIT - now, slot.pool)
        elif self._may_be_free_soon(slot, chosen, now, begun):
            self._loop.call_later(OWNERLESS_STEP, again)
        else:
            self._settle(slot, wish, chosen, answer)

    def _may_be_free_soon(self, slot: Slot, chosen: ChosenPort | NoPort, now: float, begun: float) -> bool:
        """Whether to wait for a port: where there is none else, or a better one than this, that was not waited for."""
        if isinstance(chosen, NoPort):
            return now - begun < OWNERLESS_WAIT and any(map(may_pass, chosen.holders))
        skipped = {port for port, why in chosen.skipped if isinstance(why, Holder) and may_pass(why)}
        for port in slot.pool:
            if port not in skipped:
                self._ownerless.pop(port, None)
        return any(now - self._ownerless.setdefault(port, now) < OWNERLESS_WAIT for port in skipped)

    def _settle(self, slot: Slot, wish: ev.LeasePort, chosen: ChosenPort | NoPort, answer: Answer) -> None:
        if isinstance(chosen, NoPort):
            answer(ev.NoPort(chosen.reasons))
            return
        if chosen.skipped and wish.leaving is None:
            skipped = [(port, why_of(why)) for port, why in chosen.skipped]
            self._reporter.skipped(slot.spec.name, chosen.port, skipped)
        answer(ev.PortLeased(chosen.port))

    def _once(self, act: Callable[[], None], seconds: float, ports: tuple[int, ...]) -> None:
        """Calls `act` when it is known who has these ports, or after so many seconds."""
        done: list[bool] = []

        def act_once() -> None:
            if not done:
                done.append(True)
                late.cancel()
                act()

        late = self._loop.call_later(max(0.0, seconds), act_once)
        self.holders.when_known(ports, act_once)

    def _reap(self, slot: Slot, dead: list[str], then: Callable[[], None]) -> None:
        """Ends what dead runs of portsup left on these ports."""
        self._dead_runs.update(dead)
        spared = (os.getpid(), os.getppid())  # the question has others for these two

        def question() -> list[int]:
            return [each.pid for run in dead for each in reap_run(run, spared)]

        def reaped(killed: list[int] | None) -> None:
            if killed:
                self._reporter.reaped(slot.spec.name, killed)
            then()

        self._inquiries.ask(question, reaped)

    def _learn(self, found: Mapping[int, Holder]) -> None:
        for lease in filter(None, (slot.lease for slot in self._slots.values())):
            for port in found.keys() & set(lease.pool):
                lease.learn(port, found[port])


class JointPorts:
    """The one port that all replicas of a service have: it is chosen once for all of them, and they leave it together.

    `choose` answers with one.
    """

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self._waiting: dict[Shared, dict[int, tuple[ev.LeasePort, Answer]]] = {}  # by the number of the replica
        self._choosing: set[Shared] = set()

    def lease(self, slot: Slot, wish: ev.LeasePort, answer: Answer) -> None:
        """Answers with the port of its service, at once or once all replicas have left the one that they had.

        One that has trouble on a port where another one is ready stays there: the port is not at fault.
        """
        shared, active = slot.shared, None if slot.lease is None else slot.lease.active
        leaves = wish.leaving is not None or active in dict(wish.avoid)
        others = [other for other in shared.slots if other is not slot]
        is_good = any(other.service.state is State.RUNNING for other in others)
        is_used = is_good or any(other.service.state not in (*AT_REST, State.ACQUIRING) for other in others)
        stays = not leaves or (is_good and wish.leaving is None)
        if active is not None and shared not in self._waiting and is_used and stays:
            answer(ev.PortLeased(active))
            return
        self._waiting.setdefault(shared, {})[slot.number] = wish, answer
        for other in others if leaves else ():
            if other.service.state in IS_LIVE:
                other.keeper.tell(ev.RotateRequested())
        self.look(slot)

    def look(self, slot: Slot) -> None:
        """A process is gone, or a replica has come to wait: once none is left on the old port, chooses a new one."""
        shared = slot.shared
        waiting = self._waiting.get(shared)
        if not waiting or shared in self._choosing:
            return
        if any(other.child is not None and other.service.state is not State.FAILED for other in shared.slots):
            return
        self._choosing.add(shared)
        avoid = {port: why for wish, _ in waiting.values() for port, why in wish.avoid}
        leaving = next((wish.leaving for wish, _ in waiting.values() if wish.leaving is not None), None)
        wish = ev.LeasePort(tuple(avoid.items()), leaving)
        self._choose(shared.slots[0], wish, lambda told: self._chosen(shared, told))

    def _chosen(self, shared: Shared, told: ev.PortLeased | ev.NoPort) -> None:
        self._choosing.discard(shared)
        waiting = self._waiting.pop(shared, {})
        port = told.port if isinstance(told, ev.PortLeased) else None
        for slot in tuple(shared.slots):
            if slot.number in waiting:
                waiting[slot.number][1](told)
            elif port is not None and slot.service.pid is None and slot.service.port not in (None, port):
                slot.keeper.configure(port=port)
