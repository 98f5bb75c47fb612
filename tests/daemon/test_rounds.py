"""Whose locks are watched."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.core.reasons import LockGone
from supervisor.daemon.rounds import IN_ONE_TURN, WHILE_ENDING, Rounds
from supervisor.ports.leases import Loss
from tests.support.scene import CHAIN, Scene


class Shield:
    """One that looks at nothing."""

    def __init__(self, runtime: object, leases: list[Any], lock: object) -> None:
        self.leases = leases
        self.sweeps = 0

    def fileno(self) -> None: ...

    def stop(self) -> None: ...

    def watch(self, lease: object) -> None:
        self.leases.append(lease)

    def forget(self, *leases: object) -> None:
        self.sweeps += 1
        self.leases = [lease for lease in self.leases if lease not in leases]


def test_a_lease_that_a_reload_took_from_its_service_is_watched_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.daemon.rounds.Shield", Shield)
    scene = Scene(CHAIN)
    stays, moves = list(scene.slots.values())[:2]
    stays.shared.lease, moves.shared.lease = object(), object()  # type: ignore[assignment]
    instance: Any = SimpleNamespace(loop=scene.loop.itself, runtime=None, journal=None)
    listener: Any = SimpleNamespace(beats=list)
    nobody: Any = None
    watch: Any = Rounds(instance, nobody, scene.slots, nobody, listener)
    assert watch._shield.leases == [stays.lease, moves.lease]
    for _ in range(3):
        moves.shared.lease = object()  # type: ignore[assignment]
        watch.follow(moves.lease)
        watch.follow(moves.lease)
        watch.follow(stays.lease)
        scene.loop.advance(0.0)
        assert watch._shield.leases == [stays.lease, moves.lease]


def test_however_many_leases_a_reload_brings_all_are_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.daemon.rounds.Shield", Shield)
    scene = Scene(CHAIN)
    instance: Any = SimpleNamespace(loop=scene.loop.itself, runtime=None, journal=None)
    listener: Any = SimpleNamespace(beats=list)
    nobody: Any = None
    watch: Any = Rounds(instance, nobody, scene.slots, nobody, listener)
    for slot in scene.slots.values():
        slot.shared.lease = object()  # type: ignore[assignment]
        watch.follow(slot.lease)
    scene.loop.advance(0.0)
    assert watch._shield.leases == [slot.lease for slot in scene.slots.values()]
    assert watch._shield.sweeps == 1


def test_locks_that_were_touched_are_looked_at_over_several_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a start of hundreds of services: each record that we write ourselves is such a touch."""
    scene, told = Scene(CHAIN), list[int]()
    readers: dict[int, Any] = {}

    class Touched(Shield):
        def fileno(self) -> int:  # type: ignore[override]
            return 5

        def news(self) -> Iterator[tuple[Loss, ...]]:
            for port in range(4):
                scene.loop._now += 0.75 * IN_ONE_TURN
                yield (Loss(port, LockGone("deleted")),)

    monkeypatch.setattr("supervisor.daemon.rounds.Shield", Touched)
    monkeypatch.setattr(scene.loop, "add_reader", readers.__setitem__, raising=False)
    instance: Any = SimpleNamespace(loop=scene.loop.itself, runtime=None, journal=None)
    listener: Any = SimpleNamespace(beats=list, on_losses=lambda losses: told.extend(loss.port for loss in losses))
    nobody: Any = None
    Rounds(instance, nobody, scene.slots, nobody, listener)
    readers[5]()
    assert told == [0, 1]
    readers[5]()  # more has happened: that comes after these
    assert told == [0, 1]
    scene.loop.advance(1.0)
    assert told == [0, 1, 2, 3]
    readers[5]()
    assert told[4:] == [0, 1]


def test_while_everything_stops_locks_are_looked_at_often_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, told = Scene(CHAIN), list[int]()
    followed: list[int] = []
    stopped: list[str] = []

    class Lost(Shield):
        def fileno(self) -> int:  # type: ignore[override]
            return 5

        def stop(self) -> None:
            stopped.append("watching")

        def looks(self) -> Iterator[tuple[Loss, ...]]:
            yield (Loss(7, LockGone("deleted")),)

    monkeypatch.setattr("supervisor.daemon.rounds.Shield", Lost)
    monkeypatch.setattr(scene.loop, "add_reader", lambda fd, _: followed.append(fd), raising=False)
    monkeypatch.setattr(scene.loop, "remove_reader", followed.remove, raising=False)
    journal: Any = SimpleNamespace(count_left_out=lambda: None)
    instance: Any = SimpleNamespace(loop=scene.loop.itself, runtime=None, journal=journal)
    listener: Any = SimpleNamespace(beats=list, on_losses=lambda losses: told.extend(loss.port for loss in losses))
    nobody: Any = None
    rounds = Rounds(instance, nobody, scene.slots, nobody, listener)
    rounds.end()
    rounds.end()  # a second wish to stop
    assert (followed, stopped, told) == ([], ["watching"], [])
    scene.loop.advance(4.5 * WHILE_ENDING)
    assert told == [7] * 4
    rounds.close()
    scene.loop.advance(4.5 * WHILE_ENDING)
    assert (told, stopped) == ([7] * 4, ["watching"])
