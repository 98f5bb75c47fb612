"""What somebody probably meant is found among many without comparing them all."""

import difflib
from collections.abc import Sequence

import pytest

from supervisor.config.suggest import FEW, LONGEST, likely


@pytest.mark.parametrize(
    ("word", "found"),
    [("wbe", "web"), ("worker-2", "worker-1"), ("workers", "worker"), ("zzz", ""), ("x" * 60_000, ""), ("", "")],
)
def test_the_closest_is_found(word: str, found: str) -> None:
    assert likely(word, ["web", "db", "worker", "worker-1"]) == found


def test_of_many_only_a_few_are_compared_and_of_a_long_word_only_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, Sequence[str]]] = []
    known = difflib.get_close_matches

    def counted(word: str, candidates: Sequence[str], n: int, cutoff: float) -> list[str]:
        compared.append((word, candidates))
        return known(word, candidates, n, cutoff)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    many = [f"{'ab' * 20}{number}" for number in range(5000)]
    assert likely("ab" * 20 + "17", many).startswith("ab" * 20)
    assert likely("ab" * 60_000, many).startswith("ab" * 20), "by its beginning"
    assert all(len(candidates) <= FEW and len(word) <= LONGEST for word, candidates in compared)
    assert len(compared) == 2
    assert likely("ab", ["ab" * 60_000]) == ""
    assert compared[-1][1] == []
