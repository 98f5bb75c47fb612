"""The end of a process tree, and of all that went on around it."""

from typing import Any

import pytest

from supervisor.core.state import State
from supervisor.daemon.processes.heirs import Heir
from supervisor.daemon.processes.members import Members
from supervisor.daemon.processes.reaper import Reaper
from supervisor.daemon.processes.trees import Ends, Trees
from supervisor.daemon.service.slot import Child
from supervisor.system import Identity
from tests.support.fake_world import FakeLoop, Timer
from tests.support.scene import CHAIN, Scene


class Loop(FakeLoop):
    """One that hears of no child."""

    def add_signal_handler(self, *_: object) -> None: ...


class Output:
    """Of a process that printed nothing."""

    def finish(self) -> None: ...


class Lease:
    """Of two ports, as far as one can tell from outside."""

    pool = (8010, 8011)

    def __init__(self) -> None:
        self.done: list[str] = []

    def take_back(self) -> None:
        self.done.append("taken back")

    def release(self) -> None:
        self.done.append("released")


def trees_of(scene: Scene, nobody: Any = None, pid_file: str = "") -> Trees:
    """Trees that tell nobody."""
    loop = Loop().itself
    ends = Ends(lambda *_: None, lambda *_: None, take_back)
    return Trees(loop, scene.slots, Members(Reaper(loop), "run"), ends, lambda _: pid_file, nobody)


@pytest.mark.parametrize(("pool", "done"), [(Lease.pool, "taken back"), ((9000, 9001), "released")])
def test_the_lease_of_another_pool_lasts_until_the_process_is_gone(
    monkeypatch: pytest.MonkeyPatch, pool: tuple[int, ...], done: str
) -> None:
    """A reload may have given the service another pool while a process lived on after SIGKILL."""
    monkeypatch.setattr("supervisor.process.tree.is_gone", lambda *_: True)
    scene, lease = Scene(CHAIN), Lease()
    trees = trees_of(scene)
    slot = scene.slots["other"]
    slot.pool, slot.shared.lease = pool, lease  # type: ignore[assignment]
    child = slot.child = Child(7, Output(), 0.0, {}, {}, exit=(0, None))  # type: ignore[arg-type]
    trees.look_at_leftovers(slot, child)
    assert lease.done == [done]
    assert (slot.lease is None) == (done == "released")


class Calls:
    """Those of a process tree of which the filter says that all have begun to exit."""

    leftovers = None  # it has not listened

    def is_over(self) -> bool:
        return True

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("look", "is_gone"),
    [(lambda *_: True, False), (lambda *_: False, True), (None, True)],
    ids=["exits", "gone", "blind"],
)
def test_a_tree_is_over_when_its_filter_says_so_and_nobody_is_seen_to_exit_still(
    monkeypatch: pytest.MonkeyPatch, look: Any, is_gone: bool
) -> None:
    def refuse(*_: object) -> bool:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("supervisor.process.tree.has_ending", look or refuse)
    scene = Scene(CHAIN)
    slot = scene.slots["other"]
    child = slot.child = Child(7, Output(), 0.0, {}, {}, exit=(0, None), handoff=Calls())  # type: ignore[arg-type]
    trees_of(scene).look_at_leftovers(slot, child)
    assert (child not in slot.children()) == is_gone


@pytest.mark.parametrize("has_ended", [False, True])
def test_a_process_is_collected_once_its_filter_says_that_all_exit(
    monkeypatch: pytest.MonkeyPatch, has_ended: bool
) -> None:
    """Before the loop comes to its pipes and to the signal; the next one starts that much sooner."""
    asked: list[str] = []
    monkeypatch.setattr(Reaper, "reap", lambda _: asked.append("reap"))
    monkeypatch.setattr("supervisor.process.tree.has_ending", lambda *_: False)
    scene = Scene(CHAIN)
    slot = scene.slots["other"]
    how = (0, None) if has_ended else None
    child = slot.child = Child(7, Output(), 0.0, {}, {}, exit=how, handoff=Calls())  # type: ignore[arg-type]
    trees_of(scene).all_exit(slot, child)
    assert asked == ([] if has_ended else ["reap"])
    assert (child not in slot.children()) == has_ended


def take_back(slot: Any, then: Any) -> None:
    then(slot.lease.take_back())


