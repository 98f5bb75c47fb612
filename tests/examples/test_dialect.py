"""Ollama's words and those of the embedded model's engine."""

import base64
import json
import math
import struct
from typing import Any

import pytest

from examples.ollama_mcp import dialect
from examples.ollama_mcp.dialect import Dialog
from examples.ollama_mcp.vectors import VectorWish
from examples.web import ServiceError, json_object

NAME = "smollm2:135m"
HI = [{"role": "user", "content": "hi"}]
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}


def event(**fields: Any) -> str:
    return "data: " + json.dumps(fields)


def test_a_chat_becomes_a_streamed_request_with_manners() -> None:
    dialog = Dialog("/api/chat", {"messages": HI, "options": {"num_predict": 9, "temperature": 1, "num_ctx": 5}}, NAME)
    assert dialog.path == "/v1/chat/completions"
    assert dialog.request == {
        "messages": HI,
        "max_tokens": 9,
        "temperature": 1,
        "repeat_penalty": 1.15,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_prompt_becomes_a_chat_unless_it_is_raw() -> None:
    asked = {"prompt": "hi", "system": "be brief"}
    system = {"role": "system", "content": "be brief"}
    assert Dialog("/api/generate", asked, NAME).request["messages"] == [system, *HI]
    raw = Dialog("/api/generate", {**asked, "raw": True}, NAME)
    assert (raw.path, raw.request["prompt"]) == ("/v1/completions", "hi")


@pytest.mark.parametrize(
    ("wanted", "kind"), [(None, None), ("", None), ("json", "json_object"), (SCHEMA, "json_schema")]
)
def test_format_is_response_format(wanted: Any, kind: str | None) -> None:
    request = Dialog("/api/chat", {"messages": HI, "format": wanted}, NAME).request
    assert request.get("response_format", {}).get("type") == kind


OBJECT = {"type": "json_object"}
BY_SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}


@pytest.mark.parametrize(
    ("wanted", "said", "penalty"),
    [
        (None, None, 1.15),
        ("", None, 1.15),
        ("json", None, 1.0),
        (SCHEMA, None, 1.0),
        (SCHEMA, 1.3, 1.3),
        ("json", 0, 0),
        (None, 1.0, 1.0),
    ],
)
@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
def test_repeating_is_not_penalised_where_ollama_is_asked_for_a_format(
    path: str, wanted: Any, said: float | None, penalty: float
) -> None:
    body = {"messages": HI, "prompt": "hi", "format": wanted, "options": {"repeat_penalty": said}}
    assert Dialog(path, body, NAME).request["repeat_penalty"] == penalty


