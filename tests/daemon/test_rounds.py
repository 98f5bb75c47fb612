"""Whose locks are watched."""

from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.daemon.rounds import Rounds
from tests.support.scene import CHAIN, Scene


class Shield:
    """One that looks at nothing."""

    def __init__(self, runtime: object, leases: list[Any], lock: object) -> None:
        self.leases = leases

    def fileno(self) -> None: ...

    def watch(self, lease: object) -> None:
        self.leases.append(lease)

    def forget(self, lease: object) -> None:
        self.leases = [kept for kept in self.leases if kept is not lease]


def test_a_lease_that_a_reload_took_from_its_service_is_watched_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.daemon.rounds.Shield", Shield)
    scene = Scene(CHAIN)
    stays, moves = list(scene.slots.values())[:2]
    stays.lease, moves.lease = object(), object()  # type: ignore[assignment]
    instance: Any = SimpleNamespace(loop=scene.loop.itself, runtime=None, journal=None)
    listener: Any = SimpleNamespace(beats=list)
    nobody: Any = None
    watch: Any = Rounds(instance, nobody, scene.slots, nobody, listener)
    assert watch._shield.leases == [stays.lease, moves.lease]
    for _ in range(3):
        moves.lease = object()  # type: ignore[assignment]
        watch.follow(moves.lease)
        watch.follow(moves.lease)
        watch.follow(stays.lease)
        assert watch._shield.leases == [stays.lease, moves.lease]
