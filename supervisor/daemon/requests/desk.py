"""Where requests are handed in.

What answers them is imported and made for the first request, or a second after the start: importing it takes a
twentieth of the start of six small services.
"""

import contextlib
from functools import partial

from supervisor.annotations import Protocol
from supervisor.config.spec import StackSpec
from supervisor.config.stamps import stamps_of
from supervisor.core.journal import ReloadRefused
from supervisor.core.service import Service
from supervisor.daemon.instance import Instance
from supervisor.daemon.options import Options
from supervisor.daemon.service.world import StackWorld
from supervisor.daemon.stack.stack import Stack
from supervisor.errors import PortsupError
from supervisor.words import refusals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.control.reply import Reply
    from supervisor.control.requests import Request
    from supervisor.daemon.requests.commands import Commands

SETTLED_AFTER = 1.0  # seconds


class Owner(Protocol):
    """Who does what concerns the instance as a whole."""

    def on_new_spec(self, spec: StackSpec) -> None: ...
    def on_down(self, timeout: float | None) -> None: ...


class Desk:
    """The `Commands` of an instance, once there are any."""

    def __init__(
        self, spec: StackSpec, options: Options, instance: Instance, stack: Stack, world: StackWorld, owner: Owner
    ) -> None:
        self._stamps = stamps_of(spec)  # of now: the files may be others by the first request
        self._make = partial(self._made, spec, options, instance, stack, world, owner)
        self._journal = instance.journal
        self._commands: Commands | None = None
        instance.loop.call_later(SETTLED_AFTER, self._settle)

    def handle(self, request: "Request", reply: "Reply") -> None:
        """Answers one request; raises PortsupError for what cannot be asked, or if nothing can be answered now."""
        self._journal.catch_up()
        self._at_work().handle(request, reply)

    def changed(self, before: Service, after: Service) -> None:
        """A service is different now."""
        if self._commands is not None:
            self._commands.changed(before, after)

    def reload(self) -> None:
        """What a signal asks for."""
        try:
            self._at_work().reload()
        except PortsupError as error:
            self._journal.tell(ReloadRefused(what=error.what, why=error.why, problems=[]))

    def ended(self) -> None:
        """The instance is gone to the last file: whoever asked for that hears it now."""
        if self._commands is not None:
            self._commands.ended()

    def _settle(self) -> None:
        with contextlib.suppress(PortsupError):  # what cannot be had now is tried again for a request
            self._at_work()

    def _at_work(self) -> "Commands":
        if self._commands is None:
            try:
                self._commands = self._make()
            except (OSError, ImportError, MemoryError) as error:
                raise refusals.not_answered(error) from error
        return self._commands

    def _made(
        self, spec: StackSpec, options: Options, instance: Instance, stack: Stack, world: StackWorld, owner: Owner
    ) -> "Commands":
        from supervisor.control import connection  # noqa: F401  # what a client needs first
        from supervisor.daemon.requests.commands import Commands
        from supervisor.daemon.stack.reload import Reloader

        reloader = Reloader(spec, options, instance, stack, world, owner.on_new_spec)
        reloader.stamps = self._stamps
        return Commands(instance, stack, world, reloader, owner.on_down)
