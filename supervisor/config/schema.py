"""The table of keys as a JSON Schema, for editors and other tools."""


from supervisor.annotations import Any
from supervisor.config import shapes
from supervisor.config.keys import mappings
from supervisor.config.keys.stack import STACK
from supervisor.config.kinds import (
    LONGEST_NAME,
    NAME,
    PROFILE,
    VARIABLE,
    Choice,
    Duration,
    Flag,
    Key,
    Kind,
    Named,
    Number,
    Section,
    Several,
    Shape,
    Signal,
    Size,
    Text,
    Whole,
)

Schema = dict[str, Any]

_TEXTS: Schema = {"type": ["string", "number", "boolean"]}
_PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
_RANGE: Schema = {"type": "string", "pattern": r"^\s*\d+(\s*-\s*\d+)?\s*$|\$\{"}
_DURATION = r"^\s*(\d+(\.\d+)?|(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?(\d+(\.\d+)?ms)?)\s*$|\$\{"


def schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a services.yaml."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "services.yaml of portsup",
        "description": "The services of a stack, and the ports that belong to them.",
        **_section(STACK),
        "patternProperties": {"^x-": {"description": "Ignored: a place for anchors."}},
        "$defs": {
            "reference": {"type": "string", "pattern": r"\$\{", "description": "A value from a variable, ${VAR}."},
        },
    }


def partial() -> Schema:
    """The JSON Schema of a file that is laid over another: nothing is required, and everything can be `!reset`."""
    described: Schema = _loosened(schema())
    title = "a file laid over a services.yaml of portsup"
    return described | {"title": title, "description": "What is different in a stack."}


def _loosened(node: Any) -> Any:
    match node:
        case {"properties": dict(), **rest}:
            kept = {key: _loosened(value) for key, value in rest.items() if key not in ("required", "anyOf", "oneOf")}
            if choices := node.get("oneOf"):
                none = {"not": {"anyOf": [choice for choice in choices if "required" in choice]}}
                kept["oneOf"] = [*(choice for choice in choices if "required" in choice), none]
            properties = {key: _or_nothing(_loosened(value)) for key, value in node["properties"].items()}
            return {**kept, "properties": properties}
        case {"additionalProperties": dict(inner), **rest} if "minProperties" in rest:
            kept = {key: value for key, value in rest.items() if key != "minProperties"}
            return {**kept, "additionalProperties": _or_nothing(_loosened(inner))}
        case dict():
            return {key: _loosened(value) for key, value in node.items()}
        case list():
            return [_loosened(item) for item in node]
    return node


def _or_nothing(described: Schema) -> Schema:
    words: Schema = {key: value for key, value in described.items() if key in ("description", "default")}
    rest = {key: value for key, value in described.items() if key not in words}
    return {**words, "anyOf": [rest, {"type": "null"}]}


def _key(key: Key) -> Schema:
    described = {"description": key.doc, **_kind(key.kind)}
    if key.default:
        described["default"] = _default(key)
    return described


def _default(key: Key) -> Any:
    match key.kind:
        case Whole() | Number():
            return int(key.default)
        case Flag():
            return key.default == "true"
        case _:
            return key.default


def _const(word: str) -> list[Schema]:
    return [{"const": word}] if word else []


