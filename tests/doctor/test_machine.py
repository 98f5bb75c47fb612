"""What `doctor` says of watches over files, whatever the system has."""

import pytest

from supervisor import system
from supervisor.doctor.finding import Level
from supervisor.doctor.machine import check_watches


@pytest.mark.parametrize(
    ("has_watches", "level", "word"),
    [(False, Level.NOTE, "every 10 s on this system"), (True, Level.WARNING, "cannot be watched here")],
)
def test_only_what_can_be_mended_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, has_watches: bool, level: Level, word: str
) -> None:
    monkeypatch.setattr(system, "HAS_WATCHES", has_watches)
    monkeypatch.setattr(system, "open_watch", lambda: None)
    (found,) = check_watches()
    assert found.level is level
    assert word in found.what
    assert ("sysctl" in found.remedy) is has_watches
