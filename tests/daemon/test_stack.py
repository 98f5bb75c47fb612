"""The rules between services: who may start, who is restarted when another moved, in which order they stop."""

import pytest

from supervisor.config.spec import OnPortChange
from supervisor.core import events as ev
from supervisor.core.order import Condition
from supervisor.core.state import Result, State
from supervisor.daemon.service.slot import Slot
from supervisor.dataclass import replace
from supervisor.errors import PortsupError
from supervisor.words.reasons import text_of
from tests.support.scene import CHAIN, READY, Scene, ended


def test_services_start_level_by_level_once_what_they_need_is_ready() -> None:
    scene = Scene(CHAIN)
    scene.start()
    assert scene.having(State.STARTING) == {"db", "other"}
    assert scene.having(State.WAITING) == {"api", "web"}, "with their ports leased"
    scene.tell("db", ev.BecameReady)
    assert scene.having(State.STARTING) == {"api", "other"}
    scene.tell("api", ev.BecameReady)
    assert scene.having(State.STARTING) == {"web", "other"}


def test_nothing_is_spawned_before_every_service_knows_its_port() -> None:
    scene = Scene(CHAIN)
    scene.world.is_slow = True
    scene.start()
    for _ in range(3):
        scene.world.answer()
        scene.loop.advance()
        assert not [done for done in scene.world.done if done.startswith("spawn")]
    scene.world.answer()
    scene.loop.advance()
    assert scene.having(State.STARTING) == {"db", "other"}


def test_only_what_is_wanted_and_what_it_needs_starts() -> None:
    scene = Scene(CHAIN)
    assert scene.stack.start(["api"]) == {"api", "db"}
    scene.run("api")
    assert scene.states() == {"db": "running", "api": "running", "web": "stopped", "other": "stopped"}


def test_each_condition_opens_its_gate() -> None:
    scene = Scene({
        "db": {}, "started": {"db": Condition.STARTED}, "listening": {"db": Condition.LISTENING},
        "ready": {"db": READY}, "completed": {"db": Condition.COMPLETED},
    })  # fmt: skip
    scene.start()
    assert scene.having(State.STARTING) == {"db", "started"}
    scene.tell("db", ev.BeganListening)
    assert scene.having(State.STARTING) == {"db", "started", "listening"}
    scene.tell("db", ev.BecameReady)
    assert scene.having(State.WAITING) == {"completed"}
    scene.tell("db", ended(0))
    assert scene.having(State.WAITING) == set()


def test_a_failed_dependency_fails_its_dependants_and_theirs_and_a_late_success_lets_them_start() -> None:
    scene = Scene(CHAIN)
    scene.start()
    scene.tell("db", ended(1))
    assert scene.having(State.FAILED) == {"db", "api", "web"}
    assert scene.slots["web"].service.result is Result.DEPENDENCY
    assert text_of(scene.slots["api"].service.reason) == "it depends on `db`, which failed"
    scene.run("db")
    assert scene.having(State.RUNNING) == {"db", "api", "web", "other"}


def test_a_stop_goes_from_dependants_to_what_they_need_and_side_by_side_where_it_can() -> None:
    scene = Scene(CHAIN)
    scene.run()
    scene.stack.stop_all()
    assert scene.having(State.TERMINATING) == {"web", "other"}
    scene.tell("web", ended(0))
    assert scene.having(State.TERMINATING) == {"api", "other"}
    scene.tell("api", ended(0))
    assert scene.having(State.TERMINATING) == {"db", "other"}
    scene.tell("db", ended(0))
    scene.tell("other", ended(0))
    assert scene.stack.is_at_rest()


def test_a_stop_out_of_order_asks_everybody_at_once_with_one_grace() -> None:
    scene = Scene(CHAIN)
    scene.run()
    scene.stack.stop_all(0.4, in_order=False)
    assert scene.having(State.TERMINATING) == {"db", "api", "web", "other"}
    scene.loop.advance(0.4)
    assert scene.having(State.KILLING) == {"db", "api", "web", "other"}


