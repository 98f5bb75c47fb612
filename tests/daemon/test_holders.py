"""What is remembered of who has a port, and when it is looked for again."""

import errno
from collections.abc import Callable
from typing import Any

import pytest

from supervisor.core.reasons import Held
from supervisor.daemon.checks import holders as module
from supervisor.daemon.checks.holders import OF_A_MOMENT, REMEMBERED, Holders
from supervisor.ports.holders import ConflictKind, Holder
from tests.support.fake_world import FakeLoop

IN_USE = errno.EADDRINUSE
NODE = Holder(ConflictKind.FOREIGN, Held("listening", "node", 7, "ada"), 7, "node", "ada")
FLYING = Holder(ConflictKind.FOREIGN, Held("unseen", user="eve"), user="eve")
CLOSING = Holder(ConflictKind.OWNERLESS, Held("closing"))


class Scene:
    """Holders that ask a worker whose answers a test gives."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loop = FakeLoop()
        self.found: dict[int, Holder] = {}
        self.searches: list[list[int]] = []
        self.known: list[dict[int, Holder]] = []
        self.alive = {7}
        self.answer: Callable[[Any], None] | None = None
        self.question: Callable[[], Any] | None = None
        monkeypatch.setattr(module, "holders_of", self._search)
        monkeypatch.setattr(module, "_is_there", lambda pid: pid in self.alive)
        monkeypatch.setattr(module, "at_once", lambda port, runtime, number: None if number else NODE)
        self.holders = Holders(
            self.loop.time, self.loop.call_soon, self, None, lambda told: self.known.append(dict(told))  # type: ignore[arg-type]
        )  # fmt: skip

    def ask(self, question: Callable[[], Any], answer: Callable[[Any], None], within: float, nice: int) -> None:
        assert self.question is None, "one search at a time"
        self.question, self.answer = question, answer

    def _search(self, ports: tuple[int, ...], *_: object) -> dict[int, Holder]:
        self.searches.append(sorted(ports))
        return {port: self.found[port] for port in ports}

    def work(self, *, fails: bool = False) -> None:
        """The search that was asked for, if any."""
        self.loop.advance()
        question, answer, self.question = self.question, self.answer, None
        if question is not None and answer is not None:
            answer(None if fails else question())


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_all_ports_of_a_turn_are_found_in_one_search(scene: Scene) -> None:
    scene.found = dict.fromkeys(range(8000, 8040), FLYING)
    for port in scene.found:
        assert scene.holders.who(port, IN_USE).is_sought
    scene.work()
    assert scene.searches == [list(scene.found)]
    assert scene.known == [scene.found]
    assert all(scene.holders.who(port, IN_USE) == FLYING for port in scene.found)


def test_a_port_is_looked_for_once_a_minute_at_most(scene: Scene) -> None:
    scene.found = {8000: FLYING}
    for _ in range(30):  # five minutes, a look every ten seconds
        scene.holders.who(8000, IN_USE)
        scene.work()
        scene.loop.advance(10.0)
    assert len(scene.searches) == 5


def test_what_was_found_is_told_while_it_is_looked_for_again(scene: Scene) -> None:
    scene.found = {8000: FLYING}
    scene.holders.who(8000, IN_USE)
    scene.work()
    scene.loop.advance(REMEMBERED)
    again = scene.holders.who(8000, IN_USE)
    assert (again.text, again.is_sought) == (FLYING.text, True)


def test_a_process_that_has_ended_is_not_taken_for_the_holder_for_long(scene: Scene) -> None:
    scene.found = {8000: NODE}
    scene.holders.who(8000, IN_USE)
    scene.work()
    scene.loop.advance(OF_A_MOMENT)
    assert not scene.holders.who(8000, IN_USE).is_sought
    scene.alive.clear()
    scene.found = {8000: FLYING}
    assert scene.holders.who(8000, IN_USE).is_sought
    scene.work()
    assert scene.holders.who(8000, IN_USE) == FLYING


def test_what_passes_is_not_remembered_for_long(scene: Scene) -> None:
    scene.found = {8000: CLOSING}
    scene.holders.who(8000, IN_USE)
    scene.work()
    assert scene.holders.who(8000, IN_USE) == CLOSING
    scene.loop.advance(OF_A_MOMENT)
    assert scene.holders.who(8000, IN_USE).is_sought


def test_what_needs_no_search_is_known_at_once(scene: Scene) -> None:
    assert scene.holders.who(8000, 0) == NODE
    scene.work()
    assert scene.searches == []


def test_another_reason_is_another_question(scene: Scene) -> None:
    assert scene.holders.who(8000, 0) == NODE
    assert scene.holders.who(8000, IN_USE).is_sought


def test_who_waits_is_told_when_all_ports_that_matter_are_known_found_or_not(scene: Scene) -> None:
    scene.found = {8000: NODE, 8001: FLYING}
    told: list[str] = []
    scene.holders.who(8000, IN_USE)
    scene.holders.when_known((8000, 8009), lambda: told.append("first"))
    scene.loop.advance()
    scene.holders.who(8001, IN_USE)  # while that search is under way
    scene.holders.when_known((8000, 8001), lambda: told.append("both"))
    scene.work(fails=True)
    assert told == ["first"]
    assert scene.holders.who(8000, IN_USE).text == "in use, but portsup could not look for its owner"
    scene.work()
    assert told == ["first", "both"]
    scene.holders.when_known((8000, 8001), lambda: told.append("nothing to wait for"))
    scene.loop.advance()
    assert told[-1] == "nothing to wait for"
