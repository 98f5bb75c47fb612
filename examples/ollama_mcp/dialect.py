"""Requests and answers in Ollama's words, and what they are in OpenAI's, which the embedded model's engine understands.

Nothing here talks to anybody. Only what is known is passed to the engine: it has many options of its own that are not
for clients. A client that asks for what so small a model cannot do is told so, as an Ollama would.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from examples.web import ServiceError

# What keeps a model of 135 million parameters from rambling; a client's own values win.
MANNERS: Mapping[str, Any] = {"temperature": 0.2, "repeat_penalty": 1.15, "max_tokens": 512}
# In JSON quotes, braces and names must come again, and so must the words that are taken from a text.
FORMAL: Mapping[str, Any] = {**MANNERS, "repeat_penalty": 1.0}
# Ollama's names of options, and the engine's where they differ. Those about loading a model (num_ctx, num_gpu and so
# on) are without effect: it is loaded already.
OPTIONS = {
    "num_predict": "max_tokens",
    **{name: name for name in ("temperature", "top_k", "top_p", "min_p", "typical_p", "seed", "stop")},
    **{name: name for name in ("repeat_penalty", "repeat_last_n", "presence_penalty", "frequency_penalty")},
    **{name: name for name in ("mirostat", "mirostat_tau", "mirostat_eta")},
}
# What clients of OpenAI's API may say besides.
OPENAI = frozenset(OPTIONS.values()) | {
    *("messages", "prompt", "stream", "stream_options", "response_format", "logit_bias", "logprobs", "top_logprobs"),
}
ROLES = ("system", "user", "assistant")
TEXTS = ("text", "input_text", "output_text")  # parts of a message in OpenAI's and Anthropic's APIs
# A schema becomes a grammar, and the work for that grows with the square of its length: this much takes a second.
LONGEST_SCHEMA = 16 * 1024
MOST = sys.float_info.max


def options(engine: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's options by Ollama's names."""
    return {name: engine[key] for name, key in OPTIONS.items() if key in engine}


def refuse(message: str, code: str = "invalid_request") -> ServiceError:
    """For a request that no second try would mend."""
    return ServiceError(code, message, 400)


def messages(found: object, name: str, named: str = "messages") -> list[dict[str, str]]:
    """A conversation, checked; texts in parts are put together."""
    if not isinstance(found, list):
        raise refuse(f"`{named}` must be a list")
    checked = []
    for one in found:
        if not isinstance(one, dict):
            raise refuse("a message must be an object")
        role = "system" if one.get("role") == "developer" else one.get("role")
        if role not in ROLES:
            raise refuse(f"the role of a message must be one of {', '.join(ROLES)}")
        if one.get("images"):
            raise refuse(f"{name} does not support images")
        checked.append({"role": role, "content": _text(one.get("content"), name)})
    if checked and not any(message["content"] for message in checked):
        raise refuse("no message has a text: say something in `content`")
    return checked


