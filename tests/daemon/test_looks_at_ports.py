"""When a process that has begun to listen counts as listening, and whether it had its port when it ended."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.core.handoff import Place
from supervisor.daemon.handoff import leftovers
from supervisor.daemon.handoff.leftovers import ENDS_WITHIN, LOOKS_FOR, Leftovers
from supervisor.daemon.handoff.looks import at_once

HERE = Place(2, "127.0.0.1")


class Timer:
    """One that rings when the test says so."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self.ring = callback

    def cancel(self) -> None:
        def ring() -> None:
            raise AssertionError("it was cancelled")

        self.ring = ring


class Process:
    """One that listens on its port; it has closed that again once `listens` is false."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, is_given: bool = False) -> None:
        monkeypatch.setattr(leftovers, "is_at_work", lambda _: False)
        self.listens, self.counts = True, 0
        self.timers: dict[float, Timer] = {}
        self.inode = 5
        seat = SimpleNamespace(trees=lambda: {"web"}, claims=[self._claim(is_given)])
        sockets: Any = SimpleNamespace(seats=lambda: {HERE: seat}, places=lambda _: {HERE: True})
        hearing: Any = SimpleNamespace(members=lambda: ())
        self.seat = seat
        self.looks = Leftovers(self, sockets, "web", hearing, at_once, self._counts)

    def _claim(self, is_given: bool) -> SimpleNamespace:
        process = 0 if is_given else 7
        return SimpleNamespace(
            who="web", inode=self.inode, process=process, listens=True, is_there=lambda: self.listens
        )

    def _counts(self) -> None:
        self.counts += 1

    def listen_again(self) -> None:
        self.listens, self.inode = True, self.inode + 1
        self.seat.claims = [self._claim(is_given=False)]
        assert not self.looks.look()

    def add_reader(self, *_: object) -> None:
        raise AssertionError("nothing is read")

    def remove_reader(self, *_: object) -> None:
        raise AssertionError("nothing is read")

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        timer = self.timers[delay] = Timer(callback)
        return timer


def test_what_has_its_socket_from_the_start_counts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    given = Process(monkeypatch, is_given=True)
    assert given.looks.look()
    assert (given.looks.has_begun, given.timers) == (True, {})


def test_what_goes_on_and_listens_still_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Process(monkeypatch)
    assert not made.looks.look()
    assert made.looks.has_begun
    made.timers[LOOKS_FOR].ring()
    assert (made.counts, made.looks.look(), made.looks.has_begun) == (1, True, True)


def test_what_closes_its_socket_and_goes_on_has_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Process(monkeypatch)
    made.looks.look()
    made.listens = False
    made.timers[LOOKS_FOR].ring()
    assert (made.counts, made.looks.has_begun) == (0, True), "it may be about to end"
    made.timers[ENDS_WITHIN].ring()
    assert (made.counts, made.looks.has_begun) == (0, False)


def test_what_closes_its_socket_and_ends_had_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Process(monkeypatch)
    made.looks.look()
    made.listens = False
    made.timers[LOOKS_FOR].ring()
    made.looks.close()
    assert made.looks.has_begun
    with pytest.raises(AssertionError):
        made.timers[ENDS_WITHIN].ring()


def test_what_looks_twice_and_then_listens_for_good_has_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Process(monkeypatch)
    made.looks.look()
    for _ in range(2):
        made.listens = False
        made.timers[LOOKS_FOR].ring()
        first = made.timers[ENDS_WITHIN]
        made.listen_again()
    first.ring()
    assert made.looks.has_begun
    made.timers[LOOKS_FOR].ring()
    assert (made.counts, made.looks.has_begun) == (1, True)
