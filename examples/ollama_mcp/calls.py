"""Calls of functions by the embedded model: only of one that the client names, because it is too small to choose.

The function's parameters are the schema of the answer, so a call is always valid. Calls and results in a conversation
are told to the model as texts. All of it in the words of three APIs: `/v1/chat/completions`, `/v1/messages` and
`/v1/responses`.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from examples.ollama_mcp import dialect, newer, said

CHAT = "/v1/chat/completions"
PATHS = (CHAT, newer.MESSAGES, newer.RESPONSES)
TALKS = (*PATHS, *newer.COUNTING)  # whose conversations may have calls in them
_OF_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")


@dataclass(frozen=True, slots=True)
class Function:
    """What a client lets the model call."""

    name: str
    about: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Called:
    """A call that the model has made."""

    function: Function
    arguments: str  # JSON; not whole where the tokens did not suffice
    is_whole: bool
    usage: dict[str, Any]
    model: str

    @property
    def value(self) -> dict[str, Any]:
        """The arguments, as far as they can be read."""
        try:
            found = json.loads(self.arguments)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def forced(path: str, body: dict[str, Any], name: str) -> Function | None:
    """The function that has to be called; None where none is. A ServiceError where the model would have to choose."""
    tools, choice = body.get("tools") or [], body.get("tool_choice")
    kind = choice if isinstance(choice, str) else choice.get("type") if isinstance(choice, dict) else None
    if path not in PATHS or not tools or kind == "none":
        return None
    if not isinstance(tools, list):
        raise dialect.refuse("`tools` must be a list")
    inner = choice.get("function") if isinstance(choice, dict) and path == CHAT else choice
    named = inner.get("name") if isinstance(inner, dict) else None
    if not named and kind not in ("required", "any") and _ends_with_a_result(body):
        return None
    if not named and (kind not in ("required", "any") or len(tools) != 1):
        why = f"{name} does not support tools that it has to choose from, it is too small for that"
        raise dialect.refuse(f"{why}: name one in `tool_choice`")
    functions = [_function(tool, name) for tool in tools]
    found = next((each for each in functions if named in (None, each.name)), None)
    if found is None:
        raise dialect.refuse(f"`tool_choice` names a function that is not in `tools`: {str(named)[:100]}")
    return found


def _function(tool: object, name: str) -> Function:
    given = tool if isinstance(tool, dict) else {}
    if given.get("type") not in (None, "function", "custom") or (given.get("type") == "custom" and "name" not in given):
        raise dialect.refuse(f"{name} does not support tools but functions")
    found = given["function"] if isinstance(given.get("function"), dict) else given
    parameters = found.get("parameters", found.get("input_schema")) or {"type": "object"}
    if not isinstance(found.get("name"), str) or not isinstance(parameters, dict):
        raise dialect.refuse("a function needs a `name`, and a JSON schema for what it takes")
    return Function(found["name"], str(found.get("description") or ""), parameters)


def _ends_with_a_result(body: dict[str, Any]) -> bool:
    talk = body.get("messages", body.get("input"))
    last = talk[-1] if isinstance(talk, list) and talk and isinstance(talk[-1], dict) else {}
    parts = last.get("content")
    kinds = [part.get("type") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return last.get("role") == "tool" or last.get("type") == "function_call_output" or "tool_result" in kinds


def told(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The request without its tools, and with the calls and results of the conversation as texts."""
    return in_words({key: value for key, value in body.items() if key not in _OF_TOOLS}) if path in TALKS else body


def in_words(body: dict[str, Any]) -> dict[str, Any]:
    """The request with the calls and results of its conversation as texts."""
    talks = {
        key: [_told(item) for item in body[key]] for key in ("messages", "input") if isinstance(body.get(key), list)
    }
    return {**body, **talks}


