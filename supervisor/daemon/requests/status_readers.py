"""Those who watch the status: they are told at once, and again after every change."""

import asyncio
from collections.abc import Callable

from supervisor.control.reply import Reply
from supervisor.control.status import StackStatus
from supervisor.daemon.stalls import has_time


class StatusReaders:
    """The streams of `watch`: hundreds of them are told over several turns of the loop."""

    def __init__(self, status: Callable[[], StackStatus]) -> None:
        self._status = status
        self._replies: dict[Reply, None] = {}
        self._left: dict[Reply, None] = {}  # those that are still to be told
        self._told: StackStatus | None = None  # what they are told, unless there is news
        self._has_news = False
        self._is_due = False

    def add(self, reply: Reply) -> None:
        """One more, until it hangs up."""
        self._replies[reply] = None
        reply.on_close = lambda: self._remove(reply)
        reply.tell(self._status())

    def changed(self) -> None:
        """Something is different now: all are told, once for all that happens in one turn of the loop."""
        if self._replies:
            self._has_news = True
            self._begin()

    def _remove(self, reply: Reply) -> None:
        self._replies.pop(reply, None)
        self._left.pop(reply, None)

    def _begin(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._is_due = False
        if self._has_news:  # who was told before it comes after those who were not
            self._has_news, self._told = False, None
            self._left.update(self._replies)
        while self._left:
            reply = next(iter(self._left))
            del self._left[reply]
            if reply.is_behind:  # what it has not read by now is old: it gets the last one
                reply.on_drained = lambda reply=reply: self._catch_up(reply)
                continue
            self._told = self._told or self._status()
            reply.tell(self._told)
            if self._left and not has_time(asyncio.get_running_loop()):
                self._begin()
                return
        self._told = None

    def _catch_up(self, reply: Reply) -> None:
        reply.on_drained = None
        self._left[reply] = None
        self._begin()
