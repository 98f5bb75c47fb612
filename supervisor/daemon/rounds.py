"""Keeps the shield's hours: file events at once, a full check and a look at spares and listeners every ten seconds.

The same timer is the sign of life for the guardian and a service manager above, so that only one wakes an idle daemon.
"""

import asyncio
import time
from collections.abc import Collection, Iterator, Mapping, Sequence

from supervisor.annotations import Protocol
from supervisor.core.journal import LookFailed, SparesLeased, SparesNotLeased
from supervisor.core.service import Service
from supervisor.core.state import State
from supervisor.daemon.checks.process_checks import ProcessChecks
from supervisor.daemon.instance import Instance
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stalls import doing
from supervisor.errors import PortsupError
from supervisor.ports.instance_lock import InstanceLock
from supervisor.ports.leases import Loss, PoolLease
from supervisor.ports.shield import CHECK_EVERY, Shield
from supervisor.words import activities

FRESH_EVERY = 600.0  # seconds by the clock of the world: tmp cleaners look at ages of days, also after a sleep
FIRST_AFTER = 2.5  # seconds until the first look around, after which most look at less: see `Shield.looks`
WHILE_ENDING = 0.25  # seconds between two looks at the locks while everything stops
IN_ONE_TURN = 0.01  # seconds of a look around in one turn of the loop


class Beating(Protocol):
    """Somebody who wants a sign of life at least every so many seconds."""

    @property
    def every(self) -> float: ...
    def beat(self) -> None: ...


class Follower(Protocol):
    """Who is told what is seen on the rounds."""

    def on_losses(self, losses: Collection[Loss]) -> None: ...
    def on_round(self) -> None: ...
    def beats(self) -> Sequence[Beating]:
        """Who wants our sign of life."""


