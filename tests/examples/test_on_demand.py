"""Engines that come when they are needed and leave when nobody needs them, with an engine that costs nothing."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from examples.child import Child
from examples.on_demand import OnDemand, idle_stop
from examples.service import SettingError
from examples.web import ServiceError
from tests.examples.running import ROOT
from tests.support.eventually import eventually

pytestmark = pytest.mark.live
# An engine that has started a process of its own, whose number it prints.
ENGINE = """
import subprocess, sys, threading
from examples.child import live_like_the_parent
live_like_the_parent()
own = subprocess.Popen(["sleep", "1000"])
print(own.pid, flush=True)
threading.Event().wait()
"""


class Small(Child):
    """An engine and what it has started."""

    def __init__(self) -> None:
        super().__init__("engine_of_the_tests", {}, says=True)
        self.own = int(self.first_line())


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "engine_of_the_tests.py").write_text(ENGINE)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")


def is_there(pid: int) -> bool:
    """Whether a process runs; a zombie, which nobody has collected yet, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def made() -> Iterator[list[Small]]:
    every: list[Small] = []
    yield every
    for engine in every:
        engine.close()


def story(made: list[Small], idle: float, tell: Callable[[OnDemand[Small]], Awaitable[None]]) -> None:
    def make() -> Small:
        made.append(Small())
        return made[-1]

    async def whole() -> None:
        engines = OnDemand("the engine", make, idle)
        try:
            await tell(engines)
        finally:
            await engines.close()

    asyncio.run(whole())


def leaves(engines: OnDemand[Small]) -> bool:
    return engines.leaves_at is not None


async def gone(engines: OnDemand[Small]) -> None:
    async with asyncio.timeout(20):
        while engines.is_running:
            await asyncio.sleep(0.005)


def test_it_comes_for_the_first_and_leaves_after_the_last_with_all_that_it_started(made: list[Small]) -> None:
    async def tell(engines: OnDemand[Small]) -> None:
        assert not engines.is_running
        first, second = await asyncio.gather(engines.take(), engines.take())
        assert first is second
        engines.give_back()
        assert not leaves(engines)
        engines.give_back()
        assert leaves(engines)
        await gone(engines)

    story(made, 0.05, tell)
    (engine,) = made
    assert not is_there(engine.pid)
    eventually(lambda: not is_there(engine.own), within=10, what="the end of what it had started")


def test_it_stays_as_long_as_somebody_uses_it_and_for_ever_where_that_is_wanted(made: list[Small]) -> None:
    async def tell(engines: OnDemand[Small]) -> None:
        await engines.take()
        await engines.take()
        engines.give_back()
        assert not leaves(engines)
        engines.give_back()

    story(made, 0.001, tell)

    async def stays(engines: OnDemand[Small]) -> None:
        await engines.take()
        engines.give_back()
        assert not leaves(engines)
        assert engines.is_running

    story(made, 0, stays)


def test_who_comes_while_it_leaves_gets_the_next(made: list[Small]) -> None:
    async def tell(engines: OnDemand[Small]) -> None:
        for _ in range(5):
            engine = await engines.take()
            engines.give_back()
            engines._expire()  # the instant in which nobody has needed it for long enough
            other = await engines.take()
            assert other is not engine
            assert other.ended is None
            engines.give_back()

    story(made, 1000, tell)
    assert len(made) == 6  # the next round's first is the one of before
    eventually(lambda: not any(map(is_there, [each.own for each in made])), within=10)


def test_one_that_dies_is_an_error_to_its_user_and_another_to_the_next(made: list[Small]) -> None:
    async def tell(engines: OnDemand[Small]) -> None:
        engine = await engines.take()
        assert await engines.died(engine) is None
        os.kill(engine.pid, signal.SIGKILL)
        told = await engines.died(engine)
        assert isinstance(told, ServiceError)
        assert (told.code, told.status) == ("engine_died", 503)
        assert "ended with -9" in told.message
        other = await engines.take()
        assert other.pid != engine.pid
        engines.give_back()
        engines.give_back()

    story(made, 1000, tell)
    eventually(lambda: not is_there(made[0].own), within=10, what="the end of what the dead one had started")


def test_what_cannot_be_started_is_told_to_everybody_and_tried_again(made: list[Small]) -> None:
    def refuse() -> Small:
        tried.append(1)
        raise ServiceError("no_backend", "it is only for this test")

    async def whole() -> None:
        engines = OnDemand("the engine", refuse, 10)
        for _ in range(2):
            said = await asyncio.gather(engines.take(), engines.take(), return_exceptions=True)
            assert [isinstance(each, ServiceError) for each in said] == [True, True]
        await engines.close()

    tried: list[int] = []
    asyncio.run(whole())
    assert len(tried) == 2


def test_one_that_nobody_waits_for_any_more_rests_as_soon_as_it_is_there(made: list[Small]) -> None:
    go_on = threading.Event()

    def make() -> Small:
        go_on.wait(20)
        made.append(Small())
        return made[-1]

    async def whole() -> None:
        engines = OnDemand("the engine", make, 0.01)
        asking = asyncio.create_task(engines.take())
        await asyncio.sleep(0)
        assert engines.is_starting
        asking.cancel()
        await asyncio.wait({asking})
        go_on.set()
        async with asyncio.timeout(20):
            while not made or is_there(made[0].pid):
                await asyncio.sleep(0.01)
        await engines.close()

    asyncio.run(whole())


def test_it_ends_with_a_parent_that_is_killed(made: list[Small]) -> None:
    code = (
        "import threading\nfrom examples.child import Child\n"
        "child = Child('engine_of_the_tests', {}, says=True)\n"
        "print(child.pid, child.first_line(), flush=True)\nthreading.Event().wait()"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert all(map(is_there, pids))
        parent.kill()
    eventually(lambda: not any(map(is_there, pids)), within=20, what="an end of the engine and its own process")


@pytest.mark.parametrize(("text", "seconds"), [("", 900), ("0", 0), ("1.5", 1.5)])
def test_the_setting_is_in_seconds(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float) -> None:
    monkeypatch.setenv("ENGINE_IDLE_STOP", text)
    assert idle_stop() == seconds


@pytest.mark.parametrize("text", ["15m", "-1", "nan"])
def test_a_setting_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ENGINE_IDLE_STOP", text)
    with pytest.raises(SettingError, match="ENGINE_IDLE_STOP"):
        idle_stop()
