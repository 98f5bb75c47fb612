"""Keeps one service: feeds it events one at a time, carries out what it asks for, and keeps its one timer."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from supervisor.annotations import Any, Protocol
from supervisor.core import events as ev
from supervisor.core.reasons import Cause
from supervisor.core.service import Service, step
from supervisor.core.state import Role, State
from supervisor.daemon.stalls import doing, in_turn
from supervisor.dataclass import replace
from supervisor.words import activities

TRY_AGAIN = 0.5  # seconds from a signal that could not be sent to the next
DOING: Mapping[type[ev.Effect], str] = {
    ev.LeasePort: activities.TAKING_PORTS,
    ev.Spawn: activities.STARTING,
    ev.SpawnBeside: activities.STARTING,
    ev.Terminate: activities.STOPPING,
    ev.Abort: activities.STOPPING,
    ev.Kill: activities.KILLING,
    ev.RunHook: activities.STARTING_HOOK,
    ev.EndHook: activities.ENDING_HOOK,
}  # for the account of stalls; the rest takes no time


class World(Protocol):
    """What a keeper needs from outside; the tests have one that is made up."""

    def lease(self, svc: Service, wish: ev.LeasePort, answer: Callable[[ev.PortLeased | ev.NoPort], None]) -> None: ...
    def quarantine(self, svc: Service, port: int, why: Cause) -> None: ...
    def await_clients(self, svc: Service) -> ev.AwaitFailed | None: ...
    def count_clients(self, svc: Service, pid: int) -> None: ...
    def make_sure_unused(self, svc: Service, pid: int) -> None: ...
    def refuse_clients(self, svc: Service) -> None: ...
    def spawn(self, svc: Service, port: int | None) -> ev.Spawned | ev.SpawnFailed: ...
    def spawn_beside(self, svc: Service, port: int | None) -> ev.Spawned | ev.SpawnFailed: ...
    def terminate(self, svc: Service, pid: int) -> None: ...
    def abort(self, svc: Service, pid: int) -> None: ...
    def kill(self, svc: Service, pid: int) -> None: ...
    def abandon(self, svc: Service, pid: int) -> None: ...
    def run_hook(self, svc: Service, effect: ev.RunHook) -> None: ...
    def end_hook(self, svc: Service, number: int) -> None: ...
    def changed(self, before: Service, after: Service) -> None: ...
    def faulted(self, svc: Service, error: Exception) -> Cause:
        """Takes note of an exception that nobody expected; the reason that it is for the service."""

    def give_up(self, error: Exception) -> None:
        """Ends everything: nobody knows any more what there is of this service."""


class Keeper:
    """The shell around one service."""

    def __init__(self, service: Service, world: World, loop: asyncio.AbstractEventLoop) -> None:
        self.service = service
        self._world = world
        self._loop = loop
        self._inbox: deque[ev.Event] = deque()
        self._is_working = False
        self._awaits_lease = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_for: float | None = None

    def tell(self, event: ev.Event) -> None:
        """Hands over what happened; it has been dealt with on return, unless this is said from within an effect."""
        self._inbox.append(event)
        self._work()

    def configure(self, **values: Any) -> None:
        """Gives the service other fields that come from its configuration."""
        before = self.service
        self.service = replace(before, **values)
        self._world.changed(before, self.service)

    def failed(self, error: Exception, pid: int | None = None) -> None:
        """Something that is done for this service alone, or for one process of it, has raised what nobody expected."""
        self.tell(ev.Faulted(self._world.faulted(self.service, error), pid))

    def contain(self, act: Callable[..., object], *facts: Any, pid: int | None = None) -> None:
        """Calls what is done for this service alone, or for one process of it: what goes wrong there harms it alone."""
        try:
            act(*facts)
        except Exception as error:
            self.failed(error, pid)

    def close(self) -> None:
        """Forgets the timer; no more events."""
        self._inbox.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._timer_for = None

    def _work(self) -> None:
        if self._is_working:
            return
        self._is_working = True
        try:
            while self._inbox and not self._awaits_lease:
                self._apply(self._inbox.popleft())
        finally:
            self._is_working = False
        self._arm()

    def _apply(self, event: ev.Event) -> None:
        before = self.service
        try:
            self.service, effects = step(before, event, self._loop.time())
        except Exception as error:
            if isinstance(event, ev.Faulted):
                self._world.give_up(error)
            else:
                self._inbox.appendleft(ev.Faulted(self._world.faulted(before, error)))
            return
        if any(isinstance(effect, ev.AwaitClients) for effect in effects):
            effects = self._await_clients(effects)
        if self.service is not before:
            self._world.changed(before, self.service)
        for effect in effects:
            self._try_to(effect)

    def _await_clients(self, effects: Sequence[ev.Effect]) -> tuple[ev.Effect, ...]:
        """What else there is to do; nobody hears that it is idle before its clients can wait, or if they cannot."""
        first = next(at for at, effect in enumerate(effects) if isinstance(effect, ev.AwaitClients))
        for effect in effects[:first]:
            self._try_to(effect)
        failed = self._world.await_clients(self.service)
        if failed is None:
            return tuple(effects[first + 1 :])
        self.service, more = step(self.service, failed, self._loop.time())
        return (*effects[first + 1 :], *more)

    def _try_to(self, effect: ev.Effect) -> None:
        """Carries it out; where that cannot be done the service hears so, if it waits for something to come of it."""
        try:
            self._carry_out(effect)
            return
        except Exception as error:
            fault, why = error, self._world.faulted(self.service, error)
        match effect:
            case ev.LeasePort():
                self._awaits_lease = False
                self._inbox.appendleft(ev.Faulted(why))
            case ev.Spawn():
                self._inbox.appendleft(ev.Faulted(why))
            case ev.SpawnBeside():
                self._inbox.appendleft(ev.SpawnFailed(why))
            case ev.Terminate(pid) | ev.Abort(pid) if not isinstance(fault, OSError):
                self._inbox.appendleft(ev.Faulted(why, pid))
            case ev.Terminate(pid) | ev.Abort(pid) | ev.Kill(pid):
                self._loop.call_later(TRY_AGAIN, self._try_again_to, effect, pid)
            case ev.RunHook(_, number):
                self._inbox.appendleft(ev.HookEnded(number, why))

    def _try_again_to(self, effect: ev.Effect, pid: int) -> None:
        """Ends a process, if it is to end in that way still."""
        svc, beside, is_kill = self.service, self.service.beside, isinstance(effect, ev.Kill)
        is_ending = svc.pid == pid and svc.state is (State.KILLING if is_kill else State.TERMINATING)
        role = Role.DOOMED if is_kill else Role.LEAVING
        if is_ending or (beside is not None and beside.pid == pid and beside.role is role):
            self._try_to(effect)

    def _carry_out(self, effect: ev.Effect) -> None:
        svc = self.service
        if what := DOING.get(type(effect)):
            doing(self._loop, what, svc.name)
        match effect:
            case ev.LeasePort():
                self._awaits_lease = True
                self._world.lease(svc, effect, self._answer_lease)
            case ev.Spawn(port):
                self._inbox.appendleft(self._world.spawn(svc, port))
            case ev.SpawnBeside(port):
                self._inbox.appendleft(self._world.spawn_beside(svc, port))
            case ev.CountClients(pid):
                self._world.count_clients(svc, pid)
            case ev.MakeSureUnused(pid):
                self._world.make_sure_unused(svc, pid)
            case ev.RefuseClients():
                self._world.refuse_clients(svc)
            case ev.QuarantinePort(port, why):
                self._world.quarantine(svc, port, why)
            case ev.Terminate(pid):
                self._world.terminate(svc, pid)
            case ev.Abort(pid):
                self._world.abort(svc, pid)
            case ev.Kill(pid):
                self._world.kill(svc, pid)
            case ev.Abandon(pid):
                self._world.abandon(svc, pid)
            case ev.RunHook():
                self._world.run_hook(svc, effect)
            case ev.EndHook(number):
                self._world.end_hook(svc, number)

    def _answer_lease(self, answer: ev.PortLeased | ev.NoPort) -> None:
        self._awaits_lease = False
        self._inbox.appendleft(answer)
        self._work()

    def _arm(self) -> None:
        deadline = self.service.next_deadline
        if deadline == self._timer_for:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_for = deadline
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        rung_for = self._timer_for
        in_turn(self._loop, lambda: self._deadline_passed(rung_for))  # the timers of hundreds may ring at once

    def _deadline_passed(self, deadline: float | None) -> None:
        if deadline is not None and deadline == self._timer_for:  # else it has another one by now, or is closed
            self._timer = self._timer_for = None
            self.tell(ev.DeadlinePassed())
