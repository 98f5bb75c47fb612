"""The shell around one service: events one at a time, answers before anything else, one timer."""

import pytest

from supervisor.core import events as ev
from supervisor.core.reasons import NoRoom
from supervisor.core.restart import RestartPolicy
from supervisor.core.service import Service, Timeouts
from supervisor.core.state import Hook, Result, State
from supervisor.daemon.service.keeper import Keeper
from supervisor.dataclass import replace
from tests.support.fake_world import FakeLoop, FakeWorld

WEB = Service(
    "web", (8000, 8001), RestartPolicy(delay=0.5, max_restarts=3), Timeouts(ready=30.0, grace=10.0, kill=5.0),
    rotate_after=2,
)  # fmt: skip


@pytest.fixture
def loop() -> FakeLoop:
    return FakeLoop()


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
def web(loop: FakeLoop, world: FakeWorld) -> Keeper:
    keeper = world.keeper(WEB, loop)

    def open_the_gate(before: Service, after: Service) -> None:
        if after.state is State.WAITING and before.state is not State.WAITING:
            loop.call_soon(keeper.tell, ev.DependenciesMet())

    world.on_change = open_the_gate
    return keeper


def state(keeper: Keeper) -> State:
    return keeper.service.state


def start(web: Keeper, loop: FakeLoop, world: FakeWorld) -> int:
    """A service that runs; its pid."""
    web.tell(ev.StartRequested())
    loop.advance()
    pid = web.service.pid
    assert pid is not None
    web.tell(ev.BecameReady(pid))
    world.since()
    return pid