def test_a_shorter_grace_that_is_asked_for_later_counts_for_those_that_end_already() -> None:
    scene = Scene(CHAIN)
    scene.run()
    scene.stack.stop_all()
    scene.stack.stop_all(0.1)
    scene.loop.advance(0.1)
    assert scene.having(State.KILLING) == {"web", "other"}


def test_kill_all_ends_everything_at_once() -> None:
    scene = Scene(CHAIN)
    scene.run()
    scene.stack.kill_all()
    assert scene.having(State.KILLING) == {"db", "api", "web", "other"}
    scene.stack.restart(["db"])  # a client that has waited for its turn
    scene.tell("db", ended(-9))
    assert scene.having(State.STOPPED) == {"db"}


def test_nothing_starts_any_more_once_a_stop_has_begun() -> None:
    scene = Scene(CHAIN)
    scene.start()
    scene.world.since()
    scene.stack.stop_all()
    scene.tell("db", ev.BecameReady)
    for name in ("db", "other"):
        scene.tell(name, ended(0))
    scene.loop.advance(3600)
    assert scene.stack.is_at_rest()
    assert not [done for done in scene.world.since() if done.startswith("spawn")]


def test_a_stop_while_ports_are_looked_for_ends_at_rest() -> None:
    scene = Scene(CHAIN)
    scene.world.is_slow = True
    scene.start()
    scene.stack.stop_all()
    for _ in range(4):
        scene.world.answer()
    scene.loop.advance()
    assert scene.stack.is_at_rest()
    assert not [done for done in scene.world.done if done.startswith("spawn")]


def test_whom_a_stop_waits_for_is_told_after_a_second_and_then_every_five() -> None:
    scene = Scene(CHAIN)
    scene.run()
    scene.listener.told.clear()
    scene.stack.stop_all()
    scene.loop.advance(0.9)
    assert scene.listener.told == []
    scene.loop.advance(0.2)
    assert scene.listener.told == ["waiting for db, api, web, other"]
    scene.tell("web", ended(0))
    scene.loop.advance(5.0)
    assert scene.listener.told[1:] == ["waiting for db, api, other"]


def move(scene: Scene, name: str) -> None:
    """A service is rotated, and ready on its next port."""
    keeper = scene.slots[name].keeper
    keeper.tell(ev.RotateRequested())
    scene.tell(name, ended(0))
    scene.tell(name, ev.BecameReady)


def test_dependants_are_restarted_signalled_or_left_alone_when_what_they_need_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene(
        {"db": {}, "restarts": {"db": READY}, "signalled": {"db": READY}, "ignores": {"db": READY}, "other": {}},
        signalled={"on_port_change": OnPortChange("signal", 10)},
        ignores={"on_port_change": OnPortChange("ignore")},
    )
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(Slot, "send_signal", lambda slot, number: sent.append((slot.spec.name, number)))
    scene.run()
    move(scene, "db")
    assert scene.having(State.TERMINATING) == {"restarts"}
    assert text_of(scene.slots["restarts"].service.reason) == "`db` moved to another port"
    assert sent == [("signalled", 10)]
    scene.tell("restarts", ended(0))
    scene.tell("restarts", ev.BecameReady)
    assert scene.having(State.RUNNING) == {"db", "restarts", "signalled", "ignores", "other"}
    assert sent == [("signalled", 10)], "told once for each move"


def test_a_restart_on_the_same_port_concerns_nobody_else() -> None:
    scene = Scene(CHAIN)
    scene.run()
    scene.slots["db"].keeper.tell(ev.RestartRequested())
    scene.tell("db", ended(0))
    scene.tell("db", ev.BecameReady)
    assert scene.having(State.RUNNING) == {"db", "api", "web", "other"}


