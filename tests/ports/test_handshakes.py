"""How often the kernel is asked who has begun to connect."""

from collections.abc import Collection

import pytest

from supervisor import system
from supervisor.ports.handshakes import Handshakes


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """For which ports, each time; to 8001 somebody connects."""
    found: list[set[int]] = []

    def handshakes_on(ports: Collection[int]) -> dict[int, set[int]]:
        found.append(set(ports))
        return {8001: {50_000 + len(found)}}

    monkeypatch.setattr(system, "handshakes_on", handshakes_on)
    return found


def test_one_look_is_for_all_that_have_closed_before_it(asked: list[set[int]]) -> None:
    handshakes = Handshakes()
    before = {port: handshakes.want(port) for port in (8000, 8001)}
    assert [handshakes.on(port, since) for port, since in before.items()] == [set(), {50_001}]
    assert asked == [{8000, 8001}]


def test_who_closes_after_a_look_or_wants_a_newer_one_has_another(asked: list[set[int]]) -> None:
    handshakes = Handshakes()
    first = handshakes.want(8001)
    assert handshakes.on(8001, first) == {50_001}
    later = handshakes.want(8002)
    assert handshakes.on(8002, later) == set()
    assert handshakes.on(8001, 1) == {50_002}, "that one was for it, too"
    assert handshakes.on(8001, handshakes.looks) == {50_003}
    handshakes.forget(8001)
    assert handshakes.on(8003, 0) == set(), "no look was for it"
    assert asked == [{8001}, {8001, 8002}, {8001, 8002}, {8002, 8003}]


def test_where_the_kernel_does_not_tell_it_is_asked_again(
    asked: list[set[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    handshakes, answers = Handshakes(), system.handshakes_on

    def refuse(_: Collection[int]) -> dict[int, set[int]]:
        raise PermissionError

    since = handshakes.want(8001)
    monkeypatch.setattr(system, "handshakes_on", refuse)
    with pytest.raises(PermissionError):
        handshakes.on(8001, since)
    monkeypatch.setattr(system, "handshakes_on", answers)
    assert handshakes.on(8001, since) == {50_001}
