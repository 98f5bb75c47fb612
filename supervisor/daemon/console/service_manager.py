"""Tells the service manager above how the stack is, in the protocol of sd_notify(3): ready, status, watchdog, stopping.

Made only where there is one.
"""

import asyncio
import contextlib
import socket
from collections.abc import Mapping

from supervisor.core.conditions import is_up
from supervisor.core.stack import whole
from supervisor.core.state import IS_IN_TROUBLE
from supervisor.daemon.service.slot import Slot
from supervisor.words import outcomes

LONGEST_STATUS = 300  # characters; it is one line of `systemctl status`


class ServiceManager:
    """What is said of the services in `slots`, by way of the guardian (process/relay.py)."""

    def __init__(self, line: socket.socket, every: float) -> None:
        self._line = line
        self.every = every  # seconds between two beats at most
        self._slots: Mapping[str, Slot] = {}
        self._said = ""
        self._is_due = False
        self._is_ready = False
        self._is_stopping = False

    def follow(self, slots: Mapping[str, Slot]) -> None:
        """These are the services."""
        self._slots = slots

    def beat(self) -> None:
        """We are alive."""
        if self.every != float("inf"):
            self._say("WATCHDOG=1")

    def changed(self) -> None:
        """A service changed: it is told once for all that happens in one turn of the loop."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._tell)

    def ready(self) -> None:
        """The stack is up."""
        self._is_ready = True
        self._said = self._words()
        self._say(f"READY=1\nSTATUS={self._said}")

    def stopping(self) -> None:
        """The stack ends."""
        if not self._is_stopping:
            self._is_stopping = True
            self._said = self._words()
            self._say(f"STOPPING=1\nSTATUS={self._said}")

    def close(self) -> None:
        """Nothing more is said."""
        self._line.close()

    def _tell(self) -> None:
        self._is_due = False
        words = self._words()
        if words != self._said:
            self._said = words
            self._say(f"STATUS={words}")

    def _words(self) -> str:
        services = {name: slot for name, slot in self._slots.items() if slot.number == 1}
        if self._is_stopping:
            left = sum(any(each.service.pid is not None for each in slot.replicas) for slot in services.values())
            return outcomes.stack_stops(left, len(services))
        wanted = {name: whole(slot) for name, slot in services.items() if slot.is_wanted}
        ready = sum(map(is_up, wanted.values()))
        failed = [name for name, svc in wanted.items() if svc.state in IS_IN_TROUBLE]
        return outcomes.stack_starts(self._is_ready, ready, len(wanted), failed)[:LONGEST_STATUS]

    def _say(self, message: str) -> None:
        with contextlib.suppress(OSError):  # the guardian is stopped, or gone
            self._line.send(message.encode(errors="replace"))