def _text(content: object, name: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise refuse("the content of a message must be a text")
    texts = []
    for part in content:
        if not isinstance(part, dict) or part.get("type") not in TEXTS or not isinstance(part.get("text"), str):
            raise refuse(f"{name} understands texts only")
        texts.append(part["text"])
    return "".join(texts)


def response_format(wanted: object) -> dict[str, Any]:
    """Ollama's `format` (`json`, or a JSON schema) as OpenAI's `response_format`."""
    if wanted in (None, ""):
        return {}
    if wanted == "json":
        return {"response_format": {"type": "json_object"}}
    if not isinstance(wanted, dict):
        raise refuse('`format` must be "json" or a JSON schema')
    return {"response_format": _with_schema(wanted)}


def _with_schema(schema: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(schema)) > LONGEST_SCHEMA:
        raise refuse(f"the schema is longer than {LONGEST_SCHEMA} characters", "invalid_schema")
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def openai_request(path: str, body: dict[str, Any], name: str) -> dict[str, Any]:
    """A request of OpenAI's API for the engine."""
    for key, why in (("tools", "tools"), ("functions", "tools"), ("audio", "audio"), ("suffix", "insert")):
        if body.get(key):
            raise refuse(f"{name} does not support {why}")
    if body.get("n") not in (None, 1):
        raise refuse("one answer a request: `n` must be 1")
    said = {key: value for key, value in body.items() if key in OPENAI and value is not None}
    wanted = said.get("response_format", {"type": "text"})
    if not isinstance(wanted, dict) or wanted.get("type") not in ("text", "json_object", "json_schema"):
        raise refuse("the type of `response_format` must be one of text, json_object, json_schema")
    request = {**(MANNERS if wanted["type"] == "text" else FORMAL), **said}
    if body.get("max_completion_tokens") is not None:  # its newer name
        request["max_tokens"] = body["max_completion_tokens"]
    if isinstance(request["max_tokens"], int) and request["max_tokens"] < 1:
        raise refuse("`max_tokens` must be 1 at least")
    if path == "/v1/chat/completions":
        request["messages"] = messages(body.get("messages"), name)
        if not request["messages"]:
            raise refuse("`messages` is empty: there must be one message at least")
        request.pop("prompt", None)
    else:
        request["prompt"] = _prompt(request.get("prompt"))
    if wanted["type"] == "json_schema":
        schema = wanted.get("json_schema")
        schema = schema.get("schema") if isinstance(schema, dict) else None
        if not isinstance(schema, dict):
            raise refuse("`response_format` has no schema in `json_schema`", "invalid_schema")
        request["response_format"] = _with_schema(schema)
    return checked(request)


def _prompt(prompt: object) -> str:
    """A text, or the only one of a list, as LangChain sends it."""
    if isinstance(prompt, list) and len(prompt) > 1:
        raise refuse("one answer a request: `prompt` must be one text")
    text = prompt[0] if isinstance(prompt, list) and prompt else prompt
    if not isinstance(text, str) or not text:
        raise refuse("`prompt` must be a text, and not empty")
    return text


def checked(request: dict[str, Any]) -> dict[str, Any]:
    """The engine takes the nearest thing for a wrong type, or counts past the end of its numbers."""
    for key in ("max_tokens", "top_k", "repeat_last_n", "seed", "mirostat"):
        value = request.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
            raise refuse(f"`{key}` must be a whole number")
    for key in ("temperature", "top_p", "min_p", "typical_p", "repeat_penalty", "presence_penalty"):
        value = request.get(key, 0)
        # Compared as they are: a whole number of 400 digits is no float.
        if isinstance(value, bool) or not isinstance(value, int | float) or not -MOST <= value <= MOST:
            raise refuse(f"`{key}` must be a number")
    stop = request.get("stop", [])
    if not isinstance(stop, str) and not (isinstance(stop, list) and all(isinstance(one, str) for one in stop)):
        raise refuse("`stop` must be a text or a list of texts")
    return request


class Dialog:
    """One request to `/api/chat` or `/api/generate`: what it is to the engine, and the engine's words as Ollama's."""

    def __init__(self, path: str, body: dict[str, Any], name: str) -> None:
        for key, why in (("tools", "tools"), ("images", "images"), ("suffix", "insert"), ("template", "templates")):
            if body.get(key):
                raise refuse(f"{name} does not support {why}")
        if body.get("think"):
            raise refuse(f"{name} does not support thinking")
        self.is_done = False
        self._name = name
        self._is_chat = path == "/api/chat"
        self._started = time.monotonic_ns()
        self._reason = "stop"
        self._timings: dict[str, Any] = {}
        self.path = "/v1/chat/completions"
        about: dict[str, Any]
        if self._is_chat:
            found = body.get("messages")
            about = {"messages": messages([] if found is None else found, name)}
            self.only_loads = not about["messages"]
        else:
            prompt, system = body.get("prompt") or "", body.get("system") or ""
            if not isinstance(prompt, str) or not isinstance(system, str):
                raise refuse("`prompt` and `system` must be texts")
            self.only_loads = not prompt
            if body.get("raw"):
                self.path, about = "/v1/completions", {"prompt": prompt}
            else:
                said = [{"role": "system", "content": system}] if system else []
                about = {"messages": [*said, {"role": "user", "content": prompt}]}
        self.only_unloads = self.only_loads and body.get("keep_alive") in (0, "0", "0s")
        options = body.get("options") or {}
        if not isinstance(options, dict):
            raise refuse("`options` must be an object")
        known = {OPTIONS[key]: value for key, value in options.items() if key in OPTIONS and value is not None}
        if known.get("max_tokens") in (0, -2):  # no limit but that of the context, as with an Ollama
            known["max_tokens"] = -1
        wanted = response_format(body.get("format"))
        self.request = checked({**(FORMAL if wanted else MANNERS), **known, **about, **wanted})
        if body.get("truncate") is False:
            self.request["truncate"] = False
        self.request |= {"stream": True, "stream_options": {"include_usage": True}}

    def loaded(self) -> dict[str, Any]:
        """The answer to a request without a question, by which clients of Ollama have a model loaded, or unloaded."""
        return {**self._part(""), "done": True, "done_reason": "unload" if self.only_unloads else "load"}

    def parts(self, line: str) -> Iterator[dict[str, Any]]:
        """What one line of the engine's events is in Ollama's words."""
        if not line.startswith("data: "):
            return
        if line == "data: [DONE]":
            self.is_done = True
            yield self._last()
            return
        event = json.loads(line.removeprefix("data: "))
        if "error" in event:
            raise ServiceError("internal_error", f"the embedded model broke off: {event['error']}", 500)
        self._timings = event.get("timings") or self._timings
        for choice in event["choices"]:
            self._reason = choice.get("finish_reason") or self._reason
            if piece := choice.get("text") or choice.get("delta", {}).get("content"):
                yield {**self._part(piece), "done": False}

    def _part(self, piece: str) -> dict[str, Any]:
        said = {"message": {"role": "assistant", "content": piece}} if self._is_chat else {"response": piece}
        return {"model": self._name, "created_at": datetime.now(UTC).isoformat(), **said}

    def _last(self) -> dict[str, Any]:
        def nanoseconds(key: str) -> int:
            return int(self._timings.get(key, 0) * 1e6)

        return {
            **self._part(""),
            "done": True,
            "done_reason": self._reason,
            "total_duration": time.monotonic_ns() - self._started,
            "load_duration": 0,
            # llama.cpp need not read again what it remembers of the last prompt; to a client it is all the prompt.
            "prompt_eval_count": self._timings.get("prompt_n", 0) + self._timings.get("cache_n", 0),
            "prompt_eval_duration": nanoseconds("prompt_ms"),
            "eval_count": self._timings.get("predicted_n", 0),
            "eval_duration": nanoseconds("predicted_ms"),
        }


def joined(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A streamed answer as the one that a client gets who does not stream."""
    last = parts[-1]
    if "message" in last:
        text = "".join(part["message"]["content"] for part in parts)
        return {**last, "message": {"role": "assistant", "content": text}}
    return {**last, "response": "".join(part["response"] for part in parts)}


def refusal(status: int, content: bytes, request: Mapping[str, Any]) -> ServiceError:
    """What to tell a client whose request the engine does not take."""
    try:
        error = json.loads(content)["error"]
        kind, message = str(error.get("type")), str(error["message"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return ServiceError("internal_error", f"the embedded model answered {status}", 500)
    if kind == "exceed_context_size_error":
        why = f"the prompt has {error.get('n_prompt_tokens')} tokens, and there is room for {error.get('n_ctx')}"
        return refuse(why, "context_length_exceeded")
    if "too large to process" in message:
        return refuse(f"the {message.partition(' is too large')[0]} is too long", "context_length_exceeded")
    if request.get("response_format", {}).get("type") == "json_schema" and ("schema" in message or "gramm" in message):
        return refuse(
            f"the schema cannot be used: {message.partition('JSON schema error ')[2] or message}"[:500],
            "invalid_schema",
        )
    if status == 400:
        return refuse(message[:500])
    return ServiceError("internal_error", f"the embedded model: {message[:500]}", 500)
