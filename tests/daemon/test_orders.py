"""What hundreds of services are asked for at once is spread over turns of the loop."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from supervisor.core import events as ev
from supervisor.core.order import Condition
from supervisor.core.state import State
from supervisor.daemon.processes.reaper import Reaper
from tests.support.scene import CHAIN, Scene, ended

NO_NEED: dict[str, dict[str, Condition]] = {"a": {}, "b": {}, "c": {}}


def have_no_time(scene: Scene) -> None:
    """From now on each turn of the loop is over as soon as it begins."""
    cast(Any, scene.loop).stalls = SimpleNamespace(begun=float("-inf"), begins=lambda *_: None)


def test_nothing_is_spawned_before_the_last_one_was_told_to_start() -> None:
    scene = Scene(NO_NEED)
    have_no_time(scene)
    scene.stack.start(["a", "b", "c"])
    assert scene.having(State.STOPPED) == {"a", "b", "c"}
    scene.loop.advance()
    assert scene.having(State.STARTING) == {"a", "b", "c"}
    done = [what.split()[0] for what in scene.world.done]
    assert [what for what in done if what != "wait"] == ["lease"] * 3 + ["spawn"] * 3


def test_a_start_takes_back_a_stop_that_nobody_was_told_of_yet() -> None:
    scene = Scene(NO_NEED)
    scene.run()
    have_no_time(scene)
    scene.stack.stop(["a", "b", "c"], None)
    assert scene.having(State.RUNNING) == {"a", "b", "c"}
    scene.stack.start(["b"])
    scene.loop.advance()
    assert (scene.having(State.RUNNING), scene.having(State.TERMINATING)) == ({"b"}, {"a", "c"})


def test_a_start_of_a_dependant_takes_back_no_restart() -> None:
    scene = Scene(CHAIN)
    scene.run("db")
    have_no_time(scene)
    before = scene.slots["db"].service.pid
    scene.stack.restart(["db"])
    scene.stack.start(["api"])
    scene.loop.advance()
    scene.tell("db", lambda pid: ev.Exited(pid, code=0))
    assert scene.slots["db"].service.pid not in (before, None)


def test_nobody_is_told_of_a_start_when_everything_is_to_be_killed() -> None:
    scene = Scene(NO_NEED)
    have_no_time(scene)
    scene.stack.start(["a", "b", "c"])
    scene.stack.kill_all()
    scene.loop.advance()
    assert scene.having(State.STOPPED) == {"a", "b", "c"}


def test_nobody_is_told_of_a_start_once_everything_stops() -> None:
    scene = Scene(NO_NEED)
    have_no_time(scene)
    scene.stack.start(["a", "b", "c"])
    scene.stack.stop_all()
    scene.loop.advance()
    assert scene.having(State.STOPPED) == {"a", "b", "c"}
    assert not [what for what in scene.world.done if what.startswith(("lease", "spawn"))]


def test_a_wish_that_was_made_before_a_stop_and_is_carried_out_after_it_starts_nothing() -> None:
    """As of a client whose `restart` waits for its turn of the loop while a lock is lost."""
    scene = Scene(CHAIN)
    scene.run()
    scene.world.since()
    scene.stack.stop_all(0.4, in_order=False)
    scene.stack.restart(["other", "db"])
    scene.stack.start(["web"])
    scene.stack.orders.give({"api": ev.StartRequested()})  # its schedule, say
    for name in CHAIN:
        scene.tell(name, ended(0))
    scene.loop.advance(3600)
    assert scene.stack.is_at_rest()
    assert not [done for done in scene.world.since() if done.startswith("spawn")]


def test_a_wait_is_not_over_while_somebody_is_still_to_be_told() -> None:
    scene = Scene(NO_NEED)
    scene.run()
    have_no_time(scene)
    scene.stack.stop(["a", "b"], None)
    own = asyncio.new_event_loop()
    cast(Any, scene.loop).create_future = own.create_future
    waiting = scene.stack.until(lambda: True)
    awaited = waiting.send(None)
    assert not awaited.done()
    scene.loop.advance()
    assert awaited.done()
    waiting.close()
    own.close()


def test_a_hundred_signals_in_one_turn_are_one_look_for_processes_that_ended() -> None:
    soon: list[Any] = []
    loop = SimpleNamespace(add_signal_handler=lambda *_: None, call_soon=soon.append)
    reaper = Reaper(cast(Any, loop))
    for _ in range(100):
        reaper.reap()
    assert len(soon) == 1