def _told(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    if item.get("type") == "function_call":
        return {"role": "assistant", "content": _shown(item.get("name"), item.get("arguments"))}
    if item.get("type") == "function_call_output":
        return {"role": "user", "content": _result(item.get("output"))}
    if item.get("role") == "tool":
        return {"role": "user", "content": _result(item.get("content"))}
    if isinstance(calls := item.get("tool_calls"), list) and calls:
        functions = [call.get("function") for call in calls if isinstance(call, dict)]
        shown = [_shown(each.get("name"), each.get("arguments")) for each in functions if isinstance(each, dict)]
        return {"role": "assistant", "content": "\n".join([*filter(None, [item.get("content")]), *shown])}
    if isinstance(item.get("content"), list):
        return {**item, "content": [_part(part) for part in item["content"]]}
    return item


def _part(part: Any) -> Any:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "tool_use":
        return {"type": "text", "text": _shown(part.get("name"), part.get("input"))}
    return {"type": "text", "text": _result(part.get("content"))} if kind == "tool_result" else part


def _shown(name: object, arguments: object) -> str:
    text = json.dumps(arguments, ensure_ascii=False) if isinstance(arguments, dict) else arguments
    return f"{name}({text or ''})"


def _result(content: object) -> str:
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return f"The function returned: {content}"


def request(plain: dict[str, Any], function: Function) -> dict[str, Any]:
    """What the engine is asked, from what it would be asked for an answer in words."""
    about = f": {function.about}" if function.about else ""
    note = f"Call the function {function.name}{about}. Say its arguments as JSON, with values from the conversation."
    kept = {key: value for key, value in plain.items() if key not in ("stream", "stream_options", "stop")}
    kept |= dialect.response_format(function.parameters)
    return {**kept, "repeat_penalty": 1.0, "messages": [{"role": "system", "content": note}, *plain["messages"]]}


def answered(document: dict[str, Any], function: Function, model: str) -> Called:
    """The call in the engine's answer."""
    choice = document["choices"][0]
    is_whole = choice.get("finish_reason") != "length"
    return Called(function, choice["message"].get("content") or "{}", is_whole, document.get("usage") or {}, model)


def document(path: str, called: Called) -> dict[str, Any]:
    """The call as the whole answer of an API."""
    return {CHAT: _chat, newer.MESSAGES: _message, newer.RESPONSES: _response}[path](called)


def events(path: str, called: Called, *, with_usage: bool) -> Iterator[str]:
    """The call as the events of an API, each as its text."""
    whole = document(path, called)
    if path == CHAT:
        yield from _chunks(whole, with_usage)
        return
    made = said.message_events(whole) if path == newer.MESSAGES else _response_events(whole)
    for number, (kind, facts) in enumerate(made):
        counted = {"sequence_number": number} if path == newer.RESPONSES else {}
        yield said.event(kind, {**counted, **facts})


def _chat(called: Called) -> dict[str, Any]:
    call: dict[str, Any] = {"id": said.new_id("call"), "type": "function"}
    call |= {"function": {"name": called.function.name, "arguments": called.arguments}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    reason = "tool_calls" if called.is_whole else "length"
    return {
        "id": said.new_id("chatcmpl"), "object": "chat.completion", "created": int(time.time()), "model": called.model,
        "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
        "usage": called.usage,
    }  # fmt: skip


def _chunks(whole: dict[str, Any], with_usage: bool) -> Iterator[str]:
    (choice,) = whole["choices"]
    (call,) = choice["message"]["tool_calls"]
    about = {key: whole[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    begun = {**call, "index": 0, "function": {**call["function"], "arguments": ""}}
    rest = {"index": 0, "function": {"arguments": call["function"]["arguments"]}}
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": None, "tool_calls": [begun]},
        {"tool_calls": [rest]},
        {},
    ]
    for delta in deltas:
        reason = None if delta else choice["finish_reason"]
        part = {**about, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        yield f"data: {json.dumps(part, ensure_ascii=False)}\n\n"
    if with_usage:
        yield f"data: {json.dumps({**about, 'choices': [], 'usage': whole['usage']})}\n\n"
    yield "data: [DONE]\n\n"


def _message(called: Called) -> dict[str, Any]:
    use = {"type": "tool_use", "id": said.new_id("toolu"), "name": called.function.name, "input": called.value}
    return said.message(called.model, use, "tool_use" if called.is_whole else "max_tokens", called.usage)


def _response(called: Called) -> dict[str, Any]:
    status = "completed" if called.is_whole else "incomplete"
    call = {"type": "function_call", "id": said.new_id("fc"), "call_id": said.new_id("call")}
    call |= {"name": called.function.name, "arguments": called.arguments, "status": status}
    return {**said.response(called.model, status, [call], called.usage), "tool_choice": "required"}


def _response_events(whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    (call,) = whole["output"]
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    place = {"output_index": 0, "item_id": call["id"]}
    yield "response.created", {"response": begun}
    yield "response.output_item.added", {"output_index": 0, "item": {**call, "arguments": "", "status": "in_progress"}}
    yield "response.function_call_arguments.delta", {**place, "delta": call["arguments"]}
    yield "response.function_call_arguments.done", {**place, "name": call["name"], "arguments": call["arguments"]}
    yield "response.output_item.done", {"output_index": 0, "item": call}
    yield f"response.{whole['status']}", {"response": whole}
