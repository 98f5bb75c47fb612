"""A keeper whose world raises what nobody expected: the service hears of it, and stays in the table of states."""

from typing import Any

import pytest

from supervisor.core import events as ev
from supervisor.core import service
from supervisor.core.faults import is_of_portsup
from supervisor.core.restart import RestartPolicy
from supervisor.core.sd_notify import Notification
from supervisor.core.service import Service, Timeouts
from supervisor.core.state import Hook, Result, State
from supervisor.daemon.service import keeper
from supervisor.daemon.service.keeper import TRY_AGAIN, Keeper
from supervisor.dataclass import replace
from tests.support.fake_world import FakeLoop, FakeWorld

WEB = Service("web", (8000, 8001), RestartPolicy(delay=0.5, max_restarts=3), Timeouts(ready=30.0, grace=10.0, kill=5.0))


@pytest.fixture
def loop() -> FakeLoop:
    return FakeLoop()


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
def web(loop: FakeLoop, world: FakeWorld) -> Keeper:
    made = world.keeper(WEB, loop)

    def open_the_gate(before: Service, after: Service) -> None:
        if after.state is State.WAITING and before.state is not State.WAITING:
            loop.call_soon(made.tell, ev.DependenciesMet())

    world.on_change = open_the_gate
    return made


def state(web: Keeper) -> State:
    return web.service.state


def start(web: Keeper, loop: FakeLoop, world: FakeWorld) -> int:
    """A service that runs; its pid."""
    web.tell(ev.StartRequested())
    loop.advance()
    pid = web.service.pid
    assert pid is not None
    web.tell(ev.BecameReady(pid))
    world.since()
    return pid


def breaks(error: Exception, *times: int) -> Any:
    """Something that raises this, the first few `times` or each time."""
    left = list(times)

    def fail(*_: Any) -> Any:
        if not times or (left and left.pop()):
            raise error

    return fail


def test_a_process_that_cannot_be_asked_to_end_is_asked_again(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    pid = start(web, loop, world)
    world.terminate = breaks(OSError(12, "no memory"))  # type: ignore[method-assign]
    web.tell(ev.StopRequested())
    del world.terminate
    assert (state(web), loop.timers) == (State.TERMINATING, [TRY_AGAIN, 10.0])
    world.since()
    loop.advance(TRY_AGAIN)
    assert world.since() == [f"terminate {pid}"]
    web.tell(ev.Exited(pid, code=0))
    assert state(web) is State.STOPPED
    loop.advance(600)
    assert world.since() == []


@pytest.mark.parametrize("what", ["terminate", "abort"])
def test_a_process_whose_end_meets_a_mistake_is_killed(
    web: Keeper, loop: FakeLoop, world: FakeWorld, what: str
) -> None:
    pid = start(web, loop, world)
    setattr(world, what, breaks(KeyError("x")))
    web.tell(ev.StopRequested() if what == "terminate" else ev.Notified(pid, Notification(is_hung=True)))
    assert (state(web), world.since()) == (State.KILLING, ["note KeyError('x')", f"kill {pid}"])
    web.tell(ev.Exited(pid, signal=9))
    assert state(web) is (State.STOPPED if what == "terminate" else State.BACKOFF)


def test_a_kill_is_tried_until_it_works(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    pid = start(web, loop, world)
    world.kill = breaks(KeyError("x"))  # type: ignore[method-assign]
    web.tell(ev.KillRequested())
    loop.advance(TRY_AGAIN)
    del world.kill
    loop.advance(TRY_AGAIN)
    assert world.since() == ["note KeyError('x')", "note KeyError('x')", f"kill {pid}"]


def test_a_start_that_meets_a_mistake_is_a_failed_start_of_that_service(
    web: Keeper, loop: FakeLoop, world: FakeWorld
) -> None:
    world.spawn = breaks(KeyError("x"))  # type: ignore[method-assign]
    web.tell(ev.StartRequested())
    loop.advance()
    assert (state(web), web.service.result) == (State.BACKOFF, Result.INTERNAL_ERROR)
    assert is_of_portsup(web.service.reason)
    loop.advance(600)
    assert (state(web), is_of_portsup(web.service.reason)) == (State.FAILED, True)
    del world.spawn
    web.tell(ev.StartRequested())
    loop.advance()
    assert state(web) is State.STARTING


def test_a_search_for_a_port_that_meets_a_mistake_is_answered(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    world.lease = breaks(KeyError("x"))  # type: ignore[method-assign]
    web.tell(ev.StartRequested())
    assert (state(web), web.service.result) == (State.FAILED, Result.INTERNAL_ERROR)
    del world.lease
    web.tell(ev.StartRequested())
    assert state(web) is State.WAITING


def test_a_mistake_while_a_second_process_starts_costs_only_that_one(
    web: Keeper, loop: FakeLoop, world: FakeWorld
) -> None:
    pid = start(web, loop, world)
    world.spawn_beside = breaks(KeyError("x"))  # type: ignore[method-assign]
    web.tell(ev.RollRequested())
    assert (state(web), web.service.pid, web.service.beside) == (State.RUNNING, pid, None)
    assert is_of_portsup(web.service.roll_trouble)


def test_a_hook_that_meets_a_mistake_is_one_that_failed(loop: FakeLoop, world: FakeWorld) -> None:
    web = world.keeper(replace(WEB, hooks={Hook.PRE_START: 2.0}), loop)
    world.run_hook = breaks(KeyError("x"))  # type: ignore[method-assign]
    web.tell(ev.StartRequested())
    web.tell(ev.DependenciesMet())
    assert (state(web), web.service.result) == (State.BACKOFF, Result.HOOK_FAILED)


def test_what_nobody_waits_for_may_go_wrong(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    pid = start(web, loop, world)
    world.quarantine = breaks(KeyError("x"))  # type: ignore[method-assign]
    web.tell(ev.Intruded(pid, "held by `node`"))
    web.tell(ev.Exited(pid, signal=15))
    loop.advance()
    assert (state(web), web.service.port) == (State.STARTING, 8001)


def test_a_rule_that_meets_a_mistake_ends_the_process_and_the_policy_follows(
    web: Keeper, loop: FakeLoop, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = start(web, loop, world)

    def step(svc: Service, event: ev.Event, now: float) -> Any:
        if isinstance(event, ev.CheckFailed):
            raise AssertionError("not in the table")
        return service.step(svc, event, now)

    monkeypatch.setattr(keeper, "step", step)
    web.tell(ev.CheckFailed(pid, "503"))
    assert (state(web), world.since()[-1]) == (State.KILLING, f"kill {pid}")
    web.tell(ev.Exited(pid, signal=9))
    assert (state(web), web.service.result) == (State.BACKOFF, Result.INTERNAL_ERROR)


def test_everything_ends_where_not_even_a_mistake_can_be_dealt_with(
    web: Keeper, loop: FakeLoop, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(web, loop, world)
    monkeypatch.setattr(keeper, "step", breaks(AssertionError("not in the table")))
    with pytest.raises(AssertionError):
        web.tell(ev.StopRequested())


def test_what_is_done_for_a_process_that_is_gone_may_go_wrong(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    pid = start(web, loop, world)
    web.contain(breaks(KeyError("x")), 1, pid=pid - 1)
    assert (state(web), world.since()) == (State.RUNNING, ["note KeyError('x')"])
    web.contain(breaks(KeyError("x")), 1, pid=pid)
    assert state(web) is State.KILLING