def _kind(kind: Kind) -> Schema:
    match kind:
        case Text(pattern=pattern, or_number=True):
            return {"type": ["string", "integer"], "pattern": rf"^({pattern})$|\$\{{", "minimum": 0}
        case Text(pattern=pattern):
            return {"type": "string", "pattern": rf"^({pattern})$|\$\{{"} if pattern else {"type": "string"}
        case Flag(only=None):
            return _or_reference({"type": "boolean"})
        case Flag(only=only):
            return _or_reference({"const": only})
        case Whole(least=least, most=most, endless=word):
            number = {"type": "integer", "minimum": least, "maximum": most}
            return _or_reference({"anyOf": [number, *_const(word)]} if word else number)
        case Number(least=least, most=most):
            return {"anyOf": [{"type": "number", "minimum": least, "maximum": most}, {"type": "string"}]}
        case Duration(least=least, endless=word):
            number = {"type": "number", "minimum": least}
            return {"anyOf": [number, {"type": "string", "pattern": _DURATION}, *_const(word)]}
        case Size(least=least, most=most, endless=word):
            pattern = r"^\s*\d+(\.\d+)?\s*[kKmMgGtT]?([iI]?[bB])?\s*$|\$\{"
            size = {"type": "integer", "minimum": least, "maximum": most}
            return {"anyOf": [size, {"type": "string", "pattern": pattern}, *_const(word)]}
        case Choice(words=words):
            return _or_reference({"enum": [*words, None] if "null" in words else list(words)})
        case Signal():
            return {"type": ["string", "integer"], "examples": ["SIGTERM", "SIGINT", "SIGHUP"]}
        case Shape.HTTP:
            return {"anyOf": [_kind(Shape.HTTP_PATH), _section(mappings.HTTP)]}
        case Shape.HEADERS:
            return {"type": "object", "additionalProperties": _TEXTS}
        case Shape.STATUSES:
            one = {"anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, _RANGE]}
            return {"anyOf": [*one["anyOf"], {"type": "array", "items": one, "minItems": 1}]}
        case Shape.HTTP_URL:
            return {"type": "string", "pattern": r"^(https?://|\{url:)|\$\{"}
        case Shape.HTTP_PATH:
            return {"type": "string", "pattern": r"^/|\$\{"}
        case Shape.PATH:
            return {"type": "string", "minLength": 1}
        case Shape.REGEX:
            return {"type": "string", "format": "regex"}
        case Shape.COMMAND:
            return {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": _TEXTS, "minItems": 1}]}
        case Shape.POOL:
            several = {"type": "array", "items": {"anyOf": [_PORT, _RANGE]}, "minItems": 1}
            return {"anyOf": [several, _PORT, _RANGE, _section(mappings.POOL_OF_SIZE)]}
        case Shape.ENVIRONMENT:
            return _environment()
        case Shape.ENV_FILES:
            file = {"anyOf": [{"type": "string", "minLength": 1}, _section(mappings.ENV_FILE)]}
            return {"anyOf": [*file["anyOf"], {"type": "array", "items": file}]}
        case Shape.EXTENDS:
            return {"anyOf": [{"type": "string", "minLength": 1}, _section(mappings.EXTENDS)]}
        case Shape.EXIT_CODES:
            return {"type": "array", "items": _kind(shapes.EXIT_CODE), "uniqueItems": True}
        case Shape.PATTERNS | Shape.ADDRESSES:
            text = {"type": "string", "minLength": 1}
            return {"anyOf": [text, {"type": "array", "items": text}]}
        case Shape.NAMES:
            name = {"type": "string", "pattern": rf"^({PROFILE})$|\$\{{", "maxLength": LONGEST_NAME}
            return {"type": "array", "items": name, "uniqueItems": True}
        case Shape.DEPENDS_ON:
            return _depends_on()
        case Named():
            return {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": f"^{NAME}$", "maxLength": LONGEST_NAME, "not": {"const": "portsup"}},
                "additionalProperties": _section(kind.section),
            }
        case Several():
            return {"type": "array", "items": _section(kind.section)}
        case Section():
            return _section(kind)


def _environment() -> Schema:
    variables: Schema = {
        "type": "object",
        "propertyNames": {"pattern": f"^{VARIABLE}$"},
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    }
    lines = {"type": "array", "items": {"type": "string", "pattern": f"^{VARIABLE}(=|$)"}, "uniqueItems": True}
    return {"anyOf": [variables, lines]}


def _depends_on() -> Schema:
    condition = _kind(mappings.CONDITION.kind)
    return {
        "anyOf": [
            {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
            {
                "type": "object",
                "additionalProperties": {
                    "anyOf": [condition, {"type": "null"}, _section(mappings.NEED)],
                },
            },
        ]
    }


def _section(section: Section) -> Schema:
    described: Schema = {
        "type": "object",
        "properties": {key.name: _key(key) for key in section.keys},
        "additionalProperties": False,
    }
    if required := [key.name for key in section.keys if key.required]:
        described["required"] = required
    if any(key.kind is Shape.EXTENDS for key in section.keys):  # then another service may have what is required
        described["anyOf"] = [{"required": described.pop("required")}, {"required": ["extends"]}]
    if section.one_of:
        # Exactly one of the keys, or none of them where the section can do without.
        choices: list[Schema] = [{"required": [name]} for name in section.one_of]
        if not section.needs_one:
            choices.append({"not": {"anyOf": [{"required": [name]} for name in section.one_of]}})
        described["oneOf"] = choices
    if section.short:
        short = next(key for key in section.keys if key.name == section.short)
        return {"anyOf": [_kind(short.kind), described]}
    if not section.words:
        return described
    words: list[Schema] = [{"enum": list(section.words)}]
    if "signal" in section.one_of:
        words.append({"type": "string", "pattern": r"^signal:\s*\S+$"})
    return {"anyOf": [*words, described, {"$ref": "#/$defs/reference"}]}


def _or_reference(described: Schema) -> Schema:
    return {"anyOf": [described, {"$ref": "#/$defs/reference"}]}
