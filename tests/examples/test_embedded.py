"""Ollama MCP with the embedded model, asked by the clients that people use.

What a model of this size says is never looked at: only that it says something, and in which shape.
"""

import json
from typing import Any

import httpx2
import ollama
import openai
import pytest

from examples.fetch_model import FETCHED
from tests.examples.embedded_model import HI, MODEL
from tests.examples.extras import needs_model
from tests.examples.mcp_progress import MODES, call, tools
from tests.examples.running import Running, text_of

pytestmark = [pytest.mark.live, needs_model, pytest.mark.usefixtures("at_rest")]
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "grown_up": {"type": "boolean"}},
    "required": ["name", "grown_up"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def ollama_client(embedded: Running) -> ollama.Client:
    return ollama.Client(embedded.url, trust_env=False, timeout=60)


@pytest.fixture(scope="module")
def openai_client(embedded: Running) -> openai.OpenAI:
    http = httpx2.Client(trust_env=False, timeout=60)
    return openai.OpenAI(base_url=f"{embedded.url}/v1", api_key="none", max_retries=0, http_client=http)


def test_health_is_ok_without_any_ollama(embedded: Running) -> None:
    report = embedded.http.get("/health").json()
    assert (report["status"], report["checks"]) == ("ok", {"model": "ok"})


# With the client of Ollama.


def test_ollamas_client_finds_the_model(ollama_client: ollama.Client) -> None:
    (model,) = ollama_client.list().models
    assert model.model == MODEL
    assert model.size == FETCHED.stat().st_size
    assert len(model.digest or "") == 64
    (running,) = ollama_client.ps().models
    assert (running.name, running.context_length) == (MODEL, 2048)
    shown = ollama_client.show("smollm2")
    assert shown.details is not None
    assert (shown.details.parameter_size, shown.details.quantization_level) == ("134.52M", "Q4_1")
    assert shown.capabilities == ["completion", "embedding"]
    assert "temperature" in (shown.parameters or "")


def test_ollamas_client_chats(ollama_client: ollama.Client) -> None:
    parts = list(ollama_client.chat(MODEL, HI, stream=True, options={"num_predict": 12}))
    assert len(parts) > 3
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
    assert parts[-1].done_reason in ("stop", "length")
    assert 0 < (parts[-1].eval_count or 0) <= 12
    assert (parts[-1].prompt_eval_count or 0) > 5
    whole = ollama_client.chat(MODEL, HI, options={"num_predict": 12})
    assert whole.done
    assert whole.message.content


def test_ollamas_client_generates(ollama_client: ollama.Client) -> None:
    few = {"num_predict": 5}
    text = "".join(
        part.response or "" for part in ollama_client.generate(MODEL, "Hello", raw=True, stream=True, options=few)
    )
    assert text
    assert ollama_client.generate(MODEL, "Hello", system="Be brief.", options=few).response
    assert ollama_client.generate(MODEL).done_reason == "load"


def test_the_same_seed_gives_the_same_words(ollama_client: ollama.Client) -> None:
    options = {"seed": 7, "temperature": 1.5, "num_predict": 8}
    first, second = (ollama_client.generate(MODEL, "Once", raw=True, options=options).response for _ in range(2))
    assert first == second


def test_an_answer_keeps_to_a_schema(ollama_client: ollama.Client) -> None:
    answer = ollama_client.chat(MODEL, HI, format=PERSON, options={"num_predict": 200})
    person = json.loads(answer.message.content or "")
    assert set(person) == {"name", "grown_up"}
    assert isinstance(person["grown_up"], bool)


def test_ollamas_client_gets_vectors(ollama_client: ollama.Client) -> None:
    answer = ollama_client.embed(MODEL, ["a cat", "a kitten"])
    assert [len(vector) for vector in answer.embeddings] == [576, 576]
    assert sum(value * value for value in answer.embeddings[0]) == pytest.approx(1, abs=1e-3)
    assert [len(vector) for vector in ollama_client.embed(MODEL, "a cat", dimensions=8).embeddings] == [8]
    assert len(ollama_client.embed(MODEL, "word " * 2000).embeddings) == 1  # what is too long is cut
    assert len(ollama_client.embeddings(MODEL, "a cat").embedding) == 576
    with pytest.raises(ollama.ResponseError) as refused:
        ollama_client.embed(MODEL, "word " * 2000, truncate=False)
    assert refused.value.status_code == 400


@pytest.mark.parametrize("ask", ["chat", "generate", "embed", "show"])
def test_an_unknown_model_is_404_in_ollamas_shape(ollama_client: ollama.Client, ask: str) -> None:
    with pytest.raises(ollama.ResponseError) as refused:
        getattr(ollama_client, ask)("llama9")
    assert (refused.value.status_code, refused.value.error) == (404, "model 'llama9' not found")


@pytest.mark.parametrize("ask", ["pull", "push", "delete"])
def test_what_needs_a_real_ollama_says_so(embedded: Running, ask: str) -> None:
    method = "DELETE" if ask == "delete" else "POST"
    response = embedded.http.request(method, f"/api/{ask}", json={"model": "llama3.2"})
    assert "needs a real Ollama" in text_of(response, 501)


# With the client of OpenAI.


def test_openais_client_finds_the_model(openai_client: openai.OpenAI) -> None:
    assert [model.id for model in openai_client.models.list()] == [MODEL]
    assert openai_client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError) as refused:
        openai_client.models.retrieve("gpt-9")
    assert refused.value.code == "model_not_found"


