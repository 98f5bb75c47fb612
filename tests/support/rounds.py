"""Which of many cases every run tries; the others have the mark `long`, for `make test-more`."""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import pytest

LONG = pytest.mark.long


def each_once(*values: Sequence[Any]) -> list[Any]:
    """All combinations; every run tries so many of them that each value is among them."""
    often = max(map(len, values))
    kept = {tuple(at % len(axis) for axis in values) for at in range(often)}
    return [
        pytest.param(
            *(axis[at] for axis, at in zip(values, numbers, strict=True)), marks=() if numbers in kept else LONG
        )
        for numbers in product(*(range(len(axis)) for axis in values))
    ]


def only(kept: Sequence[Any], cases: Iterable[Any]) -> list[Any]:
    """The cases, of which every run tries those that are kept."""
    cases = list(cases)
    assert all(case in cases for case in kept), "no such case"
    return [case if case in kept else pytest.param(case, marks=LONG) for case in cases]
