"""What many modules try: the stand-in for Ollama and Groq, as new for each test, and the embedded model."""

from collections.abc import Iterator

import pytest

from tests.examples.embedded_model import until_it_rests, with_model
from tests.examples.running import Running
from tests.examples.upstream import WORDS, Upstream, upstream


@pytest.fixture(scope="module")
def server() -> Iterator[Upstream]:
    with upstream() as state:
        yield state


@pytest.fixture
def behind(server: Upstream) -> Iterator[Upstream]:
    server.seen.clear()
    yield server
    server.pause = server.holds = server.break_off = False
    server.refusals = {}
    server.words = WORDS
    server.go_on.set()
    server.go_on.clear()


@pytest.fixture(scope="module")
def embedded() -> Iterator[Running]:
    """Ollama MCP with the embedded model."""
    with with_model() as running:
        yield running


@pytest.fixture
def at_rest(embedded: Running) -> Iterator[None]:
    """Leaves the model to the next test when it has nothing to do any more."""
    yield
    until_it_rests(embedded)
