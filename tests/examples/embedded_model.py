"""Ollama MCP with the embedded model, which only a machine that has fetched it can run."""

import contextlib
from collections.abc import Iterator

from examples.fetch_model import FETCHED
from tests.examples.running import Running, service
from tests.support.eventually import eventually

MODEL = "smollm2:135m"
HI: list[dict[str, str]] = [{"role": "user", "content": "Say hello."}]


@contextlib.contextmanager
def with_model(**variables: str) -> Iterator[Running]:
    """The service, its model loaded."""
    with service("ollama_mcp", OLLAMA_MCP_MODEL_PATH=str(FETCHED), **variables) as running:
        assert running.http.post("/api/generate", json={"model": MODEL}, timeout=60).json()["done_reason"] == "load"
        yield running
        running.terminate()


def until_it_rests(running: Running) -> None:
    """Waits until nothing is being answered any more."""
    eventually(lambda: running.http.get("/ollama/stats").json()["running"] == 0, within=30, what="rest")
