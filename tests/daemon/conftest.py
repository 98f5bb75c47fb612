"""A loop whose turns are over soon."""

import pytest

from supervisor.daemon import stalls
from tests.daemon.turns import Turns


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    monkeypatch.setattr(stalls, "TURN", 1e-9)
    return Turns()
