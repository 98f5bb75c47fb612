"""How a file is opened on Windows, with the call of the system played."""

from types import SimpleNamespace

import pytest

from supervisor.files import sharing


def refusal(number: int) -> OSError:
    error = PermissionError(13, "Permission denied")
    error.winerror = number  # type: ignore[attr-defined]
    return error


class Played:
    """A CreateFile that refuses so often, and then opens."""

    def __init__(self, *refused: OSError) -> None:
        self.refused, self.calls = list(refused), 0

    def __call__(self, path: str, access: int, share: int, *_: int) -> int:
        assert share == 7, "reading, writing and deleting"
        self.calls += 1
        if self.refused:
            raise self.refused.pop(0)
        return 11


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr(sharing, "time", SimpleNamespace(sleep=made.append))
    return made


def opened(monkeypatch: pytest.MonkeyPatch, played: Played) -> int:
    monkeypatch.setattr(sharing, "_winapi", SimpleNamespace(CreateFile=played))
    return sharing._handle("x.json", 1, 3)


@pytest.mark.parametrize("number", [5, 32], ids=["access denied", "sharing violation"])
def test_a_file_that_is_replaced_at_this_moment_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], number: int
) -> None:
    played = Played(refusal(number), refusal(number))
    assert opened(monkeypatch, played) == 11
    assert (played.calls, len(pauses)) == (3, 2)


@pytest.mark.parametrize(("number", "calls"), [(32, 20), (2, 1), (4, 1)])
def test_what_lasts_is_told_with_the_path(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], number: int, calls: int
) -> None:
    played = Played(*[refusal(number) for _ in range(30)])
    with pytest.raises(PermissionError, match=r"Permission denied: 'x\.json'"):
        opened(monkeypatch, played)
    assert played.calls == calls
    assert sum(pauses) < 0.2
