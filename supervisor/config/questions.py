"""Reads how a probe asks by HTTP: a path alone, or a mapping that also says what is sent and which answers are good."""

import re

from supervisor.annotations import Any
from supervisor.config.fields import BROKEN, Fields, Found
from supervisor.config.keys import mappings
from supervisor.config.kinds import Shape
from supervisor.config.reading import Reading
from supervisor.config.scalars import Word
from supervisor.config.tree import Mapping, Node, Scalar, Sequence
from supervisor.config.values import Bad

_OURS = ("connection", "content-length", "transfer-encoding")  # what they say is how we ask
_MOST_HEADERS, _LONGEST_HEADER = 50, 8000


def http(validator: Reading, node: Node, where: str) -> Any:
    """The fields of the mapping."""
    fields = validator.section(node, mappings.HTTP, where)
    for key in ("contains", "matches"):
        if fields.get("method") == "HEAD" and key in fields.found:
            reason = f"{where}.{key}: an answer to HEAD has no body"
            validator.report.error(fields.found[key].key, reason, "use `method: GET`")
    return fields if "path" in fields.found else BROKEN


def words(fields: Fields) -> "list[tuple[str, Word]]":
    """The texts that placeholders are filled in, each with its key."""
    own: dict[str, Found] = fields.get("headers", {})
    headers = [(f"headers.{name}", item.value) for name, item in own.items()]
    return [*([("path", path)] if (path := fields.get("path")) else []), *headers]


def headers(validator: Reading, node: Node, where: str) -> Any:
    """Words by the name of the header."""
    if not isinstance(node, Mapping):
        return validator.expected("a mapping of names to texts", node, where)
    found: dict[str, Found] = {}
    known: set[str] = set()
    for entry in node:
        key, value = entry.key, entry.value
        name, path = validator.report.quote(key.text), f"{where}.{key.text}"
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", key.text, re.ASCII):
            validator.report.error(key.place, f"{where}: {name} is not the name of a header", "such as `X-Api-Key`")
        elif key.text.lower() in _OURS:
            validator.report.error(key.place, f"{where}: {name} is set by portsup", "leave it out")
        elif key.text.lower() in known:
            validator.report.error(key.place, f"{where}: {name} is there already", "upper and lower case are the same")
        elif not isinstance(value, Scalar) or value.is_null:
            validator.expected("a text", value, path)
        elif not value.faulty and not value.text.isprintable():  # the text is not shown: it may be a secret
            validator.report.error(value.place, f"{path}: a header is one line without control characters")
        elif not value.faulty and len(value.text) > _LONGEST_HEADER:
            validator.report.error(value.place, f"{path}: is longer than {_LONGEST_HEADER} characters")
        elif not value.faulty:
            found[key.text] = Found(Word(value.text, value), value.place, key.place)
        known.add(key.text.lower())
    if len(known) > _MOST_HEADERS:
        validator.report.error(node.place, f"{where}: more than {_MOST_HEADERS} headers")
    return found


def statuses(validator: Reading, node: Node, where: str) -> Any:
    """Ranges of status codes."""
    items = node.items if isinstance(node, Sequence) and node.items else (node,)
    found = []
    for number, item in enumerate(items):
        path = where if item is node else f"{where}[{number}]"
        if not isinstance(item, Scalar) or item.is_null:
            found.append(validator.expected("a status such as 200, or a range such as 200-299", item, path))
        else:
            found.append(validator.attempt(item, path, _range))
    return BROKEN if BROKEN in found else tuple(found)


def _range(text: str) -> range:
    numbers = re.fullmatch(r"\s*(\d{3})(?:\s*-\s*(\d{3}))?\s*", text, re.ASCII)
    if numbers is None:
        hint = f"write {text[0]}00-{text[0]}99" if re.fullmatch(r"[1-5][xX]{2}", text) else ""
        raise Bad("is no status of HTTP: 200, or a range such as 200-299", hint)
    first, last = int(numbers[1]), int(numbers[2] or numbers[1])
    if not 100 <= first <= last <= 599:
        raise Bad("is out of order: a status goes from 100 to 599")
    return range(first, last + 1)


READERS = {Shape.HTTP: http, Shape.HEADERS: headers, Shape.STATUSES: statuses}
