"""Calls of functions by the embedded model: which one has to be called, and a call in the words of each API."""

import json
from typing import Any

import pytest

from examples.ollama_mcp import calls
from examples.ollama_mcp.newer import MESSAGES, RESPONSES, TOKENS
from examples.web import ServiceError

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOL = {"type": "function", "function": {"name": "weather", "description": "Of a city", "parameters": SCHEMA}}
OF = {
    calls.CHAT: (CHAT_TOOL, {"type": "function", "function": {"name": "weather"}}, "required"),
    MESSAGES: ({"name": "weather", "description": "Of a city", "input_schema": SCHEMA},
               {"type": "tool", "name": "weather"}, {"type": "any"}),
    RESPONSES: ({"type": "function", "name": "weather", "description": "Of a city", "parameters": SCHEMA},
                {"type": "function", "name": "weather"}, "required"),
}  # fmt: skip
CALLED = calls.Called(calls.Function("weather", "", SCHEMA), '{"city": "Ávila"}', True, {"total_tokens": 9}, "m")


@pytest.mark.parametrize("path", OF)
def test_a_function_is_called_that_is_named_or_the_only_one(path: str) -> None:
    tool, named, required = OF[path]
    more = json.loads(json.dumps(tool).replace("weather", "other"))
    body: dict[str, Any]
    for body in ({"tools": [more, tool], "tool_choice": named}, {"tools": [tool], "tool_choice": required}):
        assert calls.forced(path, body, "m") == calls.Function("weather", "Of a city", SCHEMA)
    for body in ({}, {"tools": []}, {"tools": [tool], "tool_choice": "none"}):
        assert calls.forced(path, body, "m") is None
    for choice in (None, "auto", required):
        with pytest.raises(ServiceError, match="does not support tools that it has to choose from"):
            calls.forced(path, {"tools": [tool, more], "tool_choice": choice}, "m")
    with pytest.raises(ServiceError, match="not in `tools`"):
        calls.forced(path, {"tools": [more], "tool_choice": named}, "m")


@pytest.mark.parametrize(
    "tools",
    [
        ["x"],
        [{"type": "web_search"}],
        [{"type": "function", "function": {}}],
        {"a": 1},
        [{"name": "a", "parameters": 1}],
    ],
)
def test_what_is_no_function_is_refused(tools: Any) -> None:
    with pytest.raises(ServiceError):
        calls.forced(calls.CHAT, {"tools": tools, "tool_choice": "required"}, "m")


def test_calls_are_told_where_tokens_are_counted_and_in_the_words_of_ollama() -> None:
    use = {"role": "assistant", "content": [{"type": "tool_use", "name": "weather", "input": {"city": "Oslo"}}]}
    counted = calls.told(TOKENS, {"messages": [use], "tools": [OF[MESSAGES][0]]})
    text = 'weather({"city": "Oslo"})'
    assert counted == {"messages": [{"role": "assistant", "content": [{"type": "text", "text": text}]}]}
    call = {"function": {"name": "weather", "arguments": {"city": "Oslo"}}}
    talk = [{"role": "assistant", "content": "", "tool_calls": [call]}, {"role": "tool", "content": "rain"}]
    assert [one["content"] for one in calls.in_words({"messages": talk})["messages"]] == [
        text,
        "The function returned: rain",
    ]


def test_what_was_called_and_returned_is_told_in_texts() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    talk = [{"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "content": "rain"}]
    body = {"messages": talk, "tools": [CHAT_TOOL], "tool_choice": "auto"}
    assert calls.forced(calls.CHAT, body, "m") is None, "what follows a result may be words"
    assert calls.told(calls.CHAT, body) == {
        "messages": [
            {"role": "assistant", "content": 'weather({"city": "Oslo"})'},
            {"role": "user", "content": "The function returned: rain"},
        ]
    }
    use = {"type": "tool_use", "id": "1", "name": "weather", "input": {"city": "Oslo"}}
    result = {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "rain"}]}
    talk = [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    body = {"messages": talk, "tools": [OF[MESSAGES][0]]}
    assert calls.forced(MESSAGES, body, "m") is None
    said = [message["content"][0]["text"] for message in calls.told(MESSAGES, body)["messages"]]
    assert said == ['weather({"city": "Oslo"})', "The function returned: rain"]
    items = [
        {"type": "function_call", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "output": "rain"},
    ]
    assert [item["role"] for item in calls.told(RESPONSES, {"input": items})["input"]] == ["assistant", "user"]


def test_a_call_in_the_words_of_each_api() -> None:
    message = calls.document(calls.CHAT, CALLED)["choices"][0]["message"]
    assert message["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city": "Ávila"}'}
    (use,) = calls.document(MESSAGES, CALLED)["content"]
    assert (use["type"], use["input"]) == ("tool_use", {"city": "Ávila"})
    (item,) = calls.document(RESPONSES, CALLED)["output"]
    assert (item["type"], item["arguments"], item["status"]) == ("function_call", '{"city": "Ávila"}', "completed")


def test_arguments_that_were_cut_off_say_so() -> None:
    cut = calls.Called(CALLED.function, '{"city": "Áv', False, {}, "m")
    assert calls.document(calls.CHAT, cut)["choices"][0]["finish_reason"] == "length"
    assert calls.document(MESSAGES, cut)["stop_reason"] == "max_tokens"
    assert calls.document(MESSAGES, cut)["content"][0]["input"] == {}
    assert calls.document(RESPONSES, cut)["status"] == "incomplete"


def test_events_end_as_each_api_says() -> None:
    chunks = list(calls.events(calls.CHAT, CALLED, with_usage=True))
    parts = [json.loads(chunk.removeprefix("data: ")) for chunk in chunks[:-1]]
    assert chunks[-1] == "data: [DONE]\n\n"
    assert [part["choices"][0]["finish_reason"] for part in parts[:-1]] == [None, None, "tool_calls"]
    assert parts[-1]["usage"] == {"total_tokens": 9}
    for path, last in ((MESSAGES, "message_stop"), (RESPONSES, "response.completed")):
        events = list(calls.events(path, CALLED, with_usage=False))
        assert events[-1].startswith(f"event: {last}\n")
        assert all(json.loads(event.split("data: ", 1)[1])["type"] in event.split("\n")[0] for event in events)


def test_the_engine_is_asked_for_the_arguments_alone() -> None:
    plain = {"messages": [{"role": "user", "content": "in Oslo?"}], "max_tokens": 9, "stream": True, "stop": ["}"]}
    made = calls.request(plain, calls.Function("weather", "Of a city", SCHEMA))
    assert made["response_format"]["json_schema"]["schema"] == SCHEMA
    assert "weather: Of a city" in made["messages"][0]["content"]
    assert not {"stream", "stop"} & set(made)
