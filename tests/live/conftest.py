"""Stacks for live tests, ended with the test."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.live.stack import Live

Make = Callable[..., Live]


@pytest.fixture
def stack(own_folders: Path) -> Iterator[Make]:
    """Makes a project, called with its services; whatever runs of it at the end of the test is ended."""
    made: list[Live] = []

    def make(services: Mapping[str, Any], folder: str = "p", **top: Any) -> Live:
        made.append(Live(own_folders / folder, services, **top))
        return made[-1]

    yield make
    for each in made:
        each.end()
