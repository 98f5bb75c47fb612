"""Notices when a starting service listens on its port, and proves that it is the service who does.

One look at the kernel's table of listeners serves all services that are starting; when none is, nothing ticks.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection

from supervisor import system
from supervisor.annotations import Any
from supervisor.core.reasons import Held
from supervisor.core.suspicion import Suspicion
from supervisor.daemon.checks import listeners
from supervisor.daemon.processes.inquiries import Inquiries
from supervisor.daemon.stalls import doing
from supervisor.dataclass import dataclass
from supervisor.ports.holders import who_listens
from supervisor.ports.runtime import RuntimeDir
from supervisor.system import Listener
from supervisor.words import activities

FIRST_LOOK = 0.001  # seconds after the spawn
LAST_LOOK = 0.1  # the longest time between two looks
COSTLY_LOOK = 2.0  # the same, where a look takes so long that it would keep others from their work
AT_ONCE = 0.005  # seconds for a look at the descriptors of a process that probably listens; beyond that a child looks
COST_FACTOR = 4  # time between two looks, as a multiple of what a look takes
DRIFT_AFTER = 1.0  # seconds without a listener before we look where else the service listens


@dataclass(slots=True)
class Expectation:
    """A service that should listen on `port` soon.

    `mains` are the processes that as a rule do that, and `members` all of its process tree: finding those takes time.
    """

    port: int
    mains: Callable[[], Collection[int]]
    members: Callable[[], Collection[int]]
    on_listening: Callable[[], None]
    on_stranger: Callable[[Held], None]  # is told who listens there
    on_elsewhere: Callable[[Collection[int]], None]
    since: float
    suspicion: Suspicion = Suspicion()  # of those that are of no member
    elsewhere_at: float = 0.0  # when to look for other ports
    is_asked: bool = False  # a child of ours looks whose sockets they are


class ListenerSearch:
    """Looks at the listeners of all expected ports, quickly at first and then less often."""

    def __init__(self, loop: asyncio.AbstractEventLoop, inquiries: Inquiries, runtime: RuntimeDir) -> None:
        self._loop = loop
        self._inquiries = inquiries
        self._runtime = runtime
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
        doing(self._loop, activities.LOOKING_WHO_LISTENS)
        begun = self._loop.time()
        expected = tuple(self._expected.items())

        def told(found: list[Listener] | None) -> None:
            with contextlib.suppress(OSError):
                self._look_at_all(begun, expected, found or ())
            self._look_again(begun)

        try:
            listeners.look({each.port for _, each in expected}, (), self._inquiries, told)
        except OSError:  # no descriptor or memory to look with: there is another look
            self._look_again(begun)

    def _look_again(self, begun: float) -> None:
        if self._expected and self._timer is None:
            cost = self._loop.time() - begun
            self._interval = max(min(self._interval * 1.5, LAST_LOOK), min(cost * COST_FACTOR, COSTLY_LOOK))
            self._arm()

    def _look_at_all(
        self, begun: float, expected: Collection[tuple[str, Expectation]], listening: Collection[Listener]
    ) -> None:
        found: dict[int, list[Listener]] = {}
        for listener in listening:
            found.setdefault(listener.port, []).append(listener)
        for service, expectation in expected:
            if self._expected.get(service) is not expectation:  # it has ended meanwhile
                continue
            if theirs := found.get(expectation.port):
                self._judge(service, expectation, theirs)
                continue
            expectation.suspicion = Suspicion()
            if begun >= expectation.elsewhere_at:
                expectation.elsewhere_at = begun + 5 * DRIFT_AFTER
                self._look_elsewhere(service, expectation)

    def _look_elsewhere(self, service: str, expectation: Expectation) -> None:
        def told(ports: list[int] | None) -> None:
            if ports and self._expected.get(service) is expectation:
                expectation.on_elsewhere(ports)

        self._inquiries.ask(lambda: sorted(system.listening_ports_of(expectation.members())), told)

    def _judge(self, service: str, expectation: Expectation, theirs: list[Listener]) -> None:
        if are_owned(theirs, expectation.mains(), self._loop.time()):
            self.forget(service)
            expectation.on_listening()
        elif not expectation.is_asked:
            seen = frozenset(theirs)
            expectation.is_asked = True
            self._inquiries.ask(
                lambda: stranger_among(theirs, expectation.members(), self._runtime),
                lambda stranger: self._judged(service, expectation, seen, stranger),
            )

    def _judged(
        self, service: str, expectation: Expectation, seen: frozenset[Listener], stranger: dict[str, Any] | None
    ) -> None:
        expectation.is_asked = False
        if self._expected.get(service) is not expectation or stranger is None:  # what is not known, a later look tells
            return
        if not stranger:
            self.forget(service)
            expectation.on_listening()
        else:
            now = self._loop.time()
            expectation.suspicion = expectation.suspicion.looked(seen, now)
            if expectation.suspicion.sure(now) is not None:
                self.forget(service)
                expectation.on_stranger(Held(**stranger))


def are_owned(listeners: Collection[Listener], pids: Collection[int], now: float) -> bool:
    """Whether one of these processes has one of these sockets open, as far as that can be seen in a moment."""
    if any(each.pid in pids or each.is_untold for each in listeners):
        return True
    return bool(owned_at_once(listeners, pids, now))


def owned_at_once(listeners: Collection[Listener], pids: Collection[int], now: float) -> dict[int, int]:
    """Which of these sockets one of these processes has open, by inode, as far as that can be seen in a moment."""
    with contextlib.suppress(OSError):  # no descriptor or memory to look with: a child may have
        return system.owners_of(listeners, pids, now + AT_ONCE)
    return {}


def stranger_among(listeners: Collection[Listener], members: Collection[int], runtime: RuntimeDir) -> dict[str, Any]:
    """The facts of `Held` about who else than a member of a process tree listens there, if no member does; else empty.

    A socket whose owner nobody may look at, as of a setuid program, counts as the tree's if a member runs as its user:
    as another user than we, or hidden from us.
    """
    strangers = strangers_among(listeners, members)
    return who_listens(strangers[0], runtime).why.facts if len(strangers) == len(listeners) else {}


def strangers_among(listeners: Collection[Listener], members: Collection[int]) -> list[Listener]:
    """Those listening sockets that no member of a process tree has open."""
    owned = system.owners_of(listeners, members)
    unowned = [each for each in listeners if not (each.inode in owned or each.pid in members or each.is_untold)]
    if not unowned:
        return []
    visible = system.owners_of(unowned, None)
    ours = system.user_name(system.current_user_id())
    users = {user for pid in members if (user := system.process_user(pid)) != ours or system.is_opaque(pid)}
    return [each for each in unowned if each.inode in visible or each.pid or system.user_name(each.uid) not in users]