@pytest.mark.parametrize(
    ("wanted", "said", "penalty"),
    [
        (None, None, 1.15),
        ({"type": "text"}, None, 1.15),
        (OBJECT, None, 1.0),
        (BY_SCHEMA, None, 1.0),
        (BY_SCHEMA, 1.3, 1.3),
        ({"type": "text"}, 1.0, 1.0),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
def test_repeating_is_not_penalised_where_openai_is_asked_for_a_format(
    path: str, wanted: Any, said: float | None, penalty: float
) -> None:
    body = {"messages": HI, "prompt": "hi", "response_format": wanted, "repeat_penalty": said}
    assert dialect.openai_request(path, body, NAME)["repeat_penalty"] == penalty


def test_events_become_parts_and_the_last_one_has_the_figures() -> None:
    dialog = Dialog("/api/chat", {"messages": HI}, NAME)
    timings = {"prompt_n": 3, "cache_n": 28, "prompt_ms": 2.0, "predicted_n": 2, "predicted_ms": 4.5}
    lines = (
        event(choices=[{"delta": {"role": "assistant", "content": None}, "finish_reason": None}]),
        event(choices=[{"delta": {"content": "He"}, "finish_reason": None}]),
        "",
        event(choices=[{"delta": {"content": "llo"}, "finish_reason": None}]),
        event(choices=[{"delta": {}, "finish_reason": "length"}]),
        event(choices=[], timings=timings),
    )
    parts = [part for line in lines for part in dialog.parts(line)]
    assert [part["message"]["content"] for part in parts] == ["He", "llo"]
    before = dialog.is_done
    parts += dialog.parts("data: [DONE]")
    assert (before, dialog.is_done) == (False, True)
    last = parts[-1]
    assert (last["done"], last["done_reason"], last["prompt_eval_count"], last["eval_count"]) == (True, "length", 31, 2)
    assert last["eval_duration"] == 4_500_000
    assert dialect.joined(parts)["message"]["content"] == "Hello"


def test_the_words_of_a_completion_are_the_response() -> None:
    dialog = Dialog("/api/generate", {"prompt": "hi", "raw": True}, NAME)
    parts = [*dialog.parts(event(choices=[{"text": "ho", "finish_reason": "stop"}])), *dialog.parts("data: [DONE]")]
    assert [part["response"] for part in parts] == ["ho", ""]
    assert dialect.joined(parts)["response"] == "ho"


def test_a_request_without_a_question_only_loads() -> None:
    bodies: tuple[dict[str, Any], ...] = ({}, {"messages": []}, {"prompt": ""})
    for path in ("/api/chat", "/api/generate"):
        for body in bodies:
            dialog = Dialog(path, body, NAME)
            assert dialog.only_loads
            loaded = dialog.loaded()
            assert loaded["done_reason"] == "load"
            assert loaded.get("message", {"content": loaded.get("response")})["content"] == ""  # nothing is invented
            for kept in (0, "0s"):
                dialog = Dialog(path, {**body, "keep_alive": kept}, NAME)
                assert (dialog.only_unloads, dialog.loaded()["done_reason"]) == (True, "unload")
            assert not Dialog(path, {**body, "keep_alive": "5m"}, NAME).only_unloads
    assert not Dialog("/api/generate", {"prompt": "hi", "keep_alive": 0}, NAME).only_unloads


def test_the_only_prompt_of_a_list_is_the_prompt() -> None:
    assert dialect.openai_request("/v1/completions", {"prompt": ["hi"]}, NAME)["prompt"] == "hi"
    for prompt in (["a", "b"], [], [""], [5], ""):
        with pytest.raises(ServiceError, match="`prompt` must be"):
            dialect.openai_request("/v1/completions", {"prompt": prompt}, NAME)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"messages": "hi"}, "invalid_request"),
        ({"messages": ["hi"]}, "invalid_request"),
        ({"messages": {}}, "invalid_request"),
        ({"messages": [{"role": "user", "content": ""}]}, "invalid_request"),
        ({"messages": [{"role": "system"}, {"role": "user", "content": []}]}, "invalid_request"),
        ({"messages": [{"role": "alien", "content": "x"}]}, "invalid_request"),
        ({"messages": [{"role": "user", "content": 5}]}, "invalid_request"),
        ({"messages": [{"role": "user", "content": "x", "images": ["AA=="]}]}, "invalid_request"),
        ({"messages": HI, "tools": [{}]}, "invalid_request"),
        ({"messages": HI, "think": True}, "invalid_request"),
        ({"messages": HI, "options": 5}, "invalid_request"),
        ({"messages": HI, "options": {"temperature": "hot"}}, "invalid_request"),
        ({"messages": HI, "options": {"temperature": math.inf}}, "invalid_request"),
        ({"messages": HI, "options": {"num_predict": 2**40}}, "invalid_request"),
        ({"messages": HI, "options": {"stop": [5]}}, "invalid_request"),
        ({"messages": HI, "format": 5}, "invalid_request"),
        ({"messages": HI, "format": {"enum": ["x" * dialect.LONGEST_SCHEMA]}}, "invalid_schema"),
    ],
)
def test_what_can_not_be_done_is_refused_with_400(body: dict[str, Any], code: str) -> None:
    with pytest.raises(ServiceError) as refused:
        Dialog("/api/chat", body, NAME)
    assert (refused.value.status, refused.value.code) == (400, code)


def test_only_known_options_of_openai_reach_the_engine() -> None:
    body = {"messages": HI, "id_slot": 7, "grammar": "x", "max_completion_tokens": 5, "user": "ada", "seed": None}
    request = dialect.openai_request("/v1/chat/completions", body, NAME)
    assert set(request) == {"messages", "temperature", "repeat_penalty", "max_tokens"}
    assert request["max_tokens"] == 5


def test_texts_in_parts_are_put_together() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert dialect.messages([{"role": "developer", "content": parts}], NAME) == [{"role": "system", "content": "ab"}]


@pytest.mark.parametrize(
    "body",
    [
        {"messages": HI, "n": 2},
        {"messages": HI, "tools": [{}]},
        {"messages": HI, "response_format": "json"},
        {"messages": HI, "response_format": {"type": "yaml"}},
        {"messages": HI, "response_format": {"type": "json_schema"}},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/"}}]}]},
        {},
    ],
)
def test_what_openai_can_and_the_model_can_not_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ServiceError) as refused:
        dialect.openai_request("/v1/chat/completions", body, NAME)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/v1/chat/completions", {"messages": []}, "`messages` is empty"),
        ("/v1/chat/completions", {"messages": [], "prompt": "hi"}, "`messages` is empty"),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": ""}]}, "no message has a text"),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": None}]}, "no message has a text"),
        ("/v1/chat/completions", {"prompt": "hi"}, "`messages` must be a list"),
        ("/v1/completions", {"prompt": ""}, "not empty"),
        ("/v1/completions", {"prompt": None}, "not empty"),
        ("/v1/completions", {}, "not empty"),
    ],
)
def test_nothing_is_invented_where_nothing_is_asked(path: str, body: dict[str, Any], words: str) -> None:
    with pytest.raises(ServiceError, match=words) as refused:
        dialect.openai_request(path, body, NAME)
    assert refused.value.status == 400


