"""The end of a process tree, and of all that went on around it."""

import pytest

from supervisor.daemon.slot import Child
from supervisor.daemon.trees import Trees
from tests.support.fake_world import FakeLoop, Timer
from tests.support.scene import CHAIN, Scene


class Loop(FakeLoop):
    """One that hears of no child."""

    def add_signal_handler(self, *_: object) -> None: ...


class Output:
    """Of a process that printed nothing."""

    def finish(self) -> None: ...


def test_a_question_that_was_begun_late_ends_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is asked to stop may begin to listen all the same, and is asked whether it is ready."""
    monkeypatch.setattr("supervisor.process.tree.is_gone", lambda *_: True)
    scene, question = Scene(CHAIN), Timer(print, ())
    trees = Trees(Loop().itself, scene.slots, "run", lambda slot, child: None, lambda slot, child: None)
    slot = scene.slots["other"]
    child = slot.child = Child(7, Output(), 0.0, {}, {}, exit=(0, None), tasks=[question])  # type: ignore[arg-type,list-item]
    trees.look_at_leftovers(slot, child)
    assert not slot.children()
    assert question.is_cancelled
