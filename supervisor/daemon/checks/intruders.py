"""Looks whether anybody but a service itself listens on its port while it runs."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Collection

from supervisor import system
from supervisor.annotations import Any
from supervisor.core.reasons import Held
from supervisor.core.state import State
from supervisor.core.suspicion import LASTS, Suspicion
from supervisor.daemon.checks import listeners
from supervisor.daemon.checks.listening import owned_at_once, strangers_among
from supervisor.daemon.processes.inquiries import Inquiries
from supervisor.daemon.processes.members import Members
from supervisor.daemon.service.slot import Child, Slot
from supervisor.ports.holders import who_listens
from supervisor.ports.runtime import RuntimeDir
from supervisor.system import Listener

Tell = Callable[[Slot, Child, Held], None]


class Intruders:
    """Who is there at one look only is looked at again; `tell` is told who stays."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, inquiries: Inquiries, members: Members, runtime: RuntimeDir, tell: Tell
    ) -> None:
        self._loop = loop
        self._inquiries = inquiries
        self._members = members
        self._runtime = runtime
        self._tell = tell
        self._asked: set[str] = set()  # whose listeners a child of ours looks at

    def look(self, slots: Collection[Slot]) -> None:
        """Looks at the ports of those that run; raises OSError where it cannot be looked now."""
        running = {
            slot.service.port: slot
            for slot in slots
            if slot.service.state is State.RUNNING and slot.child is not None and slot.service.port is not None
        }
        before = _inodes(slots)

        def told(seen: list[Listener] | None) -> None:
            if seen is None:
                return
            ours = before | _inodes(slots) if seen else before
            found: dict[int, list[Listener]] = {}
            for listener in seen:
                if listener.inode not in ours:
                    found.setdefault(listener.port, []).append(listener)
            for port, slot in running.items():
                svc = slot.service
                if svc.port == port and svc.state is State.RUNNING and slot.child is not None:
                    self._judge(slot, slot.child, found.get(port, []))

        listeners.look(running.keys(), before, self._inquiries, told)

    def _judge(self, slot: Slot, child: Child, theirs: list[Listener]) -> None:
        name, seen = slot.spec.name, frozenset(theirs)
        if not theirs:
            child.suspicion = Suspicion()
        if seen in (child.proved, frozenset()) or name in self._asked:
            return
        mains = {pid for other in slot.replicas for each in other.children() for pid in (each.pid, each.main)}
        owned = owned_at_once(theirs, mains, self._loop.time())
        if all(each.inode in owned or each.pid in mains for each in theirs):
            child.proved, child.suspicion = seen, Suspicion()
            return
        self._asked.add(name)
        daemon = os.getpid()

        def question() -> list[list[Any]]:
            members = {
                pid for other in slot.replicas for each in other.children() for pid in self._members.of(other, each)
            }
            own = system.owners_of(theirs, (daemon,))
            strangers = [each for each in strangers_among(theirs, members) if each.inode not in own]
            return [[theirs.index(each), who_listens(each, self._runtime).why.facts] for each in strangers]

        def told(found: list[list[Any]] | None) -> None:
            self._asked.discard(name)
            if found is None or slot.child is not child or slot.service.state is not State.RUNNING:
                return
            strangers = {theirs[at]: facts for at, facts in found}
            now = self._loop.time()
            child.suspicion = child.suspicion.looked(strangers, now)
            if (who := child.suspicion.sure(now)) is not None:
                self._tell(slot, child, Held(**strangers[who]))
            elif strangers:
                self._loop.call_later(LASTS, self._look_again, slot, child)
            else:
                child.proved = seen

        self._inquiries.ask(question, told)

    def _look_again(self, slot: Slot, child: Child) -> None:
        if slot.child is child:
            with contextlib.suppress(OSError):  # no descriptor or memory to look with: there is another look
                self.look((slot,))


def _inodes(slots: Collection[Slot]) -> set[int]:
    return {inode for slot in slots if slot.sockets is not None for inode in slot.sockets.inodes()}