def test_the_endpoints_are_written_once_for_all_first_ports_and_again_for_each_move() -> None:
    scene = Scene(CHAIN)
    scene.run()
    assert scene.listener.told == ["ports"]
    move(scene, "db")
    assert scene.listener.told == ["ports", "ports"]


def test_the_endpoints_are_written_again_for_a_service_that_was_without_its_port() -> None:
    """In between they say that it is on the first port of its pool, if they are written for another one."""
    scene = Scene(CHAIN)
    scene.run()
    scene.stack.stop(["other"], None)
    scene.tell("other", ended(0))
    scene.listener.told.clear()
    scene.run("other")
    assert scene.listener.told == ["ports"]
    assert scene.slots["other"].rotations == 0


def test_what_a_reload_has_removed_is_missed_by_nobody() -> None:
    scene = Scene({**CHAIN, "new": {}})
    scene.run("web")
    scene.run("other")
    scene.stack.stop(["api"], None)
    scene.tell("api", ended(0))
    del scene.slots["api"]
    scene.run("new")
    assert scene.states() == {"db": "running", "web": "running", "other": "running", "new": "running"}
    scene.stack.check_stays("start", ["web"])
    assert not scene.stack.has_nothing_left()
    assert scene.stack.start(["web"]) == {"web"}


def test_who_waits_for_what_a_reload_has_removed_waits_for_its_new_configuration() -> None:
    scene = Scene({**CHAIN, "new": {}})
    scene.start("api")
    del scene.slots["db"]
    scene.run("new")
    assert scene.having(State.WAITING) == {"api"}
    api = scene.slots["api"]
    api.spec = replace(api.spec, depends_on={"new": READY})
    scene.stack.await_dependencies(api.service.name)
    scene.loop.advance()
    assert scene.having(State.STARTING) == {"api"}


def test_nothing_can_be_started_that_nobody_would_stop_any_more() -> None:
    scene = Scene(CHAIN)
    scene.run()
    scene.stack.stop_all()
    with pytest.raises(PortsupError, match="cannot restart anything: the instance is stopping"):
        scene.stack.check_stays("restart", ["web"])


def test_a_service_without_any_port_is_told_of() -> None:
    scene = Scene(CHAIN)
    scene.world.ports["api"] = []
    scene.start()
    assert "no port for api" in scene.listener.told


def test_a_start_while_a_service_is_ending_takes_place_when_it_has_ended() -> None:
    scene = Scene(CHAIN)
    scene.run()
    scene.stack.stop(["other"], None)
    scene.start("other")
    assert scene.having(State.TERMINATING) == {"other"}
    scene.tell("other", ended(0))
    assert scene.having(State.STARTING) == {"other"}


def test_what_the_system_refuses_a_service_is_tried_again_and_ends_nothing() -> None:
    scene = Scene({"web": {}})
    scene.run()
    slot = scene.slots["web"]
    scene.world.ports["web"] = []
    scene.tell("web", lambda _: ev.RotateRequested())
    scene.tell("web", ended(0))
    assert scene.having(State.FAILED) == {"web"}
    assert scene.stack.has_nothing_left()
    slot.shared.obstacle = PortsupError("cannot lease a port", "its disk is full")
    assert not scene.stack.has_nothing_left()
    scene.stack.try_again()
    assert scene.having(State.FAILED) == {"web"}
    del scene.world.ports["web"]
    scene.stack.try_again()
    scene.loop.advance()
    assert scene.having(State.STARTING) == {"web"}


def test_what_was_stopped_is_not_tried_again() -> None:
    scene = Scene({"web": {}})
    scene.world.ports["web"] = []
    scene.start()
    scene.slots["web"].shared.obstacle = PortsupError("cannot lease a port", "its disk is full")
    scene.stack.stop(["web"], None)
    del scene.world.ports["web"]
    scene.stack.try_again()
    scene.loop.advance()
    assert scene.having(State.STARTING) == set()
