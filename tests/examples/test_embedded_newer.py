"""Ollama MCP with the embedded model: newer APIs, long conversations, a line of clients, and an engine that dies."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import openai
import psutil
import pytest

from tests.examples.embedded_model import HI, MODEL, with_model
from tests.examples.extras import needs_model
from tests.examples.running import Running, error_of
from tests.support.eventually import eventually

anthropic: Any = pytest.importorskip("anthropic")
pytestmark = [pytest.mark.live, needs_model, pytest.mark.usefixtures("at_rest")]
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["n"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def anthropic_client(embedded: Running) -> Any:
    return anthropic.Anthropic(base_url=embedded.url, api_key="none", max_retries=0, timeout=60)


@pytest.fixture(scope="module")
def openai_client(embedded: Running) -> openai.OpenAI:
    http = httpx2.Client(trust_env=False, timeout=60)
    return openai.OpenAI(base_url=f"{embedded.url}/v1", api_key="none", max_retries=0, http_client=http)


def test_anthropics_client_gets_a_message(anthropic_client: Any) -> None:
    ask = anthropic_client.messages.create
    whole = ask(model=MODEL, max_tokens=8, system="Be brief.", messages=HI)
    assert whole.role == "assistant"
    assert whole.content[0].text
    assert 0 < whole.usage.output_tokens <= 8
    stream = anthropic_client.messages.stream
    with stream(model=MODEL, max_tokens=8, messages=HI) as events:
        assert "".join(events.text_stream)
    count = anthropic_client.messages.count_tokens
    assert count(model=MODEL, messages=HI).input_tokens > 4


def test_an_answer_that_begins_with_an_emoji_begins_all_the_same(
    anthropic_client: Any, openai_client: openai.OpenAI
) -> None:
    asked: Any = {"model": MODEL, "messages": [{"role": "user", "content": "Repeat: 🌟🌟🌟🌟🌟"}], "max_tokens": 10}
    asked["extra_body"] = {"temperature": 0, "repeat_penalty": 1.0}
    with anthropic_client.messages.stream(**asked) as stream:
        message = stream.get_final_message()
    assert "🌟" in message.content[0].text
    assert message.usage.input_tokens > 4
    first, *others = openai_client.chat.completions.create(**asked, stream=True)
    assert first.choices[0].delta.role == "assistant"
    assert "🌟" in "".join(part.choices[0].delta.content or "" for part in (first, *others))


def test_anthropics_client_gets_json_and_hears_what_ended_a_message(anthropic_client: Any) -> None:
    ask = anthropic_client.messages.create
    form = {"format": {"type": "json_schema", "schema": SCHEMA}}
    whole = ask(model=MODEL, max_tokens=100, messages=HI, extra_body={"output_config": form})
    assert set(json.loads(whole.content[0].text)) == {"n"}
    events = list(ask(model=MODEL, max_tokens=100, messages=HI, stream=True, extra_body={"output_config": form}))
    assert set(json.loads("".join(event.delta.text for event in events if event.type == "content_block_delta"))) == {
        "n"
    }
    ended = ask(model=MODEL, max_tokens=60, messages=HI, stop_sequences=["e", "a", "o", "i"])
    assert ended.stop_reason == "stop_sequence"
    assert ended.stop_sequence in ("e", "a", "o", "i")
    tool = {"name": "x", "input_schema": {"type": "object"}}
    assert anthropic_client.messages.count_tokens(model=MODEL, messages=HI, tools=[tool]).input_tokens > 4


def test_anthropics_client_hears_what_is_wrong(anthropic_client: Any, embedded: Running) -> None:
    ask = anthropic_client.messages.create
    with pytest.raises(anthropic.BadRequestError, match="does not support tools"):
        ask(model=MODEL, max_tokens=8, messages=HI, tools=[{"name": "x", "input_schema": {"type": "object"}}])
    with pytest.raises(anthropic.NotFoundError):
        ask(model="claude-9", max_tokens=8, messages=HI)
    document = embedded.http.post("/v1/messages", json={"messages": HI}).json()
    assert (document["type"], document["error"]["type"]) == ("error", "invalid_request_error")


def test_openais_client_gets_a_response(openai_client: openai.OpenAI) -> None:
    ask: Any = openai_client.responses.create
    assert ask(model=MODEL, input="Say hello.", max_output_tokens=8).output_text
    events = list(ask(model=MODEL, input="Tell me of all rivers.", max_output_tokens=4, stream=True))
    assert [events[0].type, events[-1].type] == ["response.created", "response.incomplete"]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].response.incomplete_details.reason == "max_output_tokens"
    assert events[-1].response.usage.output_tokens == 4
    form: Any = {"format": {"type": "json_schema", "name": "number", "schema": SCHEMA, "strict": True}}
    with openai_client.responses.stream(model=MODEL, input="A number.", text=form, max_output_tokens=100) as stream:
        kinds = [event.type for event in stream]
        assert [kinds.count(kind) for kind in ("response.created", "response.completed")] == [1, 1]
        assert stream.get_final_response().output_text
    assert openai_client.responses.input_tokens.count(model=MODEL, input="Say hello.").input_tokens > 4
    whole = ask(model=MODEL, input="Say a number.", max_output_tokens=100, text=form)
    assert set(json.loads(whole.output_text)) == {"n"}


def test_clients_get_the_call_of_a_function_that_they_name(openai_client: openai.OpenAI, anthropic_client: Any) -> None:
    chat: Any = openai_client.chat.completions.create
    tool = {"type": "function", "function": {"name": "told", "description": "Say a number", "parameters": SCHEMA}}
    asked = {"model": MODEL, "messages": HI, "tools": [tool], "max_tokens": 60}
    choice = chat(**asked, tool_choice="required").choices[0]
    assert (choice.finish_reason, choice.message.tool_calls[0].function.name) == ("tool_calls", "told")
    assert set(json.loads(choice.message.tool_calls[0].function.arguments)) == {"n"}
    named = {"type": "function", "function": {"name": "told"}}
    parts = list(chat(**asked, tool_choice=named, stream=True, stream_options={"include_usage": True}))
    calls = [call for part in parts for each in part.choices for call in each.delta.tool_calls or ()]
    assert calls[0].function.name == "told"
    assert set(json.loads("".join(call.function.arguments for call in calls))) == {"n"}
    assert parts[-1].usage.completion_tokens > 0
    result = [{"role": "assistant", "tool_calls": [call.model_dump() for call in choice.message.tool_calls]}]
    result += [{"role": "tool", "tool_call_id": choice.message.tool_calls[0].id, "content": "seven"}]
    told = chat(model=MODEL, messages=[*HI, *result], tools=[tool], max_tokens=8).choices[0].message
    assert told.content
    function: Any = {"type": "function", "name": "told", "parameters": SCHEMA, "strict": False}
    respond: Any = openai_client.responses.stream
    with respond(model=MODEL, input="hi", tools=[function], tool_choice="required", max_output_tokens=60) as stream:
        stream.until_done()
        (item,) = stream.get_final_response().output
        assert (item.type, set(json.loads(item.arguments))) == ("function_call", {"n"})
    use: Any = {"model": MODEL, "max_tokens": 60, "messages": HI, "tools": [{"name": "told", "input_schema": SCHEMA}]}
    use["tool_choice"] = {"type": "tool", "name": "told"}
    with anthropic_client.messages.stream(**use) as stream:
        message = stream.get_final_message()
    assert (message.stop_reason, message.content[0].name, set(message.content[0].input)) == ("tool_use", "told", {"n"})


@pytest.fixture(scope="module")
def small() -> Iterator[Running]:
    with with_model(OLLAMA_CONTEXT_LENGTH="256", OLLAMA_MAX_CONCURRENT="1") as running:
        yield running


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions", "/v1/messages", "/v1/responses"])
def test_a_conversation_that_outgrows_the_model_goes_on(small: Running, path: str) -> None:
    talk = [{"role": "user" if number % 2 == 0 else "assistant", "content": "word " * 30} for number in range(40)]
    key = "input" if path == "/v1/responses" else "messages"
    few: dict[str, Any] = {"options": {"num_predict": 4}} if path == "/api/chat" else {"max_tokens": 4}
    few |= {"max_output_tokens": 4} if path == "/v1/responses" else {}
    response = small.http.post(path, json={key: [*talk, *HI], "stream": False, **few}, timeout=60)
    assert response.status_code == 200, response.text
    if path == "/api/chat":
        assert response.json()["prompt_eval_count"] < 256
        response = small.http.post(path, json={key: [*talk, *HI], "stream": False, "truncate": False})
        assert "there is room for 256" in response.json()["error"]


def test_show_tells_the_context_that_there_is(small: Running) -> None:
    facts = small.http.post("/api/show", json={"model": MODEL}).json()["model_info"]
    assert facts["general.architecture"] == "llama"
    assert facts["llama.context_length"] == 256


def test_four_conversations_at_once_are_all_answered(embedded: Running) -> None:
    body = {"model": MODEL, "messages": HI, "stream": False, "options": {"num_predict": 6}}

    def ask(_: int) -> int:
        return httpx2.post(f"{embedded.url}/api/chat", json=body, trust_env=False, timeout=60).status_code

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(ask, range(8))) == {200: 8}


def engines(running: Running) -> list[psutil.Process]:
    return psutil.Process(running.process.pid).children()


def test_an_engine_that_dies_is_started_again_and_leaves_with_the_service() -> None:
    with with_model() as running:
        (engine,) = engines(running)
        os.kill(engine.pid, signal.SIGKILL)
        body = {"messages": HI, "max_tokens": 4}

        def answers() -> bool:
            response = running.http.post("/v1/chat/completions", json=body, timeout=60)
            if response.status_code == 503:
                assert error_of(response, 503)["code"] == "engine_died"
            return response.status_code == 200

        eventually(answers, within=60, what="an answer")
        assert "the next request starts it again" in running.output()
        (other,) = engines(running)
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait(10)
        eventually(lambda: not other.is_running() or other.status() == psutil.STATUS_ZOMBIE, within=20)
