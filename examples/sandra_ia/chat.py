"""One chat request: what is asked, and the answer in OpenAI's shape."""

import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from examples.sandra_ia.classify import BACKENDS, GENERAL, MODES, Candidate, Decision, Table
from examples.web import ServiceError

# What `/v1/models` lists; `groq/NAME` and `ollama/NAME` name a backend's own model.
MODELS = {"sandra": "auto", **{f"sandra-{mode}": mode for mode in MODES}}
NOTHING_USED: Mapping[str, Any] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


@dataclass(frozen=True, slots=True)
class Question:
    """What the last message of a request is taken for, and how it shall be answered."""

    decision: Decision
    mode: str
    text: str = ""
    pinned: bool = False  # the client names the model of a backend


def question(table: Table, body: dict[str, Any]) -> Question:
    """Reads an OpenAI request. The model is one of `MODELS` or a backend's; any other means `sandra`."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(message, dict) for message in messages):
        raise ServiceError("invalid_messages", "`messages` must be a list with at least one message", 400)
    said = [message for message in messages if message.get("role") == "user"]
    text, has_image = _text(said[-1].get("content")) if said else ("", False)
    decision = table.decision("vision", 1) if has_image else table.decide(text)
    if decision.answer and wants_form(body):  # words of our own are no JSON, and call no function
        decision = table.decision(GENERAL, 0)
    model = str(body.get("model") or "")
    kind, slash, name = model.partition("/")
    if slash and kind in BACKENDS:
        pinned = (Candidate(BACKENDS[kind], name),)
        return Question(replace(decision, candidates=pinned, answer=""), MODES[0], text, pinned=True)
    return Question(decision, mode_of(decision, MODELS.get(model, "auto")), text)


def wants_form(body: dict[str, Any]) -> bool:
    """Whether only JSON, or the call of a function, is an answer."""
    form, choice = body.get("response_format"), body.get("tool_choice")
    return (isinstance(form, dict) and form.get("type") not in (None, "text")) or choice not in (None, "auto", "none")


def wants_usage(body: dict[str, Any]) -> bool:
    """Whether a stream shall end with how many tokens there were."""
    options = body.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def mode_of(decision: Decision, wanted: str) -> str:
    """How to ask: what the client says, or with `auto` what the table has for the task."""
    return decision.mode if wanted == "auto" else wanted


def completion(text: str, model: str = "sandra") -> dict[str, Any]:
    """A finished answer of our own."""
    message = {"role": "assistant", "content": text}
    return {
        **head_of("chat.completion", model),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": NOTHING_USED,
    }


async def as_parts(text: str, model: str = "sandra", usage: Mapping[str, Any] | None = None) -> AsyncIterator[bytes]:
    """The same as a stream, with its `usage` at the end if there is one."""
    head = head_of("chat.completion.chunk", model)
    for delta, end in (({"role": "assistant", "content": text}, None), ({}, "stop")):
        part = {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
        yield f"data: {json.dumps(part)}\n\n".encode()
    if usage is not None:
        yield f"data: {json.dumps({**head, 'choices': [], 'usage': dict(usage)})}\n\n".encode()
    yield b"data: [DONE]\n\n"


def head_of(kind: str, model: str) -> dict[str, Any]:
    """What every answer begins with; all parts of a stream share one."""
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": model}


def _text(content: Any) -> tuple[str, bool]:
    """The words of a message, whose content is a text or a list of parts, and whether there is a picture in it."""
    if isinstance(content, str):
        return content, False
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    words = " ".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")
    return words, any(part.get("type") == "image_url" for part in parts)
