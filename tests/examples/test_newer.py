"""Requests of OpenAI's Responses and Anthropic's Messages, as the embedded model's engine gets them."""

from typing import Any

import pytest

from examples.ollama_mcp import newer
from examples.ollama_mcp.newer import INPUT_TOKENS, MESSAGES, RESPONSES, TOKENS
from examples.web import ServiceError

NAME = "smollm2:135m"
HI = [{"role": "user", "content": "hi"}]
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}


def sent(path: str, body: dict[str, Any]) -> dict[str, Any]:
    return newer.sent(path, newer.request(path, body, NAME))


def test_a_message_of_anthropics_api() -> None:
    asked = {
        "model": NAME,
        "max_tokens": 9,
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        "stop_sequences": ["x"],
        "metadata": {"user_id": "7"},
        "stream": True,
    }
    assert sent(MESSAGES, asked) == {
        "temperature": 0.2,
        "repeat_penalty": 1.15,
        "max_tokens": 9,
        "system": "Be brief.",
        "messages": HI,
        "stop_sequences": ["x"],
        "stream": True,
    }
    assert sent(TOKENS, {"messages": HI})["messages"] == HI


def test_a_response_of_openais_api_is_asked_for_as_a_chat() -> None:
    talk = [*HI, {"role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}, *HI]
    made = sent(RESPONSES, {"input": talk, "instructions": "Be brief.", "max_output_tokens": 9, "store": False})
    told = {"role": "system", "content": "Be brief."}
    assert made["messages"] == [told, *HI, {"role": "assistant", "content": "Hello."}, *HI]
    assert (made["max_tokens"], "input" in made, "max_output_tokens" in made) == (9, False, False)
    for path in (RESPONSES, INPUT_TOKENS):
        assert sent(path, {"input": "hi"})["messages"] == HI


def test_a_schema_of_a_response_is_kept_to_without_a_penalty_for_repeating() -> None:
    form = {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}}
    made = sent(RESPONSES, {"input": "hi", "text": form})
    assert made["response_format"]["json_schema"]["schema"] == SCHEMA
    assert made["repeat_penalty"] == 1.0
    assert "response_format" not in sent(RESPONSES, {"input": "hi", "text": {"format": {"type": "text"}}})


def test_a_message_keeps_to_a_schema_by_its_new_and_its_older_name() -> None:
    form = {"type": "json_schema", "schema": SCHEMA}
    for asked in ({"output_config": {"format": form}}, {"output_format": form}):
        made = newer.request(MESSAGES, {"max_tokens": 9, "messages": HI, **asked}, NAME)
        assert made["response_format"]["json_schema"]["schema"] == SCHEMA
        assert made["repeat_penalty"] == 1.0
        assert "response_format" not in newer.request(TOKENS, {"messages": HI, **asked}, NAME)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (MESSAGES, {"messages": HI}, "`max_tokens` is missing"),
        (MESSAGES, {"max_tokens": 5, "messages": []}, "`messages` is empty"),
        (MESSAGES, {"max_tokens": 5}, "must be a list"),
        (MESSAGES, {"max_tokens": 0, "messages": HI}, "must be 1 at least"),
        (MESSAGES, {"max_tokens": 5, "messages": HI, "tools": [{"name": "x"}]}, "does not support tools"),
        (MESSAGES, {"max_tokens": 5, "messages": HI, "thinking": {"type": "enabled"}}, "does not support thinking"),
        (MESSAGES, {"max_tokens": 5, "messages": [{"role": "user", "content": [{"type": "image"}]}]}, "texts only"),
        (
            MESSAGES,
            {"max_tokens": 5, "messages": HI, "output_config": {"format": {"type": "x"}}},
            "must be a json_schema",
        ),
        (RESPONSES, {}, "`input` must be a list"),
        (RESPONSES, {"input": []}, "no message to answer"),
        (RESPONSES, {"input": "hi", "previous_response_id": "resp_1"}, "nothing is kept between requests"),
        (RESPONSES, {"input": "hi", "tools": [{"type": "web_search"}]}, "does not support tools"),
        (RESPONSES, {"input": "hi", "text": {"format": {"type": "json_schema"}}}, "with its `schema`"),
        (RESPONSES, {"input": "hi", "temperature": "warm"}, "`temperature` must be a number"),
        (RESPONSES, {"input": "hi", "max_output_tokens": 0}, "must be 1 at least"),
    ],
)
def test_what_can_not_be_done_is_refused(path: str, body: dict[str, Any], words: str) -> None:
    with pytest.raises(ServiceError) as refused:
        newer.request(path, body, NAME)
    assert refused.value.status == 400
    assert words in refused.value.message


def test_tools_that_may_not_be_used_do_no_harm() -> None:
    assert newer.request(RESPONSES, {"input": "hi", "tools": [{"type": "x"}], "tool_choice": "none"}, NAME)