def test_a_start_leases_waits_and_spawns(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    web.tell(ev.StartRequested())
    assert (state(web), world.since()) == (State.WAITING, ["lease web"])
    loop.advance()
    assert (state(web), world.since()) == (State.STARTING, ["spawn web on 8000"])
    assert web.service.pid == 7, "the answer to the spawn is there before any other event"


def test_its_only_timer_is_the_deadline_of_the_service(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    web.tell(ev.StartRequested())
    loop.advance()
    assert loop.timers == [30.0]
    web.tell(ev.BecameReady(7))
    assert loop.timers == []
    web.tell(ev.StopRequested())
    assert loop.timers == [10.0]
    loop.advance(10.0)
    assert (world.since()[-2:], loop.timers) == (["terminate 7", "kill 7"], [5.0])
    web.tell(ev.Exited(7, signal=9))
    assert (state(web), loop.timers) == (State.STOPPED, [])


def test_a_deadline_that_moved_rings_at_its_new_time_only(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    start(web, loop, world)
    web.tell(ev.StopRequested())
    loop.advance(4.0)
    web.tell(ev.StopRequested(1.0))
    assert loop.timers == [1.0]
    loop.advance(1.0)
    assert world.since() == ["terminate 7", "kill 7"]


def test_what_happens_while_a_port_is_looked_for_waits_for_the_answer(
    web: Keeper, loop: FakeLoop, world: FakeWorld
) -> None:
    world.is_slow = True
    web.tell(ev.StartRequested())
    web.tell(ev.StopRequested())
    assert state(web) is State.ACQUIRING
    world.answer()
    assert state(web) is State.STOPPED
    loop.advance(60)
    assert "spawn web on 8000" not in world.done, "a start that was taken back never spawns"


def test_an_event_told_from_within_an_effect_comes_after_the_answer_to_it(
    web: Keeper, loop: FakeLoop, world: FakeWorld
) -> None:
    """A process can end before its spawn has been dealt with."""
    seen: list[tuple[State, int | None]] = []
    open_the_gate = world.on_change

    def on_change(before: Service, after: Service) -> None:
        open_the_gate(before, after)
        if after.state is State.STARTING and after.pid is None:
            web.tell(ev.Exited(7, code=1))
        seen.append((after.state, after.pid))

    world.on_change = on_change
    web.tell(ev.StartRequested())
    loop.advance()
    assert seen[-3:] == [(State.STARTING, None), (State.STARTING, 7), (State.BACKOFF, None)]


def test_a_conflict_quarantines_the_port_and_starts_on_the_next(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    pid = start(web, loop, world)
    web.tell(ev.Intruded(pid, "held by `node`"))
    web.tell(ev.Exited(pid, signal=15))
    loop.advance()
    assert world.since() == [
        "terminate 7", "quarantine 8000: held by `node`", "lease web", "spawn web on 8001",
    ]  # fmt: skip


def test_without_any_port_it_fails_with_every_reason(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    world.ports["web"] = []
    web.tell(ev.StartRequested())
    assert (state(web), web.service.result) == (State.FAILED, Result.NO_PORT)
    assert web.service.failed_ports == ((8000, "taken"), (8001, "taken"))


def test_a_spawn_that_failed_for_want_of_memory_is_tried_again(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    world.spawns = [ev.SpawnFailed("cannot allocate memory", is_transient=True)]
    web.tell(ev.StartRequested())
    loop.advance()
    assert (state(web), loop.timers) == (State.BACKOFF, [0.5])
    loop.advance(0.5)
    assert (state(web), web.service.pid) == (State.STARTING, 7)


def test_a_spawn_that_cannot_work_is_not(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    world.spawns = [ev.SpawnFailed("no such program")]
    web.tell(ev.StartRequested())
    loop.advance(600)
    assert (web.service.result, world.since().count("spawn web on 8000")) == (Result.SPAWN_FAILED, 1)


def test_news_of_a_process_that_is_gone_changes_nothing(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    start(web, loop, world)
    world.changes.clear()
    for event in (ev.Exited(6, code=0), ev.BecameReady(6), ev.Intruded(6, "x"), ev.CheckFailed(6, "x")):
        web.tell(event)
    assert (world.changes, world.since()) == ([], [])


def test_the_world_hears_of_a_change_before_what_follows_from_it(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    start(web, loop, world)
    world.on_change = lambda before, after: world.done.append(f"{before.state} to {after.state}")
    web.tell(ev.StopRequested())
    assert world.since() == ["running to terminating", "terminate 7"]


def test_a_closed_keeper_has_no_timer(web: Keeper, loop: FakeLoop, world: FakeWorld) -> None:
    web.tell(ev.StartRequested())
    loop.advance()
    web.close()
    loop.advance(3600)
    assert state(web) is State.STARTING


def test_a_hook_is_run_and_its_deadline_is_kept_by_the_one_timer() -> None:
    loop, world = FakeLoop(), FakeWorld()
    web = world.keeper(replace(WEB, hooks={Hook.PRE_START: 2.0}), loop)
    web.tell(ev.StartRequested())
    web.tell(ev.DependenciesMet())
    assert world.since()[-1] == "run pre_start 1"
    assert loop.timers == [2.0]
    loop.advance(2.0)
    assert (state(web), world.since()) == (State.BACKOFF, ["end hook 1"])
    web.close()
    assert loop.timers == []


def test_nobody_hears_that_a_service_is_idle_whose_clients_cannot_wait(loop: FakeLoop, world: FakeWorld) -> None:
    docs = world.keeper(replace(WEB, name="docs", on_connect=True), loop)
    world.await_failure = ev.AwaitFailed("there is no handoff")
    docs.tell(ev.AwaitRequested())
    assert world.changes == [(State.STOPPED, State.ACQUIRING), (State.ACQUIRING, State.FAILED)]
    assert (docs.service.result, docs.service.reason) == (Result.SPAWN_FAILED, "there is no handoff")
    world.await_failure = None
    docs.tell(ev.AwaitRequested())
    assert world.changes[2:] == [(State.FAILED, State.ACQUIRING), (State.ACQUIRING, State.IDLE)]


def test_clients_are_refused_before_the_next_ones_are_waited_for(loop: FakeLoop, world: FakeWorld) -> None:
    docs = world.keeper(replace(WEB, on_connect=True), loop)
    docs.tell(ev.AwaitRequested())
    docs.tell(ev.Called())
    docs.tell(ev.RoomLacking(NoRoom("memory", 2, 1, ("b",))))
    world.since()
    loop.advance(docs.service.timeouts.clients)
    assert (state(docs), world.since()) == (State.IDLE, ["refuse clients of web", "await clients of web"])
