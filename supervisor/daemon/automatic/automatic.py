"""What happens by itself in an instance: each part is imported once a services.yaml asks for it."""

import asyncio
import contextlib
from collections.abc import Mapping

from supervisor.annotations import Any
from supervisor.config.spec import StackSpec
from supervisor.core import events as ev
from supervisor.core.journal.event import Event
from supervisor.core.reasons import Cause
from supervisor.core.service import Service
from supervisor.daemon.changes import Changes
from supervisor.daemon.console.reporter import Reporter
from supervisor.daemon.faults import of_service
from supervisor.daemon.instance import Instance
from supervisor.daemon.service.world import StackWorld
from supervisor.daemon.stack.stack import Stack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.daemon.automatic.names import ServiceNames
    from supervisor.daemon.automatic.notices import Notices
    from supervisor.daemon.automatic.schedules import Schedules
    from supervisor.daemon.automatic.watches import Watches

NAMED_WITHIN = 10.0  # seconds after which `up` does not wait for the proxy of `names` any more


class Automatic:
    """Schedules, files that are watched, names of services, and notices."""

    def __init__(
        self, spec: StackSpec, instance: Instance, stack: Stack, world: StackWorld, changes: Changes, reporter: Reporter
    ) -> None:
        self._instance, self._stack, self._world = instance, stack, world
        self._changes, self._reporter = changes, reporter
        self._schedules: Schedules | None = None
        self._watches: Watches | None = None
        self._names: ServiceNames | None = None
        self._notices: Notices | None = None
        self._is_over = False
        self.configure(spec)
        changes.follow(self._changed, lambda svc, error: of_service(svc.name, error, instance.journal))

    def configure(self, spec: StackSpec) -> None:
        """What a services.yaml asks for; one that is read again, too."""
        if self._schedules is None and any(service.schedule for service in spec.services.values()):
            from supervisor.daemon.automatic.schedules import Schedules

            file = self._instance.state_dir / "schedules.json"
            self._schedules = Schedules(self._stack.slots, self._instance.loop, self, file)
        if self._watches is None and any(service.watch for service in spec.services.values()):
            from supervisor.daemon.automatic.watches import Watches

            self._watches = Watches(
                self._stack.slots, self._instance.loop, self, self._world.errands, self._world.programs
            )
        if self._watches is not None:
            self._watches.configure(spec.services)
        if self._names is None and spec.names is not None:
            from supervisor.daemon.automatic.names import ServiceNames

            self._names = ServiceNames(self._stack.slots, self._instance, self._world.errands.reaper, self)
        if self._names is not None:
            self._names.configure(spec.names)
        if self._notices is None and spec.notify is not None:
            from supervisor.daemon.automatic.notices import Notices

            folder, loop = str(spec.directory), self._instance.loop
            self._notices = Notices(spec.name, folder, loop, self, self._world.errands)
        if self._notices is not None:
            self._notices.configure(spec.notify)

    def round(self) -> None:
        """Looks whether the clock was set, files are watched that should be, and names are answered for."""
        for part in self._parts():
            part.look()

    def hear(self, event: Mapping[str, Any]) -> None:
        """Something has happened, as it is written down."""
        if self._notices is not None:
            self._notices.hear(event)

    async def until_named(self) -> None:
        """Returns once it is known whether the services have names, or that will not be known soon."""
        if self._names is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(NAMED_WITHIN):
                    await self._names.is_told.wait()

    async def finish(self) -> None:
        """Tells what is still to be told, if that is quick."""
        if self._notices is not None:
            await self._notices.finish()

    def close(self) -> None:
        """Nothing happens by itself any more, but that somebody is told of the end."""
        for part in self._parts():
            part.close()
        self._is_over = True

    def _changed(self, before: Service, after: Service) -> None:
        for part in self._parts():
            part.changed(before, after)

    def _parts(self) -> "list[Schedules | Watches | ServiceNames]":
        parts = (self._names, self._schedules, self._watches)
        return [] if self._is_over else [part for part in parts if part is not None]

    # What the parts need.

    def start(self, name: str) -> None:
        """Starts one service, and nobody else who is stopped."""
        self._stack.orders.give({name: ev.StartRequested()})

    def restart(self, name: str, why: Cause) -> None:
        """Restarts one service."""
        self._stack.restart([name], why=why)

    def tell(self, event: Event) -> None:
        """Something has happened."""
        self._reporter.tell(event)

    def status_changed(self, name: str) -> None:
        """Who reads the status has to learn of something that is no change of the service."""
        self._instance.loop.call_soon(self._tell_readers, name)

    def _tell_readers(self, name: str) -> None:
        if (slot := self._stack.slots.get(name)) is not None:
            self._changes.tell(slot.service, slot.service)