def test_openais_client_chats(openai_client: openai.OpenAI) -> None:
    ask: Any = openai_client.chat.completions.create
    events = list(ask(model=MODEL, messages=HI, stream=True, max_tokens=12, stream_options={"include_usage": True}))
    text = "".join(event.choices[0].delta.content or "" for event in events if event.choices)
    assert text
    assert 0 < events[-1].usage.completion_tokens <= 12
    whole = ask(model=MODEL, messages=HI, max_completion_tokens=5)
    assert whole.choices[0].message.content
    assert whole.usage.completion_tokens <= 5


def test_openais_client_gets_an_answer_that_keeps_to_a_schema(openai_client: openai.OpenAI) -> None:
    ask: Any = openai_client.chat.completions.create
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}
    in_fences = [{"role": "user", "content": "Describe a person as JSON in a ```json block."}]
    whole = ask(model=MODEL, messages=in_fences, response_format=form, max_tokens=200)
    assert set(json.loads(whole.choices[0].message.content)) == {"name", "grown_up"}
    events = ask(model=MODEL, messages=in_fences, response_format=form, max_tokens=200, stream=True)
    streamed = "".join(event.choices[0].delta.content or "" for event in events if event.choices)
    assert set(json.loads(streamed)) == {"name", "grown_up"}


def test_openais_client_completes_and_gets_vectors(openai_client: openai.OpenAI) -> None:
    assert openai_client.completions.create(model=MODEL, prompt="Once upon", max_tokens=5).choices[0].text
    vectors = openai_client.embeddings.create(model=MODEL, input=["a", "b"]).data  # as base64, which the client undoes
    assert [len(one.embedding) for one in vectors] == [576, 576]
    plain = openai_client.embeddings.create(model=MODEL, input="a", encoding_format="float").data[0].embedding
    assert plain == pytest.approx(vectors[0].embedding, abs=1e-3)


def test_openais_client_hears_what_is_wrong(openai_client: openai.OpenAI) -> None:
    ask: Any = openai_client.chat.completions.create
    with pytest.raises(openai.NotFoundError):
        ask(model="gpt-9", messages=HI)
    with pytest.raises(openai.BadRequestError) as refused:
        ask(model=MODEL, messages=[{"role": "user", "content": "word " * 5000}], stream=True)
    assert refused.value.code == "context_length_exceeded"
    assert "2048" in str(refused.value)


# With the client of MCP.


@pytest.mark.parametrize("mode", MODES)
def test_every_tool_answers(embedded: Running, mode: str) -> None:
    assert tools(embedded, mode) == {"list_models", "chat", "generate", "embed", "pull_model"}
    models, _ = call(embedded, "list_models", mode=mode)
    assert [model["name"] for model in models["models"]] == [MODEL]
    answer, progress = call(embedded, "chat", {"prompt": "Say hello.", "max_tokens": 8}, mode=mode)
    assert answer["text"] == "".join(progress)
    assert answer["model"] == MODEL
    assert 0 < len(progress) <= answer["tokens"] <= 8  # an emoji is several tokens, and told of once
    told = [{"role": "system", "content": "Be brief."}, *HI]
    answer, _ = call(embedded, "chat", {"messages": told, "max_tokens": 4}, mode=mode)
    assert answer["done_reason"] in ("stop", "length")
    answer, progress = call(embedded, "generate", {"prompt": "Once upon a time", "max_tokens": 4}, mode=mode)
    assert answer["text"] == "".join(progress)
    answer, _ = call(embedded, "embed", {"input": ["a", "b"]}, mode=mode)
    assert [len(vector) for vector in answer["embeddings"]] == [576, 576]
    assert "needs_ollama" in call(embedded, "pull_model", {"model": "llama3.2"}, mode=mode)[0]


def test_what_goes_wrong_in_a_tool_is_its_answer(embedded: Running) -> None:
    assert "model_not_found: model 'x' not found" in call(embedded, "chat", {"prompt": "hi", "model": "x"})[0]
    assert "context_length_exceeded" in call(embedded, "generate", {"prompt": "word " * 5000})[0]
    assert "invalid_request" in call(embedded, "embed", {"input": [""]})[0]
