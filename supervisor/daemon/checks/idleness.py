"""What speaks against stopping a service to which nobody is connected: `idle_when` and `idle_check`."""

import asyncio
from collections.abc import Awaitable, Callable

from supervisor import system
from supervisor.config.spec import Probe, ProbeKind
from supervisor.core.reasons import Cause, UsesProcessor
from supervisor.daemon.processes.inquiries import Inquiries
from supervisor.daemon.processes.members import Members
from supervisor.daemon.service.slot import Child, Slot

SPAN = 1.0  # seconds for which the processor is looked at
Ask = Callable[[Slot, Child, Probe, float], Awaitable[Cause]]


class Idleness:
    """Asks the processes of the services of one instance."""

    def __init__(self, loop: asyncio.AbstractEventLoop, members: Members, inquiries: Inquiries, ask: Ask) -> None:
        self._loop = loop
        self._members = members
        self._inquiries = inquiries
        self._ask = ask

    async def why_busy(self, slot: Slot, child: Child) -> Cause:
        """What speaks against it, in words; "" if nothing does."""
        limit, check = slot.spec.idle_cpu_below, slot.spec.idle_check
        if limit:
            before, since = await self._cpu_of(slot), self._loop.time()
            await asyncio.sleep(SPAN)
            after = await self._cpu_of(slot)
            if before is None or after is None:
                return UsesProcessor()
            used = (after - before) / (self._loop.time() - since) * 100
            if used >= limit:
                return UsesProcessor(round(used, 1))
        if check is not None:
            return await self._ask(slot, child, Probe(ProbeKind.EXEC, command=check.command), check.timeout)
        return ""

    async def _cpu_of(self, slot: Slot) -> float | None:
        found: asyncio.Future[float | None] = self._loop.create_future()
        members = self._members.of

        def told(used: float | None) -> None:
            if not found.done():
                found.set_result(used)

        self._inquiries.ask(
            lambda: system.usage_of(
                {pid for each in slot.replicas for child in each.children() for pid in members(each, child)}, 0.0
            ).cpu_s,
            told,
        )
        return await found
