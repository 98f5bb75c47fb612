"""The embedded model's answers in the words of `/v1/responses` and `/v1/messages`, whole and as events.

The engine knows both APIs, but does not say why a response ended. And where an answer begins with a letter of several
tokens, such as an emoji, it leaves out the beginning of the stream or repeats it, and clients give up. So a response is
made of a chat completion, and the events of a message and of a chat completion are put right.
"""

import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from examples.web import BrokenOff

# What a response repeats of its request, and what it says where the request is silent.
_REPEATED: Mapping[str, Any] = {
    **dict.fromkeys(("instructions", "max_output_tokens", "temperature", "top_p")),
    **{"metadata": {}, "text": {"format": {"type": "text"}}, "truncation": "auto"},
}


def new_id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex}"


def response(
    model: str,
    status: str,
    output: list[dict[str, Any]],
    usage: dict[str, Any] | None,
    asked: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A response: `completed`, `incomplete` where the tokens did not suffice, or `in_progress`."""
    cut = {"reason": "max_output_tokens"} if status == "incomplete" else None
    repeated = {key: (asked or {}).get(key) or silent for key, silent in _REPEATED.items()}
    return {
        "id": new_id("resp"), "object": "response", "created_at": int(time.time()), "status": status, "error": None,
        "incomplete_details": cut, "model": model, "output": output, "parallel_tool_calls": False,
        "tool_choice": "auto", "tools": [], **repeated, "usage": usage and _counts(usage),
    }  # fmt: skip


def _counts(usage: dict[str, Any]) -> dict[str, Any]:
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
    return {
        "input_tokens": usage.get("prompt_tokens", 0), "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": usage.get("completion_tokens", 0), "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.get("total_tokens", 0),
    }  # fmt: skip


class Response:
    """The answer to a request `asked`, as it is made of a chat completion."""

    def __init__(self, asked: Mapping[str, Any], model: str) -> None:
        self._asked = asked
        self._model = model
        self._begun = response(model, "in_progress", [], None, asked)
        self._item = new_id("msg")
        self._text = ""
        self._reason = "stop"
        self._usage: dict[str, Any] = {}
        self._number = 0

    def whole(self, completion: dict[str, Any]) -> dict[str, Any]:
        """The response as a whole."""
        (choice,) = completion["choices"]
        self._text, self._usage = choice["message"].get("content") or "", completion.get("usage") or {}
        self._reason = choice.get("finish_reason") or "stop"
        return self._ended()

    async def events(self, lines: AsyncIterator[str]) -> AsyncIterator[str]:
        """Its events, of the lines of a stream."""
        place = {"item_id": self._item, "output_index": 0, "content_index": 0}
        for kind in ("response.created", "response.in_progress"):
            yield self._event(kind, {"response": self._begun})
        yield self._event("response.output_item.added", {"output_index": 0, "item": self._message("in_progress")})
        yield self._event("response.content_part.added", {**place, "part": _part("")})
        async for chunk in _chunks(lines):
            self._usage = chunk.get("usage") or self._usage
            for choice in chunk["choices"]:
                self._reason = choice.get("finish_reason") or self._reason
                if piece := choice["delta"].get("content"):
                    self._text += piece
                    yield self._event("response.output_text.delta", {**place, "delta": piece, "logprobs": []})
        whole = self._ended()
        yield self._event("response.output_text.done", {**place, "text": self._text, "logprobs": []})
        yield self._event("response.content_part.done", {**place, "part": _part(self._text)})
        yield self._event("response.output_item.done", {"output_index": 0, "item": whole["output"][0]})
        yield self._event(f"response.{whole['status']}", {"response": whole})

    def _ended(self) -> dict[str, Any]:
        status = "incomplete" if self._reason == "length" else "completed"
        whole = response(self._model, status, [self._message(status)], self._usage, self._asked)
        return {**whole, "id": self._begun["id"], "created_at": self._begun["created_at"]}

    def _message(self, status: str) -> dict[str, Any]:
        content = [] if status == "in_progress" else [_part(self._text)]
        return {"id": self._item, "type": "message", "role": "assistant", "status": status, "content": content}

    def _event(self, kind: str, facts: dict[str, Any]) -> str:
        number, self._number = self._number, self._number + 1
        return event(kind, {"sequence_number": number, **facts})


async def _chunks(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    """The chunks of a streamed chat completion, to its end."""
    async for line in lines:
        if line == "data: [DONE]":
            return
        if line.startswith("data: {"):
            chunk = json.loads(line.removeprefix("data: "))
            if "choices" not in chunk:
                break
            yield chunk
    raise BrokenOff("the embedded model broke off")


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def event(kind: str, facts: Mapping[str, Any]) -> str:
    """An event that names its type, as those of both APIs do."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **facts}, ensure_ascii=False)}\n\n"


def message(model: str, block: dict[str, Any], reason: str, usage: dict[str, Any]) -> dict[str, Any]:
    """A message of Anthropic's API with one block of content, and the `usage` of a chat completion."""
    counts = {"input_tokens": usage.get("prompt_tokens", 0), "output_tokens": usage.get("completion_tokens", 0)}
    return {
        "id": new_id("msg"), "type": "message", "role": "assistant", "model": model, "content": [block],
        "stop_reason": reason, "stop_sequence": None, "usage": counts,
    }  # fmt: skip


def message_events(whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same as events."""
    (block,) = whole["content"]
    if block["type"] == "text":
        empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
    else:
        arguments = json.dumps(block["input"], ensure_ascii=False)
        empty, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": arguments}
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 0}}
    yield "message_start", {"message": begun}
    yield "content_block_start", {"index": 0, "content_block": empty}
    yield "content_block_delta", {"index": 0, "delta": delta}
    yield "content_block_stop", {"index": 0}
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"delta": ended, "usage": {"output_tokens": whole["usage"]["output_tokens"]}}
    yield "message_stop", {}


class Message:
    """The engine's own message, put right."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._has_begun = False

    def whole(self, found: dict[str, Any]) -> dict[str, Any]:
        return {**_with_reason(found), "id": new_id("msg")}

    def lacks_its_beginning(self, line: str) -> bool:
        """Whether the first event has come, and is not the beginning."""
        return not self._has_begun and line.startswith("data: {") and '"type":"message_start"' not in line

    def begin(self, tokens: int) -> str:
        """The beginning, of a message that answers so many tokens."""
        self._has_begun = True
        (kind, facts), *_ = message_events(message(self._model, {"type": "text", "text": ""}, "", {}))
        facts["message"]["usage"]["input_tokens"] = tokens
        return event(kind, facts)

    def mended(self, line: str) -> str:
        """What comes of a line of events; nothing for a beginning that comes again."""
        if not line.startswith("data: {"):
            return ""
        facts = json.loads(line.removeprefix("data: "))
        kind = facts.pop("type")
        if kind == "message_start":
            if self._has_begun:
                return ""
            self._has_begun = True
            facts["message"]["id"] = new_id("msg")
        if kind == "message_delta":
            facts["delta"] = _with_reason(facts["delta"])
        return event(kind, facts)


def _with_reason(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "stop_reason": "stop_sequence"} if found.get("stop_sequence") is not None else found


async def with_role(raw: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The events of a chat completion, of which the first has the role in any case."""
    head: bytes | None = b""
    async for part in raw:
        if head is None:
            yield part
            continue
        head += part
        line, end, rest = head.partition(b"\n")
        if end:
            yield _said_by_the_assistant(line) + end + rest
            head = None
    if head:
        yield head


def _said_by_the_assistant(line: bytes) -> bytes:
    if not line.startswith(b"data: {"):
        return line
    chunk = json.loads(line.removeprefix(b"data: "))
    for choice in chunk.get("choices", ()):
        choice["delta"].setdefault("role", "assistant")
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode()
