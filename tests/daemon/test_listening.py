"""Who listens on the port of a starting service: it, a stranger, or it somewhere else."""

import pytest

from supervisor.core.suspicion import LASTS
from supervisor.daemon.checks.listening import DRIFT_AFTER, LAST_LOOK, Expectation, ListenerSearch
from tests.daemon.kernel import Inquiries, Kernel
from tests.support.fake_world import FakeLoop


class Scene:
    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.loop, self.told = kernel, FakeLoop(), list[str]()
        self.inquiries = Inquiries()
        self.watch = ListenerSearch(self.loop.itself, self.inquiries, None)  # type: ignore[arg-type]

    def expect(self, port: int = 8000, pid: int = 7, name: str = "web") -> None:
        self.watch.expect(name, Expectation(
            port, lambda: {pid}, lambda: {pid, pid + 1},
            lambda: self.told.append(f"{name} listens"),
            lambda who: self.told.append(f"stranger: socket {who.pid}"),
            lambda ports: self.told.append(f"elsewhere {sorted(ports)}"),
            self.loop.time(),
        ))  # fmt: skip


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(Kernel(monkeypatch))


def test_a_service_that_listens_is_noticed_and_then_nothing_ticks(scene: Scene) -> None:
    scene.expect()
    scene.loop.advance(0.5)
    assert scene.told == []
    scene.kernel.listen(8000, pid=7, inode=1)
    scene.loop.advance(LAST_LOOK)
    assert (scene.told, scene.loop.timers) == (["web listens"], [])


def test_a_quick_one_is_noticed_within_milliseconds(scene: Scene) -> None:
    scene.expect()
    scene.kernel.listen(8000, pid=7, inode=1)
    scene.loop.advance(0.002)
    assert scene.told == ["web listens"]


def test_among_many_sockets_a_child_looks_who_listens(scene: Scene) -> None:
    scene.kernel.has_many = scene.inquiries.is_slow = True
    scene.expect()
    scene.kernel.listen(8000, pid=7, inode=1)
    scene.loop.advance(3.0)
    assert (scene.told, scene.kernel.looks) == ([], 0)
    assert scene.inquiries.work() == 1, "one look at a time"
    assert (scene.told, scene.kernel.looks, scene.loop.timers) == (["web listens"], 1, [])


def test_what_a_child_has_seen_is_nothing_to_who_began_meanwhile(scene: Scene) -> None:
    scene.kernel.has_many = scene.inquiries.is_slow = True
    scene.expect(pid=5)
    scene.kernel.listen(8000, pid=5, inode=1)
    scene.loop.advance(0.001)
    scene.watch.forget("web")
    scene.expect(pid=7)
    assert scene.inquiries.work() == 1
    assert scene.told == []
    scene.kernel.listeners.clear()
    scene.kernel.listen(8000, pid=7, inode=2)
    scene.loop.advance(3.0)
    scene.inquiries.work()
    assert scene.told == ["web listens"]


def test_looks_get_rarer_and_one_serves_all(scene: Scene) -> None:
    for number in range(10):
        scene.expect(port=8000 + number, name=str(number))
    scene.loop.advance(10.0)
    assert scene.kernel.looks < 10.0 / LAST_LOOK + 30


def test_a_stranger_is_told_of_when_it_stays(scene: Scene) -> None:
    """A socket that a parent hands to its child has no owner for a moment."""
    scene.kernel.listen(8000, pid=99, inode=5)
    scene.expect()
    scene.loop.advance(LASTS)
    assert scene.told == []
    scene.loop.advance(2 * LAST_LOOK)
    assert (scene.told, scene.loop.timers) == (["stranger: socket 5"], [])


def test_a_stranger_of_a_moment_is_forgotten(scene: Scene) -> None:
    scene.kernel.listen(8000, pid=99, inode=5)
    scene.expect()
    scene.loop.advance(0.001)
    scene.kernel.listeners.clear()
    scene.kernel.listen(8000, pid=98, inode=6)
    scene.loop.advance(0.0015)
    scene.kernel.listeners.clear()
    scene.kernel.listen(8000, pid=7, inode=7)
    scene.loop.advance(0.1)
    assert scene.told == ["web listens"]


def test_a_child_of_the_service_that_listens_is_the_service(scene: Scene) -> None:
    scene.kernel.listen(8000, pid=8, inode=1)
    scene.expect(pid=7)
    scene.loop.advance(0.01)
    assert (scene.told, scene.kernel.searches) == (["web listens"], 0)


def test_whose_socket_it_is_is_asked_once_at_a_time_and_beside_the_loop(scene: Scene) -> None:
    scene.inquiries.is_slow = True
    scene.kernel.listen(8000, pid=8, inode=1)
    scene.expect(pid=7)
    scene.loop.advance(5.0)
    assert (scene.told, scene.kernel.searches) == ([], 0)
    assert scene.inquiries.work() == 1
    assert scene.told == ["web listens"]


def test_an_answer_that_comes_too_late_is_for_nobody(scene: Scene) -> None:
    scene.inquiries.is_slow = True
    scene.kernel.listen(8000, pid=99, inode=1)
    scene.expect()
    scene.loop.advance(0.1)
    scene.watch.forget("web")
    scene.expect()
    scene.inquiries.work()
    assert scene.told == []


def test_another_port_is_told_of_after_a_while_and_not_all_the_time(scene: Scene) -> None:
    scene.expect()
    scene.kernel.listen(3001, pid=7, inode=1)
    scene.loop.advance(DRIFT_AFTER - 0.2)
    assert scene.told == []
    scene.loop.advance(0.4)
    assert scene.told == ["elsewhere [3001]"]
    scene.loop.advance(3.0)
    assert scene.told == ["elsewhere [3001]"]


def test_one_that_is_forgotten_is_not_looked_for(scene: Scene) -> None:
    scene.expect()
    scene.watch.forget("web")
    scene.kernel.listen(8000, pid=7, inode=1)
    scene.loop.advance(10.0)
    assert (scene.told, scene.kernel.looks, scene.loop.timers) == ([], 0, [])
