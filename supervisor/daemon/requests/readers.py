"""Everybody who is told of the stack as it changes, and what they can look up of the last hour."""

import asyncio
import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from supervisor.control.json_form import read
from supervisor.control.messages import Event, Usage
from supervisor.control.reply import Reply
from supervisor.control.requests import Subscribe
from supervisor.control.status import StackStatus
from supervisor.control.updates import PortEvents
from supervisor.daemon.console.broadcast import Feed
from supervisor.daemon.requests.status_readers import StatusReaders
from supervisor.daemon.requests.subscriptions import Subscriptions
from supervisor.daemon.service.slot import Slot
from supervisor.daemon.service.world import StackWorld
from supervisor.daemon.stack.stack import Stack
from supervisor.daemon.stalls import leave_time
from supervisor.logs.history import events_of_port
from supervisor.words import refusals


class Readers:
    """The streams of `watch` and `subscribe`, and the answers to `resources`, `trend` and `history`."""

    def __init__(
        self, stack: Stack, world: StackWorld, news: Feed, journal: str, status: Callable[[Iterable[Slot]], StackStatus]
    ) -> None:
        """`journal` is its path, `status` tells of some of the services."""
        self._world = world
        self._journal = journal
        self._watchers = StatusReaders(lambda: status(stack.services().values()))
        self._subscriptions = Subscriptions(
            os.urandom(6).hex(), lambda: stack.services().keys(),
            lambda names: status(stack.slots[name] for name in names),
            lambda then: world.measure(list(stack.services().values()), then),
        )  # fmt: skip
        news.follow(self._subscriptions.event)

    def watch(self, reply: Reply) -> None:
        """Somebody wants the whole status, again and again."""
        self._watchers.add(reply)

    def subscribe(self, request: Subscribe, reply: Reply) -> None:
        """Somebody wants everything once, and then what changes."""
        self._subscriptions.add(request, reply)

    def changed(self, name: str) -> None:
        """A service is different now."""
        self._watchers.changed()
        self._subscriptions.changed(name)

    def services_changed(self) -> None:
        """Services may have come or gone."""
        self._subscriptions.services_changed()

    def tell_resources(self, slots: list[Slot], reply: Reply) -> None:
        """What the services use now."""

        def tell(found: Usage | None) -> None:
            if found is None:
                reply.fail(refusals.usage_unknown())
            else:
                reply.tell(found)
                reply.finish()

        self._world.measure(slots, tell)

    async def tell_trend(self, slots: list[Slot], reply: Reply) -> None:
        """What they used in the last hour."""
        pause = partial(leave_time, asyncio.get_running_loop())
        usages = await self._subscriptions.usage.told([slot.spec.name for slot in slots], pause)
        await reply.tell_in_parts(usages, "services", pause)
        reply.finish()

    def tell_history(self, port: int, reply: Reply) -> None:
        """What became of a port; the journal is read by a child, so that nobody waits for the disk."""

        def tell(found: list[dict[str, Any]] | None) -> None:
            if found is None:
                reply.fail(refusals.history_unknown())
            else:
                reply.tell(PortEvents(tuple(read(Event, each) for each in found)))
                reply.finish()

        self._world.inquiries.ask(lambda: events_of_port(self._journal, port), tell)