def test_a_conversation_may_have_an_empty_message_among_others() -> None:
    asked = [{"role": "system", "content": ""}, *HI]
    assert dialect.openai_request("/v1/chat/completions", {"messages": asked}, NAME)["messages"] == asked


def test_a_vector_that_is_cut_has_length_1_again() -> None:
    wish = VectorWish.of({"input": "a", "dimensions": 2})
    assert (wish.texts, wish.truncate) == (["a"], True)
    assert wish.cut([3.0, 4.0, 12.0]) == [0.6, 0.8]
    assert VectorWish.of({"input": ["a"]}).cut([1.0, 2.0]) == [1.0, 2.0]
    document = {"object": "list", "data": [{"index": 0, "embedding": [3.0, 4.0, 12.0]}]}
    (one,) = wish.cut_all(document, as_base64=False)["data"]
    assert one == {"index": 0, "embedding": [0.6, 0.8]}
    (one,) = wish.cut_all(document, as_base64=True)["data"]
    assert struct.unpack("<2f", base64.b64decode(one["embedding"])) == pytest.approx((0.6, 0.8))


@pytest.mark.parametrize("body", [{"input": 5}, {"input": [5]}, {"input": ""}, {"input": "a", "dimensions": "2"}])
def test_what_no_vector_can_be_made_of_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ServiceError) as refused:
        VectorWish.of(body)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (
            400,
            {"type": "exceed_context_size_error", "message": "m", "n_prompt_tokens": 9, "n_ctx": 5},
            (400, "context"),
        ),
        (500, {"type": "server_error", "message": "input (9 tokens) is too large to process. x"}, (400, "context")),
        (400, {"type": "invalid_request_error", "message": "JSON schema error at #: no"}, (400, "invalid_schema")),
        (400, {"type": "invalid_request_error", "message": "Failed to parse grammar"}, (400, "invalid_schema")),
        (400, {"type": "invalid_request_error", "message": "else"}, (400, "invalid_request")),
        (500, {"type": "server_error", "message": "else"}, (500, "internal_error")),
    ],
)
def test_the_engines_refusals_in_our_words(status: int, error: dict[str, Any], expected: tuple[int, str]) -> None:
    request = {"response_format": {"type": "json_schema"}}
    refused = dialect.refusal(status, json.dumps({"error": error}).encode(), request)
    assert refused.status == expected[0]
    assert refused.code.startswith(expected[1])


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"error": "x"}', b"\xff"])
def test_a_refusal_that_can_not_be_read_is_our_mistake(content: bytes) -> None:
    assert dialect.refusal(500, content, {}).code == "internal_error"


@pytest.mark.parametrize("value", [10**400, -(10**400), float("inf"), float("nan"), True, "1"])
def test_a_number_beyond_all_numbers_is_refused(value: object) -> None:
    body = {"messages": [{"role": "user", "content": "hi"}], "temperature": value}
    with pytest.raises(ServiceError) as caught:
        dialect.openai_request("/v1/chat/completions", body, "tiny")
    assert caught.value.status == 400


def test_no_tokens_at_all_are_a_mistake_and_with_ollama_no_limit() -> None:
    for asked in ({"max_tokens": 0}, {"max_completion_tokens": 0}, {"max_tokens": -1}):
        with pytest.raises(ServiceError, match="must be 1 at least"):
            dialect.openai_request("/v1/chat/completions", {"messages": HI, **asked}, NAME)
    for number in (0, -1, -2):
        assert (
            Dialog("/api/chat", {"messages": HI, "options": {"num_predict": number}}, NAME).request["max_tokens"] == -1
        )


def test_half_of_a_pair_of_characters_is_no_trouble() -> None:
    read = json_object(b'{"a": ["\\ud83d", "x\\uDE00y", "\\ud83d\\ude00", "\\\\ud83d"], "\\udc00": 1, "n": null}')
    assert read == {"a": ["\ufffd", "x\ufffdy", "\U0001f600", "\\ud83d"], "\ufffd": 1, "n": None}
    json.dumps(read, ensure_ascii=False).encode()
