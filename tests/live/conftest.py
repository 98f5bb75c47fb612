"""Stacks for live tests, ended with the test."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.portable import why_left_out
from tests.live.stack import Live
from tests.support.needed import need_program

if TYPE_CHECKING:
    from tests.live.naming import Named

Make = Callable[..., Live]


# For tests of what holds with the handoff and without; the latter is also what `make test-portable` tries.
in_both_ways = pytest.mark.parametrize(
    "stack",
    [pytest.param("auto", id="handoff"), pytest.param("off", id="without-handoff", marks=pytest.mark.long)],
    indirect=True,
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without what Linux alone has, leaves out those tests that need it."""
    if os.environ.get("PORTSUP_SYSTEM") != "posix":
        return
    left_out = [item for item in items if why_left_out(item.nodeid)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not why_left_out(item.nodeid)]


@pytest.fixture
def stack(own_folders: Path, request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes a project, called with its services; whatever runs of it at the end of the test is ended."""
    made: list[Live] = []
    handoff: str = getattr(request, "param", "auto")

    def make(services: Mapping[str, Any], folder: str = "p", **top: Any) -> Live:
        made.append(Live(own_folders / folder, services, **top))
        if handoff != "auto":
            made[-1].options_of_up = ("--handoff", handoff)
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def named(stack: Make, own_folders: Path) -> "Iterator[Named]":
    """Makes stacks with names; the proxy must have ended after them."""
    from tests.live.naming import Named

    need_program("caddy")
    made = Named(stack, own_folders)
    yield made
    for each in made.made:
        each.end()
    made.ended()
