"""Sandra IA and Groq API in front of a model that really answers: the embedded one of Ollama MCP."""

from collections.abc import Iterator
from typing import Any

import groq
import openai
import pytest

from tests.examples.embedded_model import MODEL, with_model
from tests.examples.extras import needs_model
from tests.examples.running import Running, service, services

pytestmark = [pytest.mark.live, needs_model]
ASKED: Any = [{"role": "user", "content": "Say hello to the world in one sentence."}]


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, Running]]:
    """Groq's place is taken by Ollama MCP, which does not have Groq's models; a second one falls back to it."""
    with with_model() as model:
        groqs = {"GROQ_BASE_URL": f"{model.url}/v1", "GROQ_API_KEY": "gsk_any"}
        with services({"groq_api": groqs}, ("groq_api",)) as started:
            urls = {"GROQ_API_URL": started["groq_api"].url, "OLLAMA_MCP_URL": model.url}
            with service("sandra_ia", **urls) as sandra:
                yield {"model": model, "groq": started["groq_api"], "sandra": sandra}


def words(client: groq.Groq | openai.OpenAI, model: str) -> list[str]:
    """The pieces of a streamed answer that have something in them."""
    parts: Any = client.chat.completions.create(model=model, messages=ASKED, max_tokens=12, stream=True)
    return [choice.delta.content for part in parts for choice in part.choices if choice.delta.content]


def test_groqs_own_client_gets_words_as_they_are_made(stack: dict[str, Running]) -> None:
    with groq.Groq(base_url=stack["groq"].url, api_key="any", max_retries=0) as client:
        assert MODEL in [model.id for model in client.models.list().data]
        assert len(words(client, MODEL)) > 3
        plain = client.chat.completions.create(model=MODEL, messages=ASKED, max_tokens=12)
        assert plain.choices[0].message.content


def test_sandra_streams_words_whoever_has_the_model(stack: dict[str, Running]) -> None:
    with openai.OpenAI(base_url=f"{stack['sandra'].url}/v1", api_key="any", max_retries=0) as client:
        for model in ("sandra", f"groq/{MODEL}", f"ollama/{MODEL}", "sandra-compare", "sandra-fuse"):
            assert words(client, model), model
        stack["groq"].process.kill()
        assert len(words(client, "sandra")) > 3


def test_groq_api_falls_back_to_the_model_of_this_machine(stack: dict[str, Running]) -> None:
    with service("groq_api", GROQ_FALLBACK_URL="ollama-mcp", OLLAMA_MCP_URL=stack["model"].url) as running:
        body = {"model": "llama-3.3-70b-versatile", "messages": ASKED, "max_tokens": 8}
        response = running.http.post("/openai/v1/chat/completions", json=body)
        assert (response.status_code, response.headers["x-portsup-backend"]) == (200, "fallback")
        assert response.json()["choices"][0]["message"]["content"]
