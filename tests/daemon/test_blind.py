"""Where no descriptor is left to look at processes with, nobody is taken for gone."""

import asyncio
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.daemon.processes import errands
from supervisor.daemon.service.hooks import Hooks, Run
from supervisor.process import tree
from supervisor.process.spawn import Command


class Later:
    """A loop that notes what is to be called later."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], object]] = []

    def call_later(self, _: float, call: Callable[..., object], *arguments: object) -> None:
        self.calls.append(lambda: call(*arguments))


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The first look is in vain, and all others find nobody; gives the main processes of those that were killed."""
    killed: list[int] = []
    sight = [False]
    monkeypatch.setattr(tree, "can_look", lambda: not sight or sight.pop())
    monkeypatch.setattr(tree, "members", lambda _: set())

    def kill(its: tree.Tree) -> set[int]:
        killed.append(its.main)
        return set()

    monkeypatch.setattr(tree, "kill", kill)
    return killed


def test_what_a_command_has_left_is_looked_for_again(looks: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[Callable[[int], None]] = []
    reaper: Any = SimpleNamespace(others=lambda *_: (), watch=lambda _, on_exit: ends.append(on_exit))
    later = Later()
    monkeypatch.setattr(errands, "spawn", lambda _: 7)

    async def run() -> int:
        loop: Any = SimpleNamespace(create_future=asyncio.get_running_loop().create_future, call_later=later.call_later)
        task = asyncio.ensure_future(
            errands.Errands(loop, reaper, "run", lambda: "1").run(Command(("true",), {}, os.sep, 1, 1))
        )
        await asyncio.sleep(0)
        ends[0](0)
        return await task

    assert asyncio.run(run()) == 0
    for call in later.calls:
        call()
    assert looks == [7, 0]


def test_a_hook_is_not_over_before_it_was_looked_for_what_it_has_left(looks: list[int]) -> None:
    finished: list[str] = []
    later: Any = Later()
    keeper = SimpleNamespace(contain=lambda act, *given: act(*given))
    slot: Any = SimpleNamespace(of="web", spec=SimpleNamespace(name="web"), keeper=keeper)
    output: Any = SimpleNamespace(finish=lambda: finished.append("output"))
    nobody: Any = SimpleNamespace(others=lambda *_: ())
    hooks = Hooks(later, nobody, "run", nobody, nobody, nobody)
    run = Run(slot, nobody, 1, output, pid=7, is_wanted=False)
    hooks._runs.append(run)
    hooks._exited(run, 0)
    assert finished == []
    (again,) = later.calls
    again()
    assert finished == ["output"]
    assert looks == []
