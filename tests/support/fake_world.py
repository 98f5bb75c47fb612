"""A world and a clock that are made up, for services without processes, ports or waiting."""

import asyncio
import functools
import heapq
import itertools
from collections.abc import Callable
from typing import Any, cast

from supervisor.core import events as ev
from supervisor.core.reasons import Cause, OfPortsup
from supervisor.core.service import Service
from supervisor.daemon.service.keeper import Keeper

LeaseAnswer = Callable[[ev.PortLeased | ev.NoPort], None]


class Timer:
    """Something that is to be called at a time."""

    def __init__(self, callback: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        self.call = functools.partial(callback, *arguments)
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class FakeLoop:
    """The clock and the timers of an event loop, and no more; time passes when a test says so."""

    def __init__(self) -> None:
        self._now = 100.0
        self._count = itertools.count()
        self._timers: list[tuple[float, int, Timer]] = []

    @property
    def itself(self) -> asyncio.AbstractEventLoop:
        """For those that want a whole event loop and need only this much of it."""
        return cast(asyncio.AbstractEventLoop, self)

    def time(self) -> float:
        return self._now

    def call_at(self, when: float, callback: Callable[..., object], *arguments: Any) -> Timer:
        timer = Timer(callback, arguments)
        heapq.heappush(self._timers, (when, next(self._count), timer))
        return timer

    def call_later(self, delay: float, callback: Callable[..., object], *arguments: Any) -> Timer:
        return self.call_at(self._now + delay, callback, *arguments)

    def call_soon(self, callback: Callable[..., object], *arguments: Any) -> Timer:
        return self.call_at(self._now, callback, *arguments)

    @property
    def timers(self) -> list[float]:
        """When something is due, in seconds from now."""
        return sorted(when - self._now for when, _, timer in self._timers if not timer.is_cancelled)

    def advance(self, seconds: float = 0.0) -> None:
        """Lets time pass, and everything happen that is due by then."""
        until = self._now + seconds
        while self._timers and self._timers[0][0] <= until:
            when, _, timer = heapq.heappop(self._timers)
            self._now = max(self._now, when)
            if not timer.is_cancelled:
                timer.call()
        self._now = until


class FakeWorld:
    """Answers what keepers ask for, and writes down what they did."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.changes: list[tuple[str, str]] = []  # from state to state
        self.ports: dict[str, list[int]] = {}  # that can be leased; the first of the pool if nothing is said
        self.spawns: list[ev.Spawned | ev.SpawnFailed] = []  # answers to the next spawns; a new pid when empty
        self.await_failure: ev.AwaitFailed | None = None  # the answer to whoever waits for clients
        self.is_slow = False  # lease answers wait for `answer`
        self.on_change: Callable[[Service, Service], None] = lambda before, after: None
        self._unanswered: list[tuple[ev.PortLeased | ev.NoPort, LeaseAnswer]] = []
        self._pids = itertools.count(7)

    def lease(self, svc: Service, wish: ev.LeasePort, answer: LeaseAnswer) -> None:
        self.done.append(f"lease {svc.name}")
        avoided = dict(wish.avoid)
        free = [port for port in self.ports.get(svc.name, list(svc.pool)) if port not in avoided]
        if wish.leaving in free and len(free) > 1:
            free.remove(wish.leaving)
        given: ev.PortLeased | ev.NoPort
        if not svc.pool:
            given = ev.PortLeased(None)
        elif free:
            given = ev.PortLeased(free[0])
        else:
            given = ev.NoPort(tuple((port, avoided.get(port, "taken")) for port in svc.pool))
        if self.is_slow:
            self._unanswered.append((given, answer))
        else:
            answer(given)

    def answer(self) -> None:
        """Answers the oldest question for a port."""
        given, answer = self._unanswered.pop(0)
        answer(given)

    def quarantine(self, svc: Service, port: int, why: Cause) -> None:
        self.done.append(f"quarantine {port}: {why}")

    def await_clients(self, svc: Service) -> ev.AwaitFailed | None:
        self.done.append(f"await clients of {svc.name}")
        return self.await_failure

    def count_clients(self, svc: Service, pid: int) -> None:
        self.done.append(f"count clients of {pid}")

    def make_sure_unused(self, svc: Service, pid: int) -> None:
        self.done.append(f"make sure that nobody uses {pid}")

    def refuse_clients(self, svc: Service) -> None:
        self.done.append(f"refuse clients of {svc.name}")

    def spawn(self, svc: Service, port: int | None) -> ev.Spawned | ev.SpawnFailed:
        self.done.append(f"spawn {svc.name} on {port}")
        return self.spawns.pop(0) if self.spawns else ev.Spawned(next(self._pids))

    def spawn_beside(self, svc: Service, port: int | None) -> ev.Spawned | ev.SpawnFailed:
        self.done.append(f"spawn {svc.name} on {port} beside {svc.pid}")
        return self.spawns.pop(0) if self.spawns else ev.Spawned(next(self._pids))

    def terminate(self, svc: Service, pid: int) -> None:
        self.done.append(f"terminate {pid}")

    def abort(self, svc: Service, pid: int) -> None:
        self.done.append(f"abort {pid}")

    def kill(self, svc: Service, pid: int) -> None:
        self.done.append(f"kill {pid}")

    def abandon(self, svc: Service, pid: int) -> None:
        self.done.append(f"abandon {pid}")

    def run_hook(self, svc: Service, effect: ev.RunHook) -> None:
        self.done.append(f"run {effect.hook} {effect.number}")

    def end_hook(self, svc: Service, number: int) -> None:
        self.done.append(f"end hook {number}")

    def changed(self, before: Service, after: Service) -> None:
        self.changes.append((before.state, after.state))
        self.on_change(before, after)

    def faulted(self, svc: Service, error: Exception) -> Cause:
        self.done.append(f"note {error!r}")
        return OfPortsup(repr(error))

    def give_up(self, error: Exception) -> None:
        raise error

    def keeper(self, service: Service, loop: FakeLoop) -> Keeper:
        """A keeper in this world."""
        return Keeper(service, self, loop.itself)

    def since(self) -> list[str]:
        """What was done since the last time this was asked."""
        done, self.done = self.done, []
        return done
