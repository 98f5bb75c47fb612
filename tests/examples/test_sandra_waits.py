"""Sandra and a local model that is being loaded, or knows no Spanish; the backends are stand-ins in this process."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from examples.peers import Peers
from examples.sandra_ia import __main__ as module
from examples.sandra_ia.router import Sandra
from examples.web import ServiceError

TABLE = Path(module.__file__).with_name("routes.yaml")
WHY = "Why is the sky blue?"
PORQUE = "¿Por qué es azul el cielo?"


class Local:
    """Ollama MCP with one model, which is there after so many refusals."""

    def __init__(self, model: str = "smollm2:135m", refusals: int = 0) -> None:
        self.model = model
        self.refusals = refusals
        self.asked: list[tuple[str, Any]] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return httpx2.Response(200, json={"data": [{"id": self.model}]})
        self.asked.append((request.url.path, json.loads(request.content)))
        if self.refusals:
            self.refusals -= 1
            return httpx2.Response(503, json={"error": {"code": "model_loading", "message": "soon"}})
        if request.url.path.endswith("embeddings"):
            return httpx2.Response(200, json={"data": [{"embedding": [1.0]}]})
        return httpx2.Response(200, json={"choices": [{"message": {"role": "assistant", "content": "It scatters."}}]})


def sandra(local: Local, patience: float = 30.0) -> Sandra:
    made = Sandra(TABLE, Peers({"OLLAMA_MCP_URL": "http://local"}), 5, patience)
    made.backends.client = httpx2.AsyncClient(transport=httpx2.MockTransport(local.answer))
    return made


def test_a_model_that_is_being_loaded_is_waited_for() -> None:
    local = Local(refusals=2)
    answer = asyncio.run(sandra(local).ask(WHY, "auto"))
    assert (answer["response"], answer["backend"], len(local.asked)) == ("It scatters.", "ollama-mcp", 3)


def test_nobody_waits_for_it_for_ever() -> None:
    local = Local(refusals=1000)
    with pytest.raises(ServiceError, match="model_loading") as refused:
        asyncio.run(sandra(local, patience=0).ask(WHY, "auto"))
    assert [one["code"] for one in refused.value.details["backends"]] == ["upstream_not_configured", "model_loading"]
    assert len(local.asked) == 1


def test_a_model_that_knows_no_spanish_is_not_asked_in_it() -> None:
    local = Local()
    for mode in ("single", "compare", "fuse"):
        answer = asyncio.run(sandra(local).ask(PORQUE, mode))
        assert answer["backend"] == "small-model"
        assert "no sabe español" in answer["response"]
    assert not local.asked
    assert asyncio.run(sandra(local).ask(WHY, "single"))["backend"] == "ollama-mcp"


def test_another_model_is_asked_in_any_language() -> None:
    local = Local("llama3.2:latest")
    assert asyncio.run(sandra(local).ask(PORQUE, "single"))["response"] == "It scatters."


@pytest.mark.parametrize("stream", [False, True])
def test_the_openai_api_says_sorry_too_and_leaves_a_named_model_alone(stream: bool) -> None:
    local = Local()
    asked: dict[str, Any] = {"messages": [{"role": "user", "content": PORQUE}], "stream": stream}
    response = asyncio.run(sandra(local).complete(asked))
    assert (response.status_code, response.headers["x-sandra-backend"]) == (200, "small-model")
    assert not local.asked
    if not stream:
        asyncio.run(sandra(local).complete({**asked, "model": "ollama/smollm2:135m"}))
        assert [path for path, _ in local.asked] == ["/v1/chat/completions"]


def test_vectors_are_those_of_the_local_model() -> None:
    local = Local()
    for name, model in (("sandra", "smollm2:135m"), ("ollama/smollm2:135m", "smollm2:135m")):
        response = asyncio.run(sandra(local).vectors({"model": name, "input": "a"}))
        assert (response.status_code, response.headers["x-sandra-backend"]) == (200, "ollama-mcp")
        assert local.asked[-1] == ("/v1/embeddings", {"model": model, "input": "a"})
