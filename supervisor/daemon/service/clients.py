"""The clients of services that have no process, and of those that are stopped when they have no clients."""

import asyncio
from collections.abc import Mapping

from supervisor.core import events as ev
from supervisor.core.service import Service
from supervisor.core.state import IS_PASSING, State
from supervisor.daemon.console.reporter import Reporter
from supervisor.daemon.service.callers import Callers
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.service.visitors import Visitors


class Clients:
    """Of all services of one instance; a service is told what is found out in the next turn, if it is so then."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, slots: Mapping[str, Slot], callers: Callers, visitors: Visitors,
        reporter: Reporter,
    ) -> None:  # fmt: skip
        self._loop = loop
        self._slots = slots
        self._callers = callers
        self._visitors = visitors
        self._reporter = reporter

    def see(self, slot: Slot, before: Service, after: Service) -> None:
        """What a change of a service means for those who watch its clients."""
        if slot.replica is not None and after.state is not before.state:
            self._loop.call_soon(self._await_again, slot)
        elif before.state is State.IDLE and after.state is not State.IDLE:
            self._callers.forget(slot)
        if after.state is State.RUNNING and after.is_watched:
            self._visitors.watch(slot)
        elif before.state is State.RUNNING and not (running := slot.shared.running()):
            self._visitors.forget(slot)
        elif before.state is State.RUNNING and after.timeouts.idle and slot.number < running[0].number:
            self._loop.call_soon(running[0].keeper.tell, ev.IdlingChanged())  # it counts from now on

    def _await_again(self, slot: Slot) -> None:
        """Listens for the first client of several replicas if some are idle and none is on its way, and else not."""
        states = {each.service.state for each in slot.replicas}
        idle = next((each for each in slot.replicas if each.service.state is State.IDLE), None)
        if idle is None or states & (IS_PASSING | {State.WAITING, State.RUNNING}):
            self._callers.forget(slot)
        elif idle.service.deadline is None and (failed := self._callers.wait_for(idle)) is not None:
            self._callers.tell(idle, failed)

    def await_first(self, svc: Service) -> ev.AwaitFailed | None:
        """Listens for its first client, or says why it cannot; before anybody hears that it is idle, and connects."""
        return self._callers.wait_for(self._slots[svc.name])

    def count(self, svc: Service, pid: int) -> None:
        """Counts those who are connected."""
        self._loop.call_soon(self._visitors.count, self._slots[svc.name], pid)

    def make_sure_of_none(self, svc: Service, pid: int) -> None:
        """Has new ones wait for its next process, if nothing speaks against the end of this one."""
        self._loop.call_soon(self._visitors.make_sure, self._slots[svc.name], pid)

    def refuse(self, svc: Service) -> None:
        """Refuses those who wait for a process that does not come up."""
        slot = self._slots[svc.name]
        if slot.sockets is not None and not slot.shared.running():
            slot.sockets.retire_unclaimed()
            self._reporter.clients_refused(svc.name, svc.timeouts.clients)

    def forget(self, slot: Slot) -> None:
        """Watches nobody any more."""
        self._callers.forget(slot)
        self._visitors.forget(slot)
