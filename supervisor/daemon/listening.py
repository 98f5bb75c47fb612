"""Notices when a starting service listens on its port, and proves that it is the service who does.

One look at the kernel's table of listeners serves all services that are starting; when none is, nothing ticks.
"""

import asyncio
import os
from collections.abc import Callable, Collection

from supervisor import system
from supervisor.daemon.stalls import doing
from supervisor.dataclass import dataclass
from supervisor.system import Listener

FIRST_LOOK = 0.001  # seconds after the spawn
LAST_LOOK = 0.1  # the longest time between two looks
COST_FACTOR = 4  # time between two looks, as a multiple of what a look takes
DRIFT_AFTER = 1.0  # seconds without a listener before we look where else the service listens


@dataclass(slots=True)
class Expectation:
    """A service that should listen on `port` soon; `members` tells the pids of its process tree."""

    port: int
    members: Callable[[], Collection[int]]
    on_listening: Callable[[], None]
    on_stranger: Callable[[Listener], None]
    on_elsewhere: Callable[[Collection[int]], None]
    since: float
    strange: frozenset[int] = frozenset()  # inodes seen once that no member has
    elsewhere_at: float = 0.0  # when to look for other ports


class ListenWatch:
    """Looks at the listeners of all expected ports, quickly at first and then less often."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._expected: dict[str, Expectation] = {}
        self._interval = FIRST_LOOK
        self._timer: asyncio.TimerHandle | None = None

    def expect(self, service: str, expectation: Expectation) -> None:
        """Looks out for this service from now on."""
        expectation.elsewhere_at = expectation.since + DRIFT_AFTER
        self._expected[service] = expectation
        self._interval = FIRST_LOOK
        self._arm()

    def forget(self, service: str) -> None:
        """No longer looks out for it."""
        if self._expected.pop(service, None) is not None and not self._expected and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(self._interval, self._look)

    def _look(self) -> None:
        self._timer = None
        doing(self._loop, "looking who listens")
        begun = self._loop.time()
        found: dict[int, list[Listener]] = {}
        for listener in system.listening({expectation.port for expectation in self._expected.values()}):
            found.setdefault(listener.port, []).append(listener)
        for service, expectation in tuple(self._expected.items()):
            if listeners := found.get(expectation.port):
                self._judge(service, expectation, listeners)
            elif begun >= expectation.elsewhere_at:
                expectation.elsewhere_at = begun + 5 * DRIFT_AFTER
                if ports := system.listening_ports_of(expectation.members()):
                    expectation.on_elsewhere(ports)
        if self._expected and self._timer is None:
            cost = self._loop.time() - begun
            self._interval = min(max(self._interval * 1.5, cost * COST_FACTOR), LAST_LOOK)
            self._arm()

    def _judge(self, service: str, expectation: Expectation, listeners: list[Listener]) -> None:
        strangers = strangers_among(listeners, expectation.members())
        if len(strangers) < len(listeners):
            self.forget(service)
            expectation.on_listening()
            return
        inodes = frozenset(each.inode for each in strangers)
        if inodes & expectation.strange:  # seen twice: not a socket that was passed on between our two looks
            self.forget(service)
            expectation.on_stranger(strangers[0])
        expectation.strange = inodes


def strangers_among(listeners: Collection[Listener], members: Collection[int]) -> list[Listener]:
    """Those listening sockets that no member of a process tree has open.

    A socket whose owner nobody may look at, as of a setuid program, counts as the tree's if a member runs as its user.
    """
    owned = system.owners_of(listeners, members)
    unowned = [each for each in listeners if not (each.inode in owned or each.pid in members)]
    if not unowned:
        return []
    visible = system.owners_of(unowned, None)
    users = {system.process_user(pid) for pid in members} - {system.user_name(os.getuid())}
    return [each for each in unowned if each.inode in visible or each.pid or system.user_name(each.uid) not in users]
