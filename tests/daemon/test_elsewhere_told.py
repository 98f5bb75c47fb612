"""When it is told that a service listens on another port than its own."""

import os
import subprocess
from collections.abc import Callable, Collection

import pytest

from supervisor import system
from supervisor.daemon.handoff.elsewhere import DRIFT_AFTER, STARTS_FOR, Elsewhere
from supervisor.daemon.handoff.hearing import Hearing
from supervisor.daemon.handoff.looks import at_once
from tests.support.eventually import eventually

pytestmark = [pytest.mark.live, pytest.mark.skipif(not system.SWAPS_UNDER_COVERS, reason="Linux only")]


class Rings:
    """A loop whose timers ring when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], object]] = []

    def add_reader(self, *_: object) -> None:
        raise AssertionError("nothing is read")

    def remove_reader(self, *_: object) -> None:
        raise AssertionError("nothing is read")

    def call_later(self, delay: float, callback: Callable[[], object]) -> "Rings":
        assert delay == DRIFT_AFTER
        self.waiting.append(callback)
        return self

    def cancel(self) -> None:
        self.waiting.clear()

    def ring(self) -> None:
        callback = self.waiting.pop()
        callback()


def heard(members: Callable[[], Collection[int]]) -> tuple[Rings, Elsewhere, list[object]]:
    def unheard(_: object = None) -> None:
        raise AssertionError("nobody was to be told")

    loop, told = Rings(), list[object]()
    hearing = Hearing(members, unheard, unheard, unheard, unheard, unheard, unheard, on_elsewhere=told.append)
    elsewhere = Elsewhere(loop, hearing, at_once)
    elsewhere.add(9229)
    return loop, elsewhere, told


def test_what_is_at_work_has_some_seconds_more_to_listen_on_its_own_port() -> None:
    loop, _, told = heard(lambda: (os.getpid(),))  # which runs, as it looks
    for _ in range(int(STARTS_FOR / DRIFT_AFTER) - 1):
        loop.ring()
        assert told == []
    loop.ring()
    assert (told, loop.waiting) == ([[9229]], [])


def test_what_waits_for_clients_elsewhere_is_told_of_at_once() -> None:
    with subprocess.Popen(["sleep", "1000"]) as sleeper:
        try:
            eventually(lambda: os.readlink(f"/proc/{sleeper.pid}/exe").endswith("sleep") or None)
            loop, _, told = heard(lambda: (sleeper.pid,))

            def told_of() -> bool:
                if loop.waiting:
                    loop.ring()
                return told == [[9229]]

            eventually(told_of)
        finally:
            sleeper.kill()


def test_nobody_is_told_once_it_listens_on_its_own_port_or_nobody_can_look() -> None:
    loop, elsewhere, told = heard(lambda: (os.getpid(),))
    loop.ring()
    elsewhere.close()
    assert (loop.waiting, told) == ([], [])

    def no_descriptor() -> Collection[int]:
        raise OSError

    loop, _, told = heard(no_descriptor)
    loop.ring()
    assert told == [[9229]]
