"""Who else listens on the port of a service that runs: told of once it is no matter of a moment."""

import os
from types import SimpleNamespace
from typing import Any, cast

import pytest

from supervisor.core.reasons import Held
from supervisor.core.service import Service
from supervisor.core.state import State
from supervisor.core.suspicion import COMES_AGAIN, LASTS
from supervisor.daemon.checks.intruders import Intruders
from supervisor.daemon.service.slot import Child, Slot
from supervisor.dataclass import replace
from tests.daemon.kernel import Inquiries, Kernel
from tests.support.fake_world import FakeLoop
from tests.support.scene import CHAIN, Scene

WEB = Service("other", (8000, 8001), state=State.RUNNING, port=8000, pid=7)
ROUND = 10.0  # seconds between two looks


class Watched:
    """A service that runs as process 7, with the child 8, and whose own sockets have the inodes `ours`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kernel, self.loop, self.inquiries = Kernel(monkeypatch), FakeLoop(), Inquiries()
        self.told: list[int] = []
        self.slot: Slot = Scene(CHAIN).slots["other"]
        self.keeper = self.slot.keeper = cast(Any, SimpleNamespace(service=WEB))
        self.child = self.slot.child = Child(7, None, 0.0, {}, {})  # type: ignore[arg-type]
        self.ours: set[int] = set()
        self.slot.shared.sockets = SimpleNamespace(inodes=lambda: self.ours)  # type: ignore[assignment]
        members: Any = SimpleNamespace(of=lambda slot, child: {7, 8})
        nowhere: Any = None
        self.intruders = Intruders(self.loop.itself, self.inquiries, members, nowhere, self._tell)  # type: ignore[arg-type]

    def _tell(self, _slot: Slot, _child: Child, who: Held) -> None:
        self.told.append(who.pid)

    def look(self, seconds: float = 0.0) -> None:
        """One look, after so many seconds."""
        self.loop.advance(seconds)
        self.intruders.look((self.slot,))


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def test_a_stranger_is_told_of_once_it_is_still_there_after_a_while(watched: Watched) -> None:
    watched.kernel.listen(8000, pid=99, inode=5)
    watched.look()
    assert watched.told == []
    watched.loop.advance(LASTS)
    assert watched.told == [5]


def test_a_socket_that_nobody_has_for_a_moment_is_no_intruder(watched: Watched) -> None:
    """The process that had it exits, or one that was just forked has it still."""
    for moment in range(3):
        watched.kernel.listen(8000, pid=0, inode=5 + moment)
        watched.look(ROUND)
        watched.kernel.listeners.clear()
        watched.loop.advance(LASTS)
    assert (watched.told, watched.loop.timers) == ([], [])


def test_a_socket_of_a_process_that_is_of_the_service_a_moment_later_is_no_intruder(watched: Watched) -> None:
    watched.kernel.listen(8000, pid=99, inode=5)
    watched.look()
    watched.kernel.listeners.clear()
    watched.kernel.listen(8000, pid=8, inode=5)
    watched.loop.advance(LASTS)
    watched.look(ROUND)
    assert watched.told == []


def test_a_socket_that_portsup_has_itself_is_no_intruder(watched: Watched) -> None:
    watched.kernel.listen(8000, pid=os.getpid(), inode=5)
    for _ in range(3):
        watched.look(ROUND)
    assert watched.told == []
    watched.kernel.listen(8000, pid=99, inode=6)
    watched.look(ROUND)
    watched.loop.advance(LASTS)
    assert watched.told == [6]


def test_a_socket_that_is_kept_for_the_service_is_not_even_looked_for(watched: Watched) -> None:
    watched.ours = {5}
    watched.kernel.listen(8000, pid=99, inode=5)
    watched.look()
    watched.loop.advance(LASTS)
    assert (watched.told, watched.kernel.searches) == ([], 0)


def test_strangers_who_come_and_go_are_told_of_as_well(watched: Watched) -> None:
    watched.kernel.listen(8000, pid=99, inode=5)
    watched.look()
    for number in range(round(COMES_AGAIN / LASTS)):
        assert watched.told == []
        watched.kernel.listeners.clear()
        watched.kernel.listen(8000, pid=99, inode=6 + number)
        watched.loop.advance(LASTS)
    assert watched.told == [6 + number]


def test_who_was_suspected_is_nothing_to_the_next_process(watched: Watched) -> None:
    watched.kernel.listen(8000, pid=99, inode=5)
    watched.look()
    watched.slot.child = Child(9, None, 0.0, {}, {})  # type: ignore[arg-type]
    watched.loop.advance(LASTS)
    assert watched.told == []
    watched.look(ROUND)
    assert watched.told == []


def test_a_service_that_leaves_its_port_meanwhile_leaves_no_other(watched: Watched) -> None:
    watched.inquiries.is_slow = True
    watched.kernel.listen(8000, pid=99, inode=5)
    watched.look()
    watched.inquiries.work()
    watched.loop.advance(LASTS)
    watched.keeper.service = replace(WEB, state=State.TERMINATING)
    watched.inquiries.work()
    assert watched.told == []
