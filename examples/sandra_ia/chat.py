"""One chat request: what is asked, and the answer in OpenAI's shape."""

import json
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from examples.sandra_ia.classify import BACKENDS, Candidate, Decision, Table
from examples.web import ServiceError


@dataclass(frozen=True, slots=True)
class Question:
    """A request's messages, the last thing that the user said in them, and the decision about it."""

    messages: list[dict[str, Any]]
    text: str
    decision: Decision


def question(table: Table, body: dict[str, Any]) -> Question:
    """Reads an OpenAI request. A model called `groq/NAME` or `ollama/NAME` is used as it says; any other is ours."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(message, dict) for message in messages):
        raise ServiceError("invalid_messages", "`messages` must be a list with at least one message", 422)
    said = [message for message in messages if message.get("role") == "user"]
    text, has_image = _text(said[-1].get("content")) if said else ("", False)
    decision = table.decide(text)
    if has_image:
        vision = next((task for task in table.tasks if task.name == "vision"), None)
        decision = Decision("vision", 1, vision.candidates if vision else decision.candidates)
    kind, slash, name = str(body.get("model") or "").partition("/")
    if slash and kind in BACKENDS:
        pinned = (Candidate(BACKENDS[kind], name),)
        return Question(messages, text, replace(decision, candidates=pinned, answer=""))
    return Question(messages, text, decision)


def completion(text: str, model: str = "sandra") -> dict[str, Any]:
    """A finished answer of our own."""
    message = {"role": "assistant", "content": text}
    return {
        **_head("chat.completion", model),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }


async def events(text: str, model: str = "sandra") -> AsyncIterator[bytes]:
    """The same as a stream."""
    head = _head("chat.completion.chunk", model)
    for delta, end in (({"role": "assistant", "content": text}, None), ({}, "stop")):
        part = {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
        yield f"data: {json.dumps(part)}\n\n".encode()
    yield b"data: [DONE]\n\n"


def _head(kind: str, model: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": model}


def _text(content: Any) -> tuple[str, bool]:
    """The words of a message, whose content is a text or a list of parts, and whether there is a picture in it."""
    if isinstance(content, str):
        return content, False
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    words = " ".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")
    return words, any(part.get("type") == "image_url" for part in parts)
