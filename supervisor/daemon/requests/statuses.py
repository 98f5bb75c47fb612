"""The status of some services: at once, or over several turns of the loop where there are hundreds."""

from collections.abc import Callable, Iterable, Sequence

from supervisor.control.reply import Reply
from supervisor.control.status import ServiceStatus, StackStatus
from supervisor.daemon.instance import Instance
from supervisor.daemon.requests.status import row
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.stack.reload import Reloader
from supervisor.daemon.stack.stack import Stack
from supervisor.daemon.stalls import DaemonLoop, doing, leave_time
from supervisor.words import activities


class Statuses:
    """What `status`, `watch` and `subscribe` tell."""

    def __init__(self, instance: Instance, stack: Stack, reloader: Reloader) -> None:
        self._name, self._number = instance.stack, instance.number
        self._loop = instance.loop
        self._redact: Callable[[str], str] = instance.journal.redact
        self._stack = stack
        self._reloader = reloader
        self._news: dict[int, set[str]] = {}  # which services have changed since each answer was begun, by its id()

    def of(self, slots: Iterable[Slot]) -> StackStatus:
        """How they are now."""
        return self._with(tuple(map(self._row, slots)))

    def changed(self, name: str) -> None:
        """This service is different now."""
        for each in self._news.values():
            each.add(name)

    async def tell(self, slots: Sequence[Slot], reply: Reply, what: str) -> None:
        """How they are at the moment at which all were looked at; `what` is the request that asks for it."""
        changed: set[str] = set()
        self._news[id(changed)] = changed

        async def pause() -> None:
            await leave_time(self._loop)
            doing(self._loop, activities.answering(what))

        try:
            rows: list[tuple[Slot, ServiceStatus]] = []
            for slot in slots:
                if slot.replicas:  # else a reload has removed it meanwhile
                    rows.append((slot, self._row(slot)))
                await pause()
        finally:
            del self._news[id(changed)]
        told = (self._row(slot) if slot.of in changed else row for slot, row in rows if slot.replicas)
        await reply.tell_in_parts(self._with(tuple(told)), "services", pause)
        reply.finish()

    def _row(self, slot: Slot) -> ServiceStatus:
        return row(slot, self._number, self._loop.time(), self._redact)

    def _with(self, rows: tuple[ServiceStatus, ...]) -> StackStatus:
        account = self._loop.stalls.told() if isinstance(self._loop, DaemonLoop) else None
        return StackStatus(
            self._name, self._number, rows, tuple(self._reloader.warnings()), account, self._stack.room.status()
        )