def test_a_question_that_was_begun_late_ends_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is asked to stop may begin to listen all the same, and is asked whether it is ready."""
    monkeypatch.setattr("supervisor.process.tree.is_gone", lambda *_: True)
    scene, question = Scene(CHAIN), Timer(print, ())
    trees = trees_of(scene)
    slot = scene.slots["other"]
    child = slot.child = Child(7, Output(), 0.0, {}, {}, exit=(0, None), tasks=[question])  # type: ignore[arg-type,list-item]
    trees.look_at_leftovers(slot, child)
    assert not slot.children()
    assert question.is_cancelled


class Told:
    """Hears of heirs."""

    def __init__(self) -> None:
        self.heirs: list[int] = []

    def heir(self, _: str, pid: int, __: str) -> None:
        self.heirs.append(pid)


def test_an_heir_that_leaves_one_of_its_own_while_it_is_looked_at_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that puts itself into the background forks twice."""
    generations = iter([[10], [11], [11]])
    where = "supervisor.daemon.processes.trees"
    monkeypatch.setattr(f"{where}.tree.roots", lambda *_: next(generations))
    monkeypatch.setattr(f"{where}.system.identity_of", lambda pid: Identity(pid, 1.0))
    by_pid_file = "supervisor.daemon.processes.heirs.by_pid_file"
    monkeypatch.setattr(by_pid_file, lambda _, roots: Heir(11, "") if 11 in roots else None)
    monkeypatch.setattr(Reaper, "watch", lambda *_: None)
    scene, told = Scene(CHAIN), Told()
    slot = scene.slots["other"]
    child = slot.child = Child(7, Output(), 0.0, {}, {}, ended=0)  # type: ignore[arg-type]
    assert trees_of(scene, told, "web.pid").look_for_heir(slot, child)
    assert (told.heirs, child.main) == ([11], 11)


def test_whoever_follows_a_main_process_is_looked_for_until_somebody_can_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a descriptor to look with, nobody is found: the program may be in the background all the same."""
    where = "supervisor.daemon.processes.trees"
    sight = [False]
    monkeypatch.setattr(f"{where}.tree.can_look", lambda: not sight or sight.pop())
    monkeypatch.setattr(f"{where}.tree.roots", lambda *_: [] if sight else [10])
    monkeypatch.setattr(f"{where}.system.identity_of", lambda pid: Identity(pid, 1.0))
    monkeypatch.setattr("supervisor.daemon.processes.heirs.by_socket", lambda _, roots: Heir(10, "") if roots else None)
    scene, told, ends = Scene(CHAIN), Told(), list[Any]()
    scene.run("other")
    monkeypatch.setattr(Reaper, "watch", lambda _, __, on_exit: ends.append(on_exit))
    trees = trees_of(scene, told)
    slot = scene.slots["other"]
    child = slot.child = Child(7, Output(), 0.0, {}, {})  # type: ignore[arg-type]
    trees.follow(slot, child)
    ends[0](0)
    assert (told.heirs, child.exit) == ([], None)
    trees._loop.advance(1.0)  # type: ignore[attr-defined]
    assert (told.heirs, child.exit) == ([10], None)


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), KeyError("x")])
def test_a_look_at_the_end_of_a_process_that_fails_is_made_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """What the system refuses is no news; a mistake is told once, however often it is made."""
    failures, ends = [error] * 3, list[Any]()

    def is_gone(*_: object) -> bool:
        if failures:
            raise failures.pop()
        return True

    monkeypatch.setattr("supervisor.process.tree.is_gone", is_gone)
    monkeypatch.setattr("supervisor.process.tree.kill", lambda _: set())
    monkeypatch.setattr(Reaper, "watch", lambda _, __, on_exit: ends.append(on_exit))
    scene = Scene(CHAIN)
    scene.run("other")
    trees = trees_of(scene)
    slot = scene.slots["other"]
    child = slot.child = Child(slot.service.pid or 0, Output(), 0.0, {}, {})  # type: ignore[arg-type]
    trees.follow(slot, child)
    ends[0](1 << 8)
    assert child.exit == (1, None)
    trees._loop.advance(1.0)  # type: ignore[attr-defined]
    assert (child in slot.children(), slot.service.state) == (False, State.FAILED)
    notes = [each for each in scene.world.done if each.startswith("note")]
    assert notes == ([] if isinstance(error, OSError) else ["note KeyError('x')"])


def test_an_heir_that_cannot_be_looked_for_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    failures, ends = [OSError(24, "Too many open files")] * 2, list[Any]()

    def roots(*_: object) -> list[int]:
        if failures:
            raise failures.pop()
        return [10]

    monkeypatch.setattr("supervisor.process.tree.roots", roots)
    monkeypatch.setattr("supervisor.system.identity_of", lambda pid: Identity(pid, 1.0))
    monkeypatch.setattr("supervisor.daemon.processes.heirs.by_socket", lambda _, roots: Heir(10, "") if roots else None)
    monkeypatch.setattr(Reaper, "watch", lambda _, __, on_exit: ends.append(on_exit))
    scene, told = Scene(CHAIN), Told()
    scene.run("other")
    trees = trees_of(scene, told)
    slot = scene.slots["other"]
    child = slot.child = Child(slot.service.pid or 0, Output(), 0.0, {}, {})  # type: ignore[arg-type]
    trees.follow(slot, child)
    ends[0](0)
    trees._loop.advance(1.0)  # type: ignore[attr-defined]
    assert (told.heirs, child.exit, slot.service.state) == ([10], None, State.RUNNING)
