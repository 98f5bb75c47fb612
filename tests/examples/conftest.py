"""The stand-in for Ollama and Groq, one for each module, and as new for each test."""

from collections.abc import Iterator

import pytest

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
