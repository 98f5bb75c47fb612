"""The shim and the server of the suite, made once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.building import build
from tests.faults.outcomes import Outcome
from tests.faults.points import Point
from tests.faults.small_stack import PORTS
from tests.faults.trial import trial
from tests.support.needed import need_program
from tests.support.ports import free_pool

Fail = Callable[[str], Outcome]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The shim and the server."""
    need_program("cc", "gcc libc6-dev")
    return build(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def fail(programs: tuple[Path, Path]) -> Fail:
    """Lives through one point, written as the suite writes it; what came of it, of which nothing may be wrong."""

    def live_through(point: str) -> Outcome:
        with trial(*programs, free_pool(PORTS)) as it:
            outcome = it.run(Point.parse(point))
        assert not outcome.wrong, outcome.wrong
        return outcome

    return live_through
