"""How the ports of many services are taken: in turns, and without waiting for anybody."""

from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from supervisor.core import events as ev
from supervisor.core.reasons import Held
from supervisor.core.service import Service
from supervisor.daemon.service import leasing as module
from supervisor.daemon.service.leasing import IN_ONE_TURN, LOOKER_WAIT, OWNERLESS_WAIT, SEARCH_WAIT, Leasing
from supervisor.errors import PortsupError
from supervisor.ports.holders import ConflictKind, Holder
from supervisor.ports.leases import ChosenPort, NoPort
from tests.support.fake_world import FakeLoop
from tests.support.scene import CHAIN, Scene

SOUGHT = Holder(ConflictKind.FOREIGN, Held("sought"), is_sought=True)
NODE = Holder(ConflictKind.FOREIGN, Held("listening", "node", 7, "ada"), 7)
NO_RECORD = Holder(ConflictKind.OTHER_INSTANCE, Held("unrecorded"))


class Lease:
    """Of a pool; `gives` are the outcomes of each attempt, the last of them again and again."""

    def __init__(self, loop: FakeLoop, gives: list[Any], takes: float = 0.0) -> None:
        self._loop, self._gives, self._takes = loop, gives, takes
        self.attempts = 0
        self.is_new = False  # nothing of it is locked yet

    def choose(self, avoid: object, now: float, leaving: object) -> Any:
        self.attempts += 1
        self._loop._now += self._takes
        given = self._gives.pop(0) if len(self._gives) > 1 else self._gives[0]
        if isinstance(given, Exception):
            raise given
        return given

    def orphans(self) -> tuple[str, ...]:
        return ()

    def missing(self) -> tuple[int, ...]:
        return (8000,) if self.is_new else ()

    def begin(self) -> list[Any]:
        self.is_new = False
        self._loop._now += self._takes
        return [self]


