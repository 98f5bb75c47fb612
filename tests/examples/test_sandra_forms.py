"""Sandra's answers in the form that a client asks for: JSON, calls of functions, and a count of tokens."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.examples.running import Running, service
from tests.examples.upstream import Upstream

pytestmark = pytest.mark.live


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


@pytest.fixture(scope="module")
def sandra(server: Upstream) -> Iterator[Running]:
    with service("sandra_ia", GROQ_API_URL=server.url, OLLAMA_MCP_URL=server.url) as running:
        yield running


def test_a_greeting_that_wants_json_or_a_call_goes_to_a_model(sandra: Running) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    for form in ({"response_format": {"type": "json_object"}}, {"tools": [tool], "tool_choice": "required"}):
        response = sandra.http.post("/v1/chat/completions", json=chat("hola", **form))
        assert (response.headers["x-sandra-task"], response.headers["x-sandra-backend"]) == ("general", "groq-api")
    for words in ({"response_format": {"type": "text"}}, {"tools": [tool], "tool_choice": "auto"}):
        response = sandra.http.post("/v1/chat/completions", json=chat("hola", **words))
        assert response.headers["x-sandra-backend"] == "identity"


def test_streams_end_with_their_usage_if_it_is_wanted(sandra: Running) -> None:
    wanted = {"stream": True, "stream_options": {"include_usage": True}}
    for model, text, tokens in (("sandra", "hola", 0), ("sandra-compare", "why?", 6), ("sandra-fuse", "why?", 3)):
        streamed = sandra.http.post("/v1/chat/completions", json={**chat(text, **wanted), "model": model}).text
        *_, last, end = [line.removeprefix("data: ") for line in streamed.splitlines() if line]
        chunk = json.loads(last)
        assert (chunk["choices"], chunk["usage"]["completion_tokens"], end) == ([], tokens, "[DONE]"), model
        streamed = sandra.http.post("/v1/chat/completions", json={**chat(text, stream=True), "model": model}).text
        assert "usage" not in streamed
