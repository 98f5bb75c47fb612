"""The JSON Schemas of what programs read: the events of the journal, and the lines of the control protocol."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from supervisor.control.progress import Reason
from supervisor.control.requests import REQUESTS
from supervisor.core import journal

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS: Mapping[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def events() -> dict[str, Any]:
    """The schema of one event."""
    about = {
        "time": {"type": "string", "format": "date-time"}, "seq": {"type": "integer", "minimum": 1},
        "level": {"enum": ["info", "warning", "error"]}, "service": {"type": "string"}, "replica": {"type": "integer"},
        "state": {"type": "string"},
    }  # fmt: skip
    kinds = [
        {
            "description": (each.__doc__ or "").strip(),
            "properties": {
                "event": {"const": each.event},
                "level": {"const": each.level},
                **{name: _of_type(kind, {}) for name, kind in each.types().items() if name != "replica"},
            },
            "required": ["event", *each.required()],
        }
        for each in journal.ALL
    ]
    return {
        "$schema": _DRAFT, "title": "An event of portsup", "type": "object", "properties": about,
        "required": ["time", "level", "event"], "anyOf": kinds,
    }  # fmt: skip


def control() -> dict[str, Any]:
    """The schema of a line of the control protocol: a request, or a line of an answer."""
    definitions: dict[str, Any] = {}
    for do, request in REQUESTS.items():
        asked = _of_message(request, definitions)
        fixed = {"v": {"const": 1}, "do": {"const": do}}
        definitions[f"request {do}"] = {
            **asked, "properties": {**fixed, **asked["properties"]}, "required": ["v", "do", *asked["required"]],
            "additionalProperties": False, "x-answer": request.answer.__name__,
        }  # fmt: skip
        _of_type(request.answer, definitions)
    refused = {"ok": {"const": False}, "error": _of_type(Reason, definitions)}
    definitions["refusal"] = {"type": "object", "properties": refused, "required": ["ok", "error"]}
    fine = {"properties": {"ok": {"const": True}}, "required": ["ok"]}
    answers = sorted({each.answer.__name__ for each in REQUESTS.values()})
    definitions |= {f"answer {name}": {"allOf": [fine, {"$ref": f"#/$defs/{name}"}]} for name in answers}
    named = [*(f"request {do}" for do in REQUESTS), *(f"answer {name}" for name in answers)]
    return {
        "$schema": _DRAFT,
        "title": "A line of the control protocol of portsup",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in (*named, "refusal")],
        "$defs": definitions,
    }


def told(message: type) -> dict[str, str]:
    """What the docstring of a message says of each of its keys."""
    of_base = told(message.__base__) if message.__base__ is not None and is_dataclass(message.__base__) else {}
    return of_base | dict(re.findall(r"^ *([a-z_]+): (\S.*)$", message.__doc__ or "", re.MULTILINE))


def _of_message(message: type, definitions: dict[str, Any]) -> dict[str, Any]:
    about, properties, required = told(message), {}, []
    for each in fields(message):
        if each.name == getattr(message, "REST", None):
            continue
        properties[each.name] = {**_of_type(each.type, definitions), "description": about[each.name]}
        if each.default is MISSING and each.default_factory is MISSING:
            required.append(each.name)
    return {
        "description": (message.__doc__ or "").partition("\n")[0],
        "type": "object",
        "properties": properties,
        "required": required,
    }


def _of_type(kind: object, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of an annotation; messages go into `definitions`."""
    origin = getattr(kind, "__origin__", None)
    inside: tuple[Any, ...] = getattr(kind, "__args__", ())
    if isinstance(kind, type) and is_dataclass(kind):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}  # it may be in itself
            definitions[kind.__name__] = _of_message(kind, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if origin in (list, tuple):
        return {"type": "array", "items": _of_type(inside[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of_type(inside[1], definitions)}
    if inside:
        return {"anyOf": [_of_type(each, definitions) for each in inside]}
    if kind is type(None):
        return {"type": "null"}
    return {"type": _SCALARS[kind]} if kind in _SCALARS else {}