class Rounds:
    """Watches every lock of the instance; begin it when the leases are made, so that our own writing is no news."""

    def __init__(
        self, instance: Instance, lock: InstanceLock, slots: Mapping[str, Slot], checks: ProcessChecks,
        follower: Follower,
    ) -> None:  # fmt: skip
        self._loop = loop = instance.loop
        self._journal = instance.journal
        self._slots = slots
        self._checks = checks
        self._follower = follower
        self._beats = beats = follower.beats()
        self._every = min([CHECK_EVERY, *(each.every for each in beats)])
        self._lock, self._beaten = lock, time.time()
        self._is_ending = False
        self._round: Iterator[None] | None = None  # the look around that is not over yet
        self._next: asyncio.Handle | None = None
        self._news: Iterator[tuple[Loss, ...]] | None = None  # of locks that somebody has touched
        self._more_news: asyncio.Handle | None = None
        self._sweep: asyncio.Handle | None = None
        leases = list(dict.fromkeys(slot.lease for slot in slots.values() if slot.lease is not None))
        self._followed = set(leases)
        self._shield = Shield(instance.runtime, leases, lock)
        if (fd := self._shield.fileno()) is not None:
            loop.add_reader(fd, self._on_news)
        for each in beats:
            each.beat()
        self._timer = loop.call_later(min(FIRST_AFTER, self._every), self._tick)

    def changed(self, before: Service, after: Service) -> None:
        """A service may have ports by now that it had not before."""
        lease = self._slots[after.name].lease
        if after.state is State.WAITING and lease is not None:
            self.follow(lease)

    def follow(self, lease: PoolLease) -> None:
        """Watches this lease, if it does not yet, and none any more that a reload has taken from its service."""
        if lease in self._followed:
            return
        self._followed.add(lease)
        self._shield.watch(lease)
        if self._sweep is None:  # once for all that a reload brings
            self._sweep = self._loop.call_soon(self._forget)

    def _forget(self) -> None:
        self._sweep = None
        held = {slot.lease for slot in self._slots.values() if slot.lease is not None}
        self._shield.forget(*(self._followed - held))
        self._followed &= held

    def end(self) -> None:
        """Looks at the locks again and again from now on, and waits for no news of them.

        The kernel takes so long to let go of a watch over files that it is to begin with that while services stop, and
        the descriptor of it closes with this process.
        """
        if not self._is_ending:
            self._is_ending = True
            self._follow_no_news()
            self._timer.cancel()
            self._every = min(self._every, WHILE_ENDING)
            self._timer = self._loop.call_later(self._every, self._tick)

    def close(self) -> None:
        """Watches no longer."""
        self._journal.count_left_out()
        self._timer.cancel()
        for handle in (self._next, self._sweep):
            if handle is not None:
                handle.cancel()
        if not self._is_ending:
            self._follow_no_news()

    def _follow_no_news(self) -> None:
        if self._more_news is not None:
            self._more_news.cancel()
        if (fd := self._shield.fileno()) is not None:
            self._loop.remove_reader(fd)
        self._shield.stop()

    def _tick(self) -> None:
        for each in self._beats:
            each.beat()
        self._timer = self._loop.call_later(self._every, self._tick)
        if self._round is None:  # else the one before is not over: then the machine has other troubles
            self._round = self._look_around()
            self._go_on()

    def _go_on(self) -> None:
        """Goes on with the look around; with so many locks and ports that it takes long, in several turns."""
        doing(self._loop, activities.LOOKING_AROUND)
        until = self._loop.time() + IN_ONE_TURN
        try:
            for _ in self._round or ():
                if self._loop.time() >= until:
                    self._next = self._loop.call_soon(self._go_on)
                    return
        except OSError as error:  # no descriptor, no memory: the next tick may have more luck
            self._journal.tell(LookFailed(why=error.strerror or str(error)))
        self._round = None

    def _on_news(self) -> None:
        if self._news is None:  # else they come after those that are not dealt with yet
            self._news = self._shield.news()
            self._go_on_with_news()

    def _go_on_with_news(self) -> None:
        """Looks at the locks that were touched; who touches hundreds, as we do at a start, keeps nobody waiting."""
        doing(self._loop, activities.LOOKING_AT_LOCKS)
        until = self._loop.time() + IN_ONE_TURN
        try:
            for losses in self._news or ():
                self._follower.on_losses(losses)
                if self._loop.time() >= until:
                    self._more_news = self._loop.call_soon(self._go_on_with_news)
                    return
        except OSError as error:  # no descriptor, no memory: the next look around may have more luck
            self._journal.tell(LookFailed(why=error.strerror or str(error)))
        self._news = None

    def _look_around(self) -> Iterator[None]:
        for losses in self._shield.looks():
            self._follower.on_losses(losses)
            yield
        if self._is_ending:
            return
        if self._lock.lacks_record:
            self._lock.heartbeat()
        if abs(time.time() - self._beaten) >= FRESH_EVERY:
            self._beaten = time.time()
            yield from self._shield.heartbeats()
        for slot in tuple(slot for slot in self._slots.values() if slot.number == 1):
            yield from self._retry_spares(slot)
            yield
        self._follower.on_round()
        self._journal.count_left_out()
        yield
        self._checks.check_listeners(tuple(self._slots.values()))
        yield
        self._checks.check_memory(tuple(self._slots.values()))

    def _retry_spares(self, slot: Slot) -> Iterator[None]:
        lease, name = slot.lease, slot.spec.name
        won: list[int] = []
        try:
            for port in lease.missing() if lease is not None else ():
                if lease is slot.lease and lease is not None and lease.retry(port):
                    won.append(port)
                yield
            if lease is slot.lease and lease is not None:
                lease.record()
        except PortsupError as error:  # a full disk, no descriptor left: the next look may have more luck
            self._journal.tell(SparesNotLeased(service=name, why=str(error)))
        if won:
            self._journal.tell(SparesLeased(service=name, ports=list(won)))
