"""Services that are restarted after what they depend on."""

from typing import Any

from supervisor.core import events as ev
from supervisor.core.order import Condition, to_restart
from supervisor.core.state import State
from supervisor.words.reasons import text_of
from tests.support.scene import READY, Scene, ended

GRAPH = {"db": (), "api": ("db",), "web": ("db", "api"), "other": ()}


def following(*needs: str) -> dict[str, Any]:
    return {"restarts_with": frozenset(needs)}


def crash(scene: Scene, name: str) -> None:
    """Its process is killed, and the next one is ready."""
    scene.tell(name, ended(1))
    if scene.slots[name].service.state is State.BACKOFF:
        scene.loop.advance(0.5)
    scene.tell(name, ev.BecameReady)


def restart(scene: Scene, name: str) -> None:
    """It is restarted by hand, and is ready again."""
    scene.slots[name].keeper.tell(ev.RestartRequested())
    again(scene, name)


def again(scene: Scene, name: str) -> None:
    """It was asked to end, ends, and is ready again."""
    assert scene.slots[name].service.state is State.TERMINATING
    scene.tell(name, ended(0))
    scene.tell(name, ev.BecameReady)


def test_each_is_restarted_after_all_that_it_needs() -> None:
    changed = {"api": ["db"], "web": ["db"]}
    assert to_restart(GRAPH, changed, []) == ("api",), "`web` waits for `api`"
    assert to_restart(GRAPH, {"web": ["api"]}, []) == ("web",)
    assert to_restart(GRAPH, changed, ["db"]) == ()
    assert to_restart(GRAPH, changed, ["other", "api"]) == ("api",)
    assert to_restart(GRAPH, {"web": []}, []) == ()


def test_a_restart_goes_on_to_who_asked_for_it_once_and_in_order() -> None:
    scene = Scene(
        {"db": {}, "api": {"db": READY}, "web": {"db": READY, "api": READY}, "calm": {"db": READY}},
        api=following("db"),
        web=following("db", "api"),
    )
    scene.run()
    restart(scene, "db")
    assert scene.having(State.RUNNING) == {"db", "web", "calm"}
    assert text_of(scene.slots["api"].service.reason) == "`db` was restarted"
    again(scene, "api")
    assert scene.having(State.RUNNING) == {"db", "api", "calm"}
    assert text_of(scene.slots["web"].service.reason) == "`api` and `db` were restarted"
    again(scene, "web")
    assert scene.having(State.RUNNING) == {"db", "api", "web", "calm"}
    spawned = [done for done in scene.world.since() if done.startswith("spawn")]
    assert len(spawned) == 4 + 3


def test_a_crash_and_a_rotation_count_and_a_crash_that_goes_on_does_not_yet() -> None:
    scene = Scene({"db": {}, "api": {"db": READY}}, api=following("db"))
    scene.slots["db"].keeper.configure(policy=scene.slots["db"].service.policy.__class__())
    scene.run()
    scene.tell("db", ended(1))
    scene.loop.advance(0.5)
    scene.tell("db", ended(1))
    assert scene.having(State.RUNNING) == {"api"}, "as long as the other one does not come up"
    scene.loop.advance(1.0)
    scene.tell("db", ev.BecameReady)
    again(scene, "api")
    scene.slots["db"].keeper.tell(ev.RotateRequested())
    again(scene, "db")
    again(scene, "api")
    assert scene.having(State.RUNNING) == {"db", "api"}


def test_one_that_is_stopped_stays_so_and_a_start_is_no_restart() -> None:
    scene = Scene({"db": {}, "api": {"db": Condition.STARTED}, "web": {"db": READY}},
                  api=following("db"), web=following("db"))  # fmt: skip
    scene.start()
    scene.tell("api", ev.BecameReady)
    scene.tell("db", ev.BecameReady)
    scene.tell("web", ev.BecameReady)
    assert scene.having(State.RUNNING) == {"db", "api", "web"}, "the same process as when it was started"
    scene.stack.stop(["api"], None)
    scene.tell("api", ended(0))
    restart(scene, "db")
    assert scene.states() == {"db": "running", "api": "stopped", "web": "terminating"}


def test_one_whose_dependency_was_stopped_is_restarted_when_that_one_is_back() -> None:
    scene = Scene({"db": {}, "api": {"db": READY}}, api=following("db"))
    scene.run()
    scene.stack.stop(["db"], None)
    scene.tell("db", ended(0))
    assert scene.states() == {"db": "stopped", "api": "running"}
    scene.start("db")
    assert scene.states() == {"db": "starting", "api": "running"}
    scene.tell("db", ev.BecameReady)
    again(scene, "api")
    assert scene.having(State.RUNNING) == {"db", "api"}


def test_a_job_that_is_done_once_more_restarts_who_asked_for_it() -> None:
    scene = Scene({"job": {}, "api": {"job": Condition.COMPLETED_OK}}, api=following("job"))
    scene.start()
    scene.tell("job", ended(0))
    scene.tell("api", ev.BecameReady)
    scene.start("job")
    assert scene.states() == {"job": "starting", "api": "running"}
    scene.tell("job", ended(0))
    assert scene.states() == {"job": "exited", "api": "terminating"}
