"""Who has the ports that cannot be had: remembered, and found out in a child, all ports in one search.

A search looks at every descriptor of the machine, and anybody can make that long.  So it happens beside the loop, and
for each port once a minute at most, unless the process that was found has ended.
"""

import os
from collections.abc import Callable, Collection, Mapping

from supervisor.annotations import Any
from supervisor.core.reasons import Held
from supervisor.daemon.processes.inquiries import NICE, Inquiries
from supervisor.dataclass import dataclass, replace
from supervisor.ports.holders import ConflictKind, Holder, at_once, holders_of
from supervisor.ports.runtime import RuntimeDir

REMEMBERED = 60.0  # seconds that an answer is good for
OF_A_MOMENT = 2.0  # the same of one that tells of something that passes, or of a process that has ended since
SEARCH_WITHIN = 15.0  # seconds, in a child that lets everybody else go first
SOUGHT = Holder(ConflictKind.FOREIGN, Held("sought"), is_sought=True)

Known = Callable[[Mapping[int, Holder]], None]


@dataclass(frozen=True, slots=True)
class _Remembered:
    errno: int
    holder: Holder
    at: float  # monotonic seconds

    def is_good(self, errno: int, now: float) -> bool:
        age = now - self.at
        if self.errno != errno or age >= REMEMBERED:
            return False
        if self.holder.kind is ConflictKind.OWNERLESS or (self.holder.pid and not _is_there(self.holder.pid)):
            return age < OF_A_MOMENT
        return True


class Holders:
    """What is known of who has which port; `on_known` is told what a search found."""

    def __init__(
        self, clock: Callable[[], float], soon: Callable[[Callable[[], None]], object], inquiries: Inquiries,
        runtime: RuntimeDir, on_known: Known,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._soon = soon
        self._inquiries = inquiries
        self._runtime = runtime
        self._on_known = on_known
        self._remembered: dict[int, _Remembered] = {}
        self._wanted: dict[int, int] = {}  # errno by port, for the next search
        self._searching: dict[int, int] = {}
        self._is_due = False
        self._waiting: list[tuple[set[int], Callable[[], None]]] = []

    def who(self, port: int, errno: int) -> Holder:
        """Who has a port; `errno` is what binding it gave, 0 for its lock.  `is_sought` where that is not known yet."""
        now = self._clock()
        known = self._remembered.get(port)
        if known is not None and known.is_good(errno, now):
            return known.holder
        if (holder := at_once(port, self._runtime, errno)) is not None:
            self._remembered[port] = _Remembered(errno, holder, now)
            return holder
        if port not in self._searching:
            self._wanted[port] = errno
            self._begin()
        return replace(known.holder, is_sought=True) if known is not None and known.errno == errno else SOUGHT

    def known(self, port: int) -> Holder | None:
        """Who was the last to be found on a port."""
        remembered = self._remembered.get(port)
        return remembered.holder if remembered is not None else None

    def when_known(self, ports: Collection[int], then: Callable[[], None]) -> None:
        """Calls `then` once nothing is looked for that concerns these ports, be it found or not."""
        left = {port for port in ports if port in self._wanted or port in self._searching}
        if left:
            self._waiting.append((left, then))
        else:
            self._soon(then)

    def _begin(self) -> None:
        if not self._is_due and not self._searching:
            self._is_due = True
            self._soon(self._search)  # with all that are asked for in this turn

    def _search(self) -> None:
        self._is_due = False
        self._searching, self._wanted = self._wanted, {}
        ports, runtime, ours = tuple(self._searching), self._runtime, os.getpid()

        def question() -> list[list[Any]]:
            found = holders_of(ports, runtime, SEARCH_WITHIN, ours)
            return [[port, *holder.as_list()] for port, holder in found.items()]

        self._inquiries.ask(question, self._found, SEARCH_WITHIN + 5.0, NICE)

    def _found(self, answer: list[list[Any]] | None) -> None:
        now, searched = self._clock(), self._searching
        found = {port: Holder.from_list(values) for port, *values in answer or ()}
        unknown = Holder(ConflictKind.FOREIGN, Held("not-found"))
        told = {port: found.get(port, unknown) for port in searched}
        for port, holder in told.items():
            self._remembered[port] = _Remembered(searched[port], holder, now)
        self._searching = {}
        self._on_known(told)
        waiting, self._waiting = self._waiting, []
        for left, then in waiting:
            left -= told.keys()
            if left:
                self._waiting.append((left, then))
            else:
                then()
        if self._wanted:
            self._begin()


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
