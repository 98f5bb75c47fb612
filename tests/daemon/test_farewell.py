"""When what waits at several workers moves, which the kernel may move from one to another that ends as well."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from supervisor.core.farewell import patience_from
from supervisor.daemon.handoff.farewell import LOOK_AGAIN, SHUT_FOR, _Farewell


class Loop:
    """What is to be done next is done when it is asked for."""

    def __init__(self) -> None:
        self.now = 0.0
        self.next: list[Callable[[], None]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, act: Callable[..., None], *arguments: object) -> None:
        self.next.append(lambda: act(*arguments))

    def turn(self, seconds: float = LOOK_AGAIN) -> None:
        self.now += seconds
        due, self.next = self.next, []
        for act in due:
            act()


class Sockets:
    """Those of the service, and who connects to them."""

    def __init__(self) -> None:
        self.past: list[object] = []

    def newcomers(self) -> "Sockets":
        return self

    def get_past(self, who: object, inodes: object) -> None:
        self.past.append(who)

    def get_anywhere(self, who: object) -> None:
        self.past.clear()


class Held:
    """Two of them, which the workers have open."""

    def __init__(self) -> None:
        self.open, self.held = 2, [1, 2]

    def are_open(self) -> bool:
        return bool(self.open)

    def release(self) -> None:
        self.held = []


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def sockets() -> Sockets:
    return Sockets()


@pytest.fixture
def doors(loop: Loop, sockets: Sockets) -> Held:
    """Of workers that have been asked to end just now."""
    held, child = Held(), SimpleNamespace(invocation="old")
    farewell = _Farewell(cast(Any, loop), cast(Any, None), cast(Any, child), lambda: None, patience_from(0.0, None))
    farewell._move_on(cast(Any, sockets), cast(Any, held), SHUT_FOR, is_last=False)
    return held


def test_what_waits_moves_once_all_workers_have_closed_and_nobody_connects_there(
    loop: Loop, sockets: Sockets, doors: Held
) -> None:
    loop.turn()
    doors.open = 1
    loop.turn()
    assert (doors.held, sockets.past) == ([1, 2], [])
    doors.open = 0
    loop.turn()
    assert (doors.held, sockets.past) == ([1, 2], ["old"])
    loop.turn()
    assert (doors.held, sockets.past, loop.next) == ([], [], [])


def test_it_waits_no_longer_than_a_moment_for_one_that_does_not_close(loop: Loop, doors: Held) -> None:
    loop.turn(SHUT_FOR)
    loop.turn()
    assert (doors.held, loop.next) == ([], [])


def test_nothing_is_looked_at_once_they_are_released_by_another(loop: Loop, sockets: Sockets, doors: Held) -> None:
    doors.release()
    loop.turn()
    assert (sockets.past, loop.next) == ([], [])
