"""What goes wrong with one follower, waiter or process is nobody else's trouble."""

import _thread
import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest

from supervisor.core.faults import OfPortsup, is_of_portsup
from supervisor.core.reasons import AfterRestarts, EndedWithCode
from supervisor.core.service import Service
from supervisor.daemon.changes import Changes
from supervisor.daemon.handoff.contained import BEGINS_WITHIN, ContainedLoop
from supervisor.daemon.stack.waits import Waits
from supervisor.daemon.tasks import begin
from supervisor.system import threads
from supervisor.system.threads import done_in_thread
from tests.support.fake_world import FakeLoop

WEB = Service("web")


def fail(*_: object) -> Any:
    raise KeyError("x")


def test_a_follower_that_fails_keeps_nothing_from_those_behind_it() -> None:
    ended, noted, told = list[str](), list[str](), list[str]()
    changes = Changes(lambda svc, error: ended.append(f"{svc.name}: {error!r}"))
    changes.follow(fail, lambda svc, error: noted.append(f"{svc.name}: {error!r}"))
    changes.follow(fail)
    changes.follow(lambda before, after: told.append(after.name))
    changes.tell(WEB, WEB)
    assert (noted, ended, told) == (["web: KeyError('x')"], ["web: KeyError('x')"], ["web"])


def test_who_cannot_find_out_whether_a_wait_is_over_hears_why_and_the_others_go_on() -> None:
    async def wait() -> list[object]:
        waits, is_over = Waits(asyncio.get_running_loop()), False
        tasks = [asyncio.ensure_future(waits.until(check)) for check in (fail, lambda: is_over)]
        await asyncio.sleep(0)
        waits.look()
        is_over = True
        waits.look()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    failed, done = asyncio.run(wait())
    assert (repr(failed), done) == ("KeyError('x')", None)


def test_what_is_read_for_a_process_is_read_no_more_once_that_went_wrong() -> None:
    """Or it would come again at once, for as long as there is something to read."""

    async def read() -> tuple[list[str], list[int]]:
        faults, calls = list[str](), list[int]()
        loop = asyncio.get_running_loop()
        contained = ContainedLoop(loop, lambda error: faults.append(repr(error)))
        reading, writing = os.pipe()
        os.write(writing, b"x")

        def callback() -> None:
            calls.append(1)
            fail()

        contained.add_reader(reading, callback)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not loop.remove_reader(reading)
        os.close(reading)
        os.close(writing)
        return faults, calls

    assert asyncio.run(read()) == (["KeyError('x')"], [1])


@pytest.mark.parametrize("is_look", [True, False], ids=["look", "then"])
def test_a_look_aside_that_goes_wrong_is_told(is_look: bool) -> None:
    async def look() -> str:
        faults: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        contained = ContainedLoop(asyncio.get_running_loop(), lambda error: faults.set_result(repr(error)))
        contained.aside(fail if is_look else lambda: 7, fail)
        return await faults

    assert asyncio.run(look()) == "KeyError('x')"


def test_a_timer_and_a_task_that_go_wrong_are_told() -> None:
    async def run() -> list[str]:
        faults = list[str]()
        loop = asyncio.get_running_loop()
        ContainedLoop(loop, lambda error: faults.append(repr(error))).call_later(0, fail)

        async def work() -> None:
            fail()

        task = begin(work(), loop, lambda error: faults.append(repr(error)))
        await asyncio.wait([task])
        while len(faults) < 2:
            await asyncio.sleep(0)
        return faults

    assert asyncio.run(run()) == ["KeyError('x')"] * 2


def test_a_reason_that_comes_from_a_mistake_is_known_as_one() -> None:
    ours = OfPortsup("KeyError: 'x'", "calls.py:7 Handoff._bind")
    assert [is_of_portsup(each) for each in (ours, AfterRestarts(ours, 3), EndedWithCode(1), "x")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_a_look_whose_thread_never_begins_is_made_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """For want of memory it is gone before it has said a word."""
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: 7)
    loop, seen = FakeLoop(), list[int]()
    ContainedLoop(loop.itself, print).aside(lambda: 7, seen.append)
    assert seen == []
    loop.advance(BEGINS_WITHIN)
    assert seen == [7]


@pytest.mark.parametrize("error", [OSError(12, "no memory"), MemoryError()])
def test_a_look_aside_that_finds_no_room_is_made_here(error: Exception) -> None:
    async def look() -> int:
        seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        contained, tries = ContainedLoop(asyncio.get_running_loop(), seen.set_exception), [error]

        def find() -> int:
            if tries:
                raise tries.pop()
            return 7

        contained.aside(find, seen.set_result)
        return await seen

    assert asyncio.run(look()) == 7


def test_work_in_a_thread_is_waited_for_and_not_done_where_none_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    assert done_in_thread(lambda: done.append(_thread.get_ident()))
    assert done[0] != _thread.get_ident()
    monkeypatch.setattr(threads, "BEGINS_WITHIN", 0.01)
    monkeypatch.setattr(_thread, "start_new_thread", lambda work, _: late.append(work))
    late: list[Callable[[], None]] = []
    assert not done_in_thread(lambda: done.append(0))
    late[0]()
    assert len(done) == 1, "it was given up, and must not be done behind the back of whoever has"
