"""Those who keep a picture of the stack: they get everything once, and then what changes, numbered.

Of each service it is known with which change it last became different, so that whoever was away gets only what is new
to them, and a slow reader misses none of it.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

from supervisor.control.json_form import read
from supervisor.control.messages import Event, Usage
from supervisor.control.reply import Reply
from supervisor.control.requests import Subscribe
from supervisor.control.status import StackStatus
from supervisor.control.updates import Update, Usages
from supervisor.daemon.requests.usage_ring import UsageRing
from supervisor.daemon.stalls import has_time

MOST_REMOVED = 1000  # names of services that are gone; who was away for longer gets everything


class Subscriptions:
    """The streams of `subscribe`."""

    def __init__(
        self, run: str, names: Callable[[], Collection[str]], status: Callable[[list[str]], StackStatus],
        measure: Callable[[Callable[[Usage | None], None]], None],
    ) -> None:  # fmt: skip
        """`names` are the services there are, `status` tells of some of them, `measure` finds what all of them use."""
        self.run = run
        self.usage = UsageRing(measure, self.used)
        self._names = names
        self._status = status
        self._seq = 0
        self._oldest = 0  # what went before is not known in full
        self._changed: dict[str, int] = {}
        self._removed: dict[str, int] = {}
        self._readers: dict[_Reader, None] = {}  # who was told last comes last
        self._updates: dict[int, Update] = {}  # by what their readers know: most have read as far as the others
        self._updated = 0  # with which change these end
        self._is_due = False

    def add(self, request: Subscribe, reply: Reply) -> None:
        """One more, until it hangs up."""
        self._look()
        reader = _Reader(reply, request, self)
        self._readers[reader] = None
        reply.on_close = lambda: self._remove(reader)
        is_known = request.run == self.run and self._oldest <= request.after <= self._seq
        if is_known:
            reader.seq = request.after
            reply.tell(self.update_since(reader.seq))
        else:
            reply.tell(Update(self.run, self._seq, status=self._status(list(self._names()))))
        reader.seq = self._seq
        if request.usage:
            self.usage.watch(True)

    def changed(self, name: str) -> None:
        """A service is different now; those who read are told once for all that happens in one turn of the loop."""
        self._seq += 1
        self._changed[name] = self._seq
        self._begin()

    def services_changed(self) -> None:
        """Services may have come or gone."""
        self._look()
        self._begin()

    def event(self, event: Mapping[str, Any]) -> None:
        """Something was written to the journal."""
        readers = [each for each in self._readers if each.request.events]
        if readers:
            told = read(Event, event)
            updates: dict[int, Update] = {}
            for each in readers:
                each.offer(updates.setdefault(each.seq, Update(self.run, each.seq, event=told)))

    def used(self, usage: Usages) -> None:
        """What the services use at this moment."""
        updates: dict[int, Update] = {}
        for each in self._readers:
            if each.request.usage and not each.reply.is_behind:
                each.reply.tell(updates.setdefault(each.seq, Update(self.run, each.seq, usage=usage)))

    def update_since(self, seq: int) -> Update:
        """What is different since that change."""
        names = [name for name in self._names() if self._changed.get(name, 0) > seq]
        removed = tuple(name for name, when in self._removed.items() if when > seq)
        changed = self._status(names).services if names else ()
        return Update(self.run, self._seq, changed=changed or None, removed=removed or None)

    def caught_up(self) -> None:
        """Somebody is no longer behind: they get in one of the next turns what they do not know yet."""
        self._begin()

    def _remove(self, reader: "_Reader") -> None:
        self._readers.pop(reader, None)
        if reader.request.usage and not any(each.request.usage for each in self._readers):
            self.usage.watch(False)

    def _look(self) -> None:
        """Notes which services have come or gone."""
        there = set(self._names())
        for name in there - self._changed.keys():
            self._seq += 1
            self._changed[name] = self._seq
            self._removed.pop(name, None)
        for name in self._changed.keys() - there:
            self._seq += 1
            del self._changed[name]
            self._removed[name] = self._seq
        while len(self._removed) > MOST_REMOVED:
            self._oldest = self._removed.pop(next(iter(self._removed)))

    def _begin(self) -> None:
        if self._readers and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        """Tells who does not know the last change; hundreds of them over several turns of the loop."""
        self._is_due = False
        self._look()
        if self._updated != self._seq:
            self._updates, self._updated = {}, self._seq
        for reader in tuple(self._readers):
            if reader.reply.is_behind:
                reader.wait()
            elif reader.seq < self._seq:
                self._readers[reader] = self._readers.pop(reader)
                if reader.seq not in self._updates:
                    self._updates[reader.seq] = self.update_since(reader.seq)
                reader.reply.tell(self._updates[reader.seq])
                reader.seq = self._seq
                if not has_time(asyncio.get_running_loop()):
                    self._begin()
                    return
        self._updates = {}


class _Reader:
    """One of them, and how far it has read."""

    def __init__(self, reply: Reply, request: Subscribe, subscriptions: Subscriptions) -> None:
        self.reply = reply
        self.request = request
        self.seq = 0
        self._subscriptions = subscriptions
        self._left_out = 0

    def offer(self, update: Update) -> None:
        """Sends an event, or leaves it out."""
        if self.reply.is_behind:
            self._left_out += 1
            self.wait()
        else:
            self.reply.tell(update)

    def wait(self) -> None:
        """It is behind: it gets all that it missed at once when it has caught up."""
        self.reply.on_drained = self._catch_up

    def _catch_up(self) -> None:
        self.reply.on_drained = None
        left_out, self._left_out = self._left_out, 0
        if left_out:
            self.reply.tell(Update(self._subscriptions.run, self.seq, gap=left_out))
        self._subscriptions.caught_up()
