"""What becomes of those who need a service that is stopped, removed, or has ended."""

import pytest

from supervisor.core import events as ev
from supervisor.core.order import Condition
from supervisor.core.state import State
from supervisor.errors import PortsupError
from supervisor.words.reasons import text_of
from tests.support.scene import CHAIN, READY, Scene, ended


def test_who_waits_for_a_service_that_somebody_stops_fails_and_starts_when_that_one_does() -> None:
    scene = Scene({"db": {}, "orders": {"db": Condition.STARTED}, "api": {"db": READY}, "web": {"api": READY}})
    scene.start("web")
    scene.stack.stop(["db"], None)
    scene.tell("db", ended(0))
    assert scene.states() == {"db": "stopped", "orders": "stopped", "api": "failed", "web": "failed"}
    assert text_of(scene.slots["api"].service.reason) == "it depends on `db`, which is stopped"
    assert not scene.stack.has_nothing_left(), "it may be started again"
    scene.run("orders")
    assert scene.having(State.RUNNING) == {"orders", "db", "api", "web"}


def test_one_that_is_only_ordered_does_without_a_service_that_is_stopped() -> None:
    scene = Scene({"db": {}, "log": {}, "api": {"db": Condition.STARTED, "log": READY}})
    scene.start("api")
    scene.stack.stop(["db"], None)
    scene.tell("db", ended(0))
    scene.tell("log", ev.BecameReady)
    assert scene.having(State.STARTING) == {"api"}


def test_nothing_is_left_when_all_that_is_wanted_has_ended_by_itself() -> None:
    scene = Scene({"a": {}, "b": {"a": Condition.COMPLETED_OK}})
    assert not scene.stack.has_nothing_left(), "nothing was asked for"
    scene.start()
    assert not scene.stack.has_nothing_left()
    scene.tell("a", ended(1))
    assert scene.having(State.FAILED) == {"a", "b"}
    assert scene.stack.has_nothing_left()


def test_what_a_reload_removes_is_not_started_nor_is_what_needs_it() -> None:
    scene = Scene(CHAIN)
    scene.slots["db"].is_leaving = True
    scene.stack.check_stays("start", ["other"])
    with pytest.raises(PortsupError) as caught:
        scene.stack.check_stays("start", ["web"])
    assert str(caught.value) == "cannot start `web`: `db` is no longer in services.yaml, and a reload is removing it"
