"""Those who watch the status: they are told at once, and again after every change."""

import asyncio
from collections.abc import Callable

from supervisor.control.connection import Reply
from supervisor.control.status import StackStatus


class StatusReaders:
    """The streams of `watch`."""

    def __init__(self, status: Callable[[], StackStatus]) -> None:
        self._status = status
        self._replies: dict[Reply, None] = {}
        self._is_due = False

    def add(self, reply: Reply) -> None:
        """One more, until it hangs up."""
        self._replies[reply] = None
        reply.on_close = lambda: self._replies.pop(reply, None)
        reply.tell(self._status())

    def changed(self) -> None:
        """Something is different now: all are told, once for all that happens in one turn of the loop."""
        if self._replies and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._is_due = False
        status = self._status()
        for reply in tuple(self._replies):
            if reply.is_behind:  # what it has not read by now is old: it gets the last one
                reply.on_drained = lambda reply=reply: self._catch_up(reply)
            else:
                reply.tell(status)

    def _catch_up(self, reply: Reply) -> None:
        reply.on_drained = None
        reply.tell(self._status())
