"""What somebody probably meant."""

from collections.abc import Iterable

FEW = 30  # of many candidates that are compared letter by letter
LONGEST = 64  # letters of a word that are looked at


def closest(word: str, candidates: Iterable[str], least: float = 0.6) -> str:
    """The candidate most like `word`; empty when none is as close as `least`, of 1."""
    from difflib import get_close_matches  # only a mistake needs it

    folded = {candidate.lower().replace("-", "_"): candidate for candidate in candidates}
    found = get_close_matches(word[:100].lower().replace("-", "_"), folded, n=1, cutoff=least)
    return folded[found[0]] if found else ""


def likely(word: str, candidates: Iterable[str], least: float = 0.6) -> str:
    """The candidate most like `word`; empty when none is as close as `least`, of 1.

    Of many, however many they are, only those few are compared that begin like it: who asks may want it to take long.
    """
    from difflib import get_close_matches
    from heapq import nlargest

    word = word[:LONGEST]
    few = nlargest(FEW, candidates, key=lambda candidate: _shared(word, candidate))
    few = [candidate for candidate in few if len(candidate) <= 2 * LONGEST]
    found = get_close_matches(word, few, n=1, cutoff=least)
    return found[0] if found else ""


def _shared(word: str, other: str) -> int:
    """With how many same letters both begin."""
    count = 0
    for mine, theirs in zip(word, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """The hint for a misspelt word; empty when nothing is close."""
    found = closest(word, candidates)
    return f"did you mean `{found}`?" if found else ""


def is_one_slip(word: str, other: str) -> bool:
    """Whether one letter added, left out, changed or swapped, or another case, makes `word` into `other`."""
    word, other = word.lower(), other.lower()
    if word == other:
        return True
    if abs(len(word) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(word), len(other)) and word[start] == other[start]:
        start += 1
    a, b = word[start:], other[start:]
    return (
        a[1:] == b
        or a == b[1:]
        or a[1:] == b[1:]
        or (len(a) > 1 and len(b) > 1 and a[:2] == b[1::-1] and a[2:] == b[2:])
    )