class Leased:
    """The leasing of a scene, and what it answered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loop, self.slots = FakeLoop(), Scene(CHAIN).slots
        self.answers: list[Any] = []
        self.skipped: list[Any] = []
        monkeypatch.setattr(module, "Holders", lambda *_: self)
        instance: Any = SimpleNamespace(loop=self.loop.itself, runtime=None, journal=None)
        nobody: Any = None
        self.leasing = Leasing(instance, self.slots, cast(Any, self), nobody, strict=False)
        self._then: list[Any] = []

    def when_known(self, ports: object, then: Any) -> None:
        self._then.append(then)

    def is_known(self) -> None:
        then, self._then = self._then, []
        for each in then:
            each()

    def who(self, port: int, errno: int) -> Holder:
        return SOUGHT

    def lease(self, name: str, *gives: Any, takes: float = 0.0, is_new: bool = False) -> Lease:
        slot = self.slots[name]
        slot.pool = (8000, 8001)
        lease = Lease(self.loop, list(gives), takes)
        lease.is_new = is_new
        slot.shared.lease = lease  # type: ignore[assignment]
        self.leasing.lease(Service(name), ev.LeasePort(), lambda answer: self.answers.append((name, answer)))
        return lease


@pytest.fixture
def leased(monkeypatch: pytest.MonkeyPatch) -> Leased:
    made = Leased(monkeypatch)
    monkeypatch.setattr(made, "skipped", lambda *facts: None)
    return made


def test_a_port_that_can_be_had_is_answered_at_once(leased: Leased) -> None:
    leased.lease("db", ChosenPort(8000))
    assert leased.answers == [("db", ev.PortLeased(8000))]


def test_many_services_are_served_over_several_turns_in_their_order(leased: Leased) -> None:
    names = list(leased.slots)[:3]
    for name in names:
        leased.lease(name, ChosenPort(8000), takes=2 * IN_ONE_TURN)
    assert leased.answers == [(names[0], ev.PortLeased(8000))]
    leased.loop.advance(1.0)
    assert [name for name, _ in leased.answers] == names


def test_ports_of_many_services_are_held_together_before_the_first_is_answered(
    leased: Leased, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, asked = list(leased.slots)[:3], []
    monkeypatch.setattr(module, "drop_joined", lambda doubtful: asked.append((len(doubtful), len(leased.answers))))
    for name in names:
        leased.lease(name, ChosenPort(8000), is_new=True)
    assert (leased.answers, asked) == ([], [])
    leased.loop.advance(0.0)
    assert [name for name, _ in leased.answers] == names
    assert asked == [(3, 0)]


def test_but_no_more_of_them_in_a_turn_than_it_has_time_for(leased: Leased, monkeypatch: pytest.MonkeyPatch) -> None:
    names, asked = list(leased.slots)[:3], []
    monkeypatch.setattr(module, "drop_joined", lambda doubtful: asked.append((len(doubtful), len(leased.answers))))
    for name in names:
        leased.lease(name, ChosenPort(8000), takes=IN_ONE_TURN / 4, is_new=True)
    leased.loop.advance(0.0)
    assert (leased.answers, asked) == ([], [])
    leased.loop.advance(1.0)
    assert [name for name, _ in leased.answers] == names
    assert asked == [(3, 0)]


def test_nothing_is_held_for_a_service_that_is_gone_meanwhile(leased: Leased, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "drop_joined", lambda doubtful: None)
    lease = leased.lease("db", ChosenPort(8000), is_new=True)
    del leased.slots["db"]
    leased.loop.advance(0.0)
    assert (leased.answers, lease.is_new) == ([], True)


def test_a_start_waits_for_the_name_of_who_is_in_the_way(leased: Leased) -> None:
    lease = leased.lease("db", ChosenPort(8001, ((8000, SOUGHT),)), ChosenPort(8001, ((8000, NODE),)))
    assert (leased.answers, lease.attempts) == ([], 1)
    leased.is_known()
    assert (leased.answers, lease.attempts) == ([("db", ev.PortLeased(8001))], 2)
    leased.loop.advance(SEARCH_WAIT)
    assert len(leased.answers) == 1


def test_but_not_for_ever(leased: Leased) -> None:
    leased.lease("db", NoPort(((8000, "in use"),), (SOUGHT,)))
    leased.loop.advance(SEARCH_WAIT)
    assert leased.answers == [("db", ev.NoPort(((8000, "in use"),)))]


def test_one_that_may_only_look_at_a_lock_is_given_a_moment(leased: Leased) -> None:
    lease = leased.lease("db", NoPort((), (NO_RECORD,)), ChosenPort(8000))
    leased.loop.advance(LOOKER_WAIT / 2)
    assert (leased.answers, lease.attempts) == ([("db", ev.PortLeased(8000))], 2)


CLOSING = Holder(ConflictKind.OWNERLESS, Held("ending", "api", 7, "ada"), 7)


def test_a_start_waits_for_a_better_port_whose_owner_exits(leased: Leased) -> None:
    """As after a portsup that was killed: its last sockets are closed a moment after its locks."""
    second = ChosenPort(8001, ((8000, CLOSING),))
    lease = leased.lease("db", second, second, ChosenPort(8000))
    assert leased.answers == []
    leased.loop.advance(OWNERLESS_WAIT / 2)
    assert (leased.answers, lease.attempts) == ([("db", ev.PortLeased(8000))], 3)


def test_but_once_only_where_nobody_closes_it(leased: Leased) -> None:
    leased.lease("db", ChosenPort(8001, ((8000, CLOSING),)))
    leased.loop.advance(OWNERLESS_WAIT + 0.1)
    assert leased.answers == [("db", ev.PortLeased(8001))]
    leased.lease("db", ChosenPort(8001, ((8000, CLOSING),)))
    assert leased.answers == [("db", ev.PortLeased(8001))] * 2


def test_what_is_no_fault_of_a_port_is_kept_for_the_last_words(leased: Leased) -> None:
    error = PortsupError("cannot lease port 8000", "too many open files")
    leased.lease("db", error)
    assert leased.slots["db"].obstacle is error
    assert isinstance(leased.answers[0][1], ev.NoPort)


def test_a_port_that_nobody_has_is_taken_back_once_its_last_sockets_are_gone(leased: Leased) -> None:
    """Those of a process that has just ended may be closed a moment later."""
    slot = leased.slots["db"]
    told: list[Holder | None] = []
    closing = Holder(ConflictKind.OWNERLESS, Held("unseen"))

    class Active:
        active = 8000
        gives: ClassVar[list[Holder | None]] = [closing, closing, None]

        def take_back(self) -> Holder | None:
            return self.gives.pop(0)

    slot.shared.lease = Active()  # type: ignore[assignment]
    slot.is_wanted = True
    leased.leasing.take_back(slot, told.append)
    assert told == []
    leased.loop.advance(OWNERLESS_WAIT)
    assert told == [None]
    Active.gives = [closing] * 100
    leased.leasing.take_back(slot, told.append)
    leased.loop.advance(2 * OWNERLESS_WAIT)
    assert told == [None, closing]


def test_nothing_is_leased_for_a_service_that_is_gone(leased: Leased) -> None:
    lease = leased.lease("db", NoPort((), (NO_RECORD,)))
    leased.leasing.close()
    leased.loop.advance(1.0)
    assert (lease.attempts, leased.answers) == (1, [])
