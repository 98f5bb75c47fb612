"""What the embedded model's engine is asked for OpenAI's `/v1/responses` and Anthropic's `/v1/messages`.

A request is made in the words of `/v1/chat/completions`; `sent` has it in those of the path where the engine is asked.
"""

from collections.abc import Mapping
from typing import Any

from examples.ollama_mcp import dialect

MESSAGES, TOKENS = "/v1/messages", "/v1/messages/count_tokens"
RESPONSES, INPUT_TOKENS = "/v1/responses", "/v1/responses/input_tokens"
COUNTING = (TOKENS, INPUT_TOKENS)
PATHS = (MESSAGES, RESPONSES, *COUNTING)
SAMPLING = ("temperature", "top_p", "top_k", "stream")


def request(path: str, body: dict[str, Any], name: str) -> dict[str, Any]:
    """What the engine is asked; a ServiceError for what so small a model cannot do."""
    if body.get("tools") and body.get("tool_choice") not in ("none", {"type": "none"}):
        raise dialect.refuse(f"{name} does not support tools")
    said = {key: body[key] for key in SAMPLING if body.get(key) is not None}
    made = _response(body, name, said) if path in (RESPONSES, INPUT_TOKENS) else _message(path, body, name, said)
    if not any(message["role"] != "system" for message in made["messages"]):
        raise dialect.refuse("there is no message to answer")
    made = dialect.checked(made)
    if made["max_tokens"] < 1:
        raise dialect.refuse("the tokens of an answer must be 1 at least")
    return made


def _message(path: str, body: dict[str, Any], name: str, said: dict[str, Any]) -> dict[str, Any]:
    thinking = body.get("thinking")
    if isinstance(thinking, dict) and thinking.get("type") not in (None, "disabled"):
        raise dialect.refuse(f"{name} does not support thinking")
    if path == MESSAGES and body.get("max_tokens") is None:
        raise dialect.refuse("`max_tokens` is missing")
    if isinstance(body.get("messages"), list) and not body["messages"]:
        raise dialect.refuse("`messages` is empty: there must be one message at least")
    told = dialect.messages([{"role": "system", "content": body["system"]}], name) if body.get("system") else []
    wanted = message_format(body) if path == MESSAGES else {}
    made = {**(dialect.FORMAL if wanted else dialect.MANNERS), **said, **wanted}
    made |= {"messages": [*told, *dialect.messages(body.get("messages"), name)]}
    for theirs, ours in (("max_tokens", "max_tokens"), ("stop_sequences", "stop")):
        if body.get(theirs) is not None:
            made[ours] = body[theirs]
    return made


def _response(body: dict[str, Any], name: str, said: dict[str, Any]) -> dict[str, Any]:
    for key in ("previous_response_id", "conversation", "prompt", "background"):
        if body.get(key):
            raise dialect.refuse(f"nothing is kept between requests here: `{key}` cannot be used")
    given = body.get("input")
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    told = [{"role": "system", "content": body["instructions"]}] if body.get("instructions") else []
    wanted = _format(body.get("text"))
    made = {**(dialect.FORMAL if wanted else dialect.MANNERS), **said, **wanted}
    made["messages"] = dialect.messages(told, name) + dialect.messages(given, name, named="input")
    if body.get("max_output_tokens") is not None:
        made["max_tokens"] = body["max_output_tokens"]
    if body.get("truncation") == "disabled":
        made["truncate"] = False
    return made


def _format(text: Any) -> dict[str, Any]:
    """`text.format`, which is `response_format` with the schema a step higher."""
    wanted = text.get("format") if isinstance(text, dict) else None
    if not isinstance(wanted, dict) or wanted.get("type") in (None, "text"):
        return {}
    if wanted["type"] == "json_object":
        return dialect.response_format("json")
    return _schema(wanted, "`text.format` must be text, json_object or a json_schema with its `schema`")


def message_format(body: Mapping[str, Any]) -> dict[str, Any]:
    """`output_config.format` of a message, or its older name, as `response_format`; empty for a message in words."""
    config = body.get("output_config")
    wanted = (config.get("format") if isinstance(config, dict) else None) or body.get("output_format")
    if wanted is None:
        return {}
    return _schema(wanted, "`output_config.format` must be a json_schema with its `schema`")


def _schema(wanted: Any, otherwise: str) -> dict[str, Any]:
    if (
        not isinstance(wanted, dict)
        or wanted.get("type") != "json_schema"
        or not isinstance(wanted.get("schema"), dict)
    ):
        raise dialect.refuse(otherwise)
    return dialect.response_format(wanted["schema"])


def sent(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The request as it goes to the engine, its conversation in the words of its API."""
    if path not in (MESSAGES, TOKENS):
        return body
    made = dict(body)
    messages = made.pop("messages")
    if system := "\n\n".join(message["content"] for message in messages if message["role"] == "system"):
        made["system"] = system
    made["messages"] = [message for message in messages if message["role"] != "system"]
    if "stop" in made:
        made["stop_sequences"] = made.pop("stop")
    return made
