"""The embedded model's answers in the words of `/v1/responses` and `/v1/messages`."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from examples.ollama_mcp import said
from examples.web import BrokenOff

START = {"type": "message_start", "message": {"id": "chatcmpl-1", "usage": {"input_tokens": 3}}}
TEXT = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}
USAGE = {"prompt_tokens": 30, "completion_tokens": 2, "total_tokens": 32, "prompt_tokens_details": {"cached_tokens": 7}}


def line(event: dict[str, Any]) -> str:
    return "data: " + json.dumps(event, separators=(",", ":"))


def chunk(delta: dict[str, Any], reason: str | None = None) -> str:
    return line({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


def read(*texts: str) -> list[dict[str, Any]]:
    """The events in the texts of a stream, each with the name that its data has."""
    events = []
    for text in "".join(texts).split("\n\n")[:-1]:
        name, data = text.split("\n")
        events.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {events[-1]['type']}"
    return events


def events_of(*lines: str, asked: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    async def stream() -> AsyncIterator[str]:
        for each in lines:
            yield each

    async def collect() -> list[str]:
        return [text async for text in said.Response(asked or {}, "m").events(stream())]

    return read(*asyncio.run(collect()))


@pytest.mark.parametrize(("reason", "status"), [("stop", "completed"), ("length", "incomplete")])
def test_a_response_says_whether_its_tokens_sufficed(reason: str, status: str) -> None:
    usage = line({"choices": [], "usage": USAGE})
    lines = (chunk({"role": "assistant", "content": None}), chunk({"content": "é"}), chunk({}, reason), usage)
    *begun, last = events_of(*lines, "data: [DONE]", asked={"instructions": "Be brief.", "metadata": {"a": "b"}})
    assert [event["sequence_number"] for event in (*begun, last)] == list(range(9))
    assert [event["type"] for event in begun[:2]] == ["response.created", "response.in_progress"]
    assert last["type"] == f"response.{status}"
    found = last["response"]
    assert found["id"] == begun[0]["response"]["id"]
    assert (found["status"], found["incomplete_details"]) == (
        status,
        {"reason": "max_output_tokens"} if reason == "length" else None,
    )
    assert found["usage"] == {
        "input_tokens": 30,
        "input_tokens_details": {"cached_tokens": 7},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 32,
    }
    assert (found["instructions"], found["metadata"], found["temperature"]) == ("Be brief.", {"a": "b"}, None)
    (item,) = found["output"]
    assert (item["status"], item["content"][0]["text"]) == (status, "é")
    completion = {"choices": [{"message": {"content": "é"}, "finish_reason": reason}], "usage": USAGE}
    whole = said.Response({}, "m").whole(completion)
    assert (whole["status"], whole["usage"], whole["output"][0]["content"]) == (status, found["usage"], item["content"])


@pytest.mark.parametrize("lines", [(chunk({"content": "a"}),), (line({"error": {"message": "no"}}), "data: [DONE]")])
def test_a_response_that_does_not_end_is_broken_off(lines: tuple[str, ...]) -> None:
    with pytest.raises(BrokenOff):
        events_of(*lines)


def test_a_message_begins_once_and_in_any_case() -> None:
    message = said.Message("m")
    assert not message.lacks_its_beginning("event: message_start")
    assert not message.lacks_its_beginning(line(START))
    begun, *others = read(message.mended(line(START)), message.mended(line(START)), message.mended(line(TEXT)))
    assert begun["message"]["id"].startswith("msg_")
    assert others == [TEXT], "the engine begins again with an emoji"
    late = said.Message("m")
    assert late.lacks_its_beginning(line(TEXT)), "it does not begin with one, either"
    begun, *others = read(late.begin(9), late.mended(line(TEXT)))
    assert (begun["type"], begun["message"]["model"], begun["message"]["usage"]["input_tokens"]) == (
        "message_start",
        "m",
        9,
    )
    assert others == [TEXT]
    assert not late.lacks_its_beginning(line(TEXT))


def test_a_message_says_that_a_stop_sequence_ended_it() -> None:
    ended = {"stop_reason": "end_turn", "stop_sequence": "x"}
    assert said.Message("m").whole({**ended, "id": "chatcmpl-1"})["stop_reason"] == "stop_sequence"
    (event,) = read(said.Message("m").mended(line({"type": "message_delta", "delta": ended, "usage": {}})))
    assert event["delta"]["stop_reason"] == "stop_sequence"
    cut = {"stop_reason": "max_tokens", "stop_sequence": None}
    assert said.Message("m").whole(cut)["stop_reason"] == "max_tokens"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_first_part_of_a_chat_has_the_role(size: int) -> None:
    first, second = chunk({"content": "🌟"}), chunk({"content": "b"})
    stream = f"{first}\n\n{second}\n\ndata: [DONE]\n\n".encode()

    async def raw() -> AsyncIterator[bytes]:
        for at in range(0, len(stream), size):
            yield stream[at : at + size]

    async def collect() -> bytes:
        return b"".join([part async for part in said.with_role(raw())])

    begun, _, *rest = asyncio.run(collect()).decode().split("\n")
    delta = json.loads(begun.removeprefix("data: "))["choices"][0]["delta"]
    assert delta == {"role": "assistant", "content": "🌟"}
    assert rest == [second, "", "data: [DONE]", "", ""]
