"""What the daemon holds for one service."""

import os
import signal

import pytest

from supervisor import system
from supervisor.daemon.service.slot import Child, Slot
from supervisor.system import Identity
from tests.support.scene import CHAIN, Scene

OTHER = Identity(99, 5.0)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pids that a signal was sent to."""
    pids: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _number: pids.append(pid))
    return pids


def running(main: int = 0, told: Identity | None = None) -> Slot:
    slot = Scene(CHAIN).slots["web"]
    slot.child = Child(7, None, 0.0, {}, {}, main, told)  # type: ignore[arg-type]
    return slot


def test_a_signal_goes_to_the_process_or_to_the_one_that_it_named(
    sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "is_alive", lambda identity: identity == OTHER)
    assert running().send_signal(signal.SIGHUP)
    assert running(99, OTHER).send_signal(signal.SIGHUP)
    assert sent == [7, 99]


def test_a_signal_goes_to_no_stranger_who_has_the_pid_of_the_one_that_it_named(
    sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "is_alive", lambda _: False)
    assert not running(99, OTHER).send_signal(signal.SIGHUP)
    assert not running(99).send_signal(signal.SIGHUP)
    assert sent == []


@pytest.mark.parametrize("error", [ProcessLookupError, PermissionError])
def test_a_signal_that_can_not_be_sent_is_no_mistake(error: type[OSError], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise error

    monkeypatch.setattr(os, "kill", refuse)
    assert not running().send_signal(signal.SIGHUP)
