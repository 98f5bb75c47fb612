"""How one port of a pool stands."""

import pytest

from supervisor.core.port_state import PortState, Quarantine, state_of

BAD = Quarantine("not ready 3 times", until=60.0)


@pytest.mark.parametrize(
    ("is_active", "is_leased", "quarantine", "now", "state"),
    [
        (True, True, None, 0.0, PortState.ACTIVE),
        (False, True, None, 0.0, PortState.SPARE),
        (False, False, None, 0.0, PortState.TAKEN),
        (False, True, BAD, 0.0, PortState.QUARANTINED),
        (False, True, BAD, 60.0, PortState.SPARE),
        (False, False, BAD, 60.0, PortState.TAKEN),
    ],
)
def test_a_port_is_in_one_state(
    is_active: bool, is_leased: bool, quarantine: Quarantine | None, now: float, state: PortState
) -> None:
    assert state_of(is_active=is_active, is_leased=is_leased, quarantine=quarantine, now=now) is state


def test_a_quarantine_ends_at_its_time() -> None:
    assert not BAD.is_over(59.99)
    assert BAD.is_over(60.0)
