"""Questions that are not waited for any longer."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from supervisor.config.spec import Probe, ProbeKind
from supervisor.daemon.checks.probes import Asker, ask
from supervisor.daemon.processes import errands
from supervisor.process import tree

SLOW = Probe(ProbeKind.EXEC, command=("slow",))


class Reaper:
    """Of one child, which is there or was reaped already."""

    def __init__(self, is_there: bool) -> None:
        self._is_there = is_there

    def watch(self, pid: int, on_exit: Callable[[int], None]) -> None: ...

    def others(self, pid: int) -> set[int]:
        return set()

    def is_watched(self, pid: int) -> bool:
        return self._is_there


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The main processes whose trees were killed, and none of them was ours to kill."""
    mains: list[int] = []

    def kill(its: tree.Tree) -> set[int]:
        mains.append(its.main)
        return set()

    monkeypatch.setattr(tree, "kill", kill)
    monkeypatch.setattr(errands, "spawn", lambda _: 7)
    return mains


async def cancelled(is_there: bool) -> bool:
    """Whether a question that is cancelled ends."""
    reaper: Any = Reaper(is_there)
    asker = Asker(None, "/", {}, errands.Errands(asyncio.get_running_loop(), reaper, "", lambda: "1"))
    task = asyncio.ensure_future(ask(SLOW, asker, 60.0))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))
    return task.cancelled()


def test_the_command_of_a_question_ends_with_it_and_the_question_whatever_becomes_of_that(killed: list[int]) -> None:
    assert asyncio.run(cancelled(True))
    assert killed == [7]


def test_a_command_that_has_ended_is_not_killed_in_the_person_of_a_stranger(killed: list[int]) -> None:
    assert asyncio.run(cancelled(False))
    assert killed == []
