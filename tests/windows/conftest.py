"""One prefix for all tests, made once."""

from collections.abc import Iterator

import pytest

from tests.windows.wine import Wine, why_not


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    """A Windows of its own, without anything that runs in it."""
    if why := why_not():
        pytest.skip(why)
    made = Wine(tmp_path_factory.mktemp("wine"))
    yield made
    made.close()
