"""Reads the values that come in several shapes: commands, pools, environments, files of variables, dependencies.

Each function takes the validator, the node and the path of keys that leads to it; BROKEN means that it was reported.
"""

import re
from collections.abc import Iterator
from itertools import chain

from supervisor.annotations import Any
from supervisor.config import lines, values
from supervisor.config.fields import BROKEN, EnvFile, Found, Needed
from supervisor.config.keys import mappings
from supervisor.config.kinds import LONGEST_NAME, PROFILE, VARIABLE, Whole
from supervisor.config.reading import Reading
from supervisor.config.scalars import Word, path_text
from supervisor.config.spec import Condition
from supervisor.config.tree import Entry, Mapping, Node, Position, Scalar, Sequence
from supervisor.config.values import Bad

EXIT_CODE = Whole(0, 255)

_VARIABLE_RULE = "names have letters, digits and `_`, no digit first"


def command(validator: Reading, node: Node, where: str) -> Any:
    """The words of a command."""
    words: Any
    if isinstance(node, Scalar) and not node.is_null:
        found = validator.attempt(node, where, lines.words)
        words = BROKEN if found is BROKEN else tuple(Word(text, Scalar(node.place, text), node) for text in found)
    elif isinstance(node, Sequence):
        words = _texts(validator, node, where)
    else:
        return validator.expected("a list or a text", node, where)
    if words is BROKEN:
        return BROKEN
    if not words or not words[0].text.strip():
        validator.report.error(node.place, f"{where}: names no program", "write `[program, argument]`")
        return BROKEN
    return words


def _texts(validator: Reading, node: Sequence, where: str) -> Any:
    """The items of a list of texts; numbers and booleans are taken as they are written."""
    found: list[Word] = []
    for number, item in enumerate(node.items):
        if not isinstance(item, Scalar) or item.is_null:
            validator.expected("a text", item, f"{where}[{number}]")
        elif not item.faulty:
            found.append(Word(item.text, item))
    return tuple(found) if len(found) == len(node.items) else BROKEN


def pool(validator: Reading, node: Node, where: str) -> Any:
    """The ports in order."""
    match node:
        case Scalar() if not node.is_null:
            return validator.attempt(node, where, values.port_range)
        case Sequence() if node.items:
            return _pool_list(validator, node, where)
        case Sequence():
            hint = "name at least one, or leave `pool` out for a job without ports"
            validator.report.error(node.place, f"{where}: has no port", hint)
            return BROKEN
        case Mapping():
            return _pool_of_size(validator, node, where)
    return validator.expected("a list of ports, a range such as 6000-6002, or {base: 6000, size: 3}", node, where)


def _pool_list(validator: Reading, node: Sequence, where: str) -> Any:
    ports: dict[int, Position] = {}
    broken = False
    for number, item in enumerate(node.items):
        read = BROKEN
        if not isinstance(item, Scalar) or item.is_null:
            validator.expected("a port", item, f"{where}[{number}]")
        else:
            read = validator.attempt(item, f"{where}[{number}]", values.port_range)
        if read is BROKEN:
            broken = True
            continue
        for port in read:
            if port in ports:
                reason = f"{where}[{number}]: port {port} is in the pool already"
                validator.report.error(item.place, reason, "name each port once")
                broken = True
            ports.setdefault(port, item.place)
        if len(ports) > values.LARGEST_POOL:
            validator.report.error(node.place, f"{where}: a pool has at most {values.LARGEST_POOL} ports")
            return BROKEN
    return BROKEN if broken else tuple(ports)


def _pool_of_size(validator: Reading, node: Mapping, where: str) -> Any:
    fields = validator.section(node, mappings.POOL_OF_SIZE, where)
    base, size = fields.get("base"), fields.get("size", values.DEFAULT_POOL_SIZE)
    if base is None or fields.is_broken("size"):
        return BROKEN
    try:
        return values.ports_from(base, size)
    except Bad as bad:
        validator.report.error(node.place, f"{where}: `{{base: {base}, size: {size}}}` {bad.reason}", bad.hint)
        return BROKEN


def environment(validator: Reading, node: Node, where: str) -> Any:
    """Words by name; None where the value is to be taken from portsup's own environment."""
    found: dict[str, Found] = {}
    match node:
        case Mapping():
            for entry in node:
                value = _variable(validator, entry.value, f"{where}.{entry.key.text}")
                _add(validator, found, entry.key.text, Found(value, entry.value.place, entry.key.place), where)
        case Sequence():
            for number, item in enumerate(node.items):
                if not isinstance(item, Scalar) or item.is_null:
                    validator.expected("NAME=VALUE", item, f"{where}[{number}]")
                elif not item.faulty:
                    name, equals, text = item.text.partition("=")
                    if not re.fullmatch(VARIABLE, name, re.ASCII):
                        # The text is not shown: it may be a secret.
                        hint = validator.hint_for(item, f"{where}[{number}]") or _VARIABLE_RULE
                        validator.report.error(item.place, f"{where}[{number}]: is not NAME=VALUE", hint)
                        continue
                    shift = None if item.shift is None else item.shift + len(name) + 1
                    word = Word(text, Scalar(item.place, text, True, shift)) if equals else None
                    _add(validator, found, name, Found(word, item.place, item.place), where)
        case Scalar() if not node.is_null:
            # The text is not shown: it may be a secret.
            reason = f"{where}: expected a mapping or a list of NAME=VALUE, found a text"
            validator.report.error(node.place, reason, validator.hint_for(node, where) or "write `{NAME: value}`")
            return BROKEN
        case _:
            return validator.expected("a mapping or a list of NAME=VALUE", node, where)
    return found


def _variable(validator: Reading, node: Node, where: str) -> Any:
    if not isinstance(node, Scalar):
        return validator.expected("a text", node, where)
    if node.faulty:
        return BROKEN
    return None if node.is_null else Word(node.text, node)


def _add(validator: Reading, found: dict[str, Found], name: str, item: Found, where: str) -> None:
    quoted = validator.report.quote(name)
    if not re.fullmatch(VARIABLE, name, re.ASCII):
        validator.report.error(item.key, f"{where}: {quoted} is not the name of a variable", _VARIABLE_RULE)
    elif name in found:
        line = found[name].key.line
        validator.report.error(item.key, f"{where}: {quoted} is set already, in line {line}", "keep one of them")
    elif item.value is not BROKEN:
        found[name] = item


def env_files(validator: Reading, node: Node, where: str) -> Any:
    """The files in order."""
    if not isinstance(node, Sequence):
        return tuple(_env_file(validator, node, where))
    found = (_env_file(validator, item, f"{where}[{number}]") for number, item in enumerate(node.items))
    return tuple(chain.from_iterable(found))


def _env_file(validator: Reading, node: Node, where: str) -> Iterator[EnvFile]:
    """The file, or nothing after reporting why not."""
    if isinstance(node, Scalar) and not node.is_null:
        path = validator.attempt(node, where, path_text)
        if path is not BROKEN:
            yield EnvFile(path, True, node.place, where)
    elif isinstance(node, Mapping):
        fields = validator.section(node, mappings.ENV_FILE, where)
        if path := fields.get("path"):
            yield EnvFile(path, fields.get("required", True), fields.at("path"), where)
    else:
        validator.expected("a path or {path: …, required: false}", node, where)


def exit_codes(validator: Reading, node: Node, where: str) -> Any:
    """The exit codes of a list, 0 among them or not."""
    if not isinstance(node, Sequence):
        return validator.expected("a list of exit codes such as [3, 75]", node, where)
    found = [validator.value(item, EXIT_CODE, f"{where}[{number}]") for number, item in enumerate(node.items)]
    return BROKEN if any(code is BROKEN for code in found) else frozenset(found)


def names(validator: Reading, node: Node, where: str) -> Any:
    """The names of a list in order."""
    if not isinstance(node, Sequence):
        if isinstance(node, Scalar) and re.fullmatch(PROFILE, node.text, re.ASCII) and not node.faulty:
            what, hint = validator.report.quote(node.text), f"write `[{node.text[:LONGEST_NAME]}]`"
            validator.report.error(node.place, f"{where}: expected a list of names, found {what}", hint)
            return BROKEN
        return validator.expected("a list of names", node, where)
    found: list[str] = []
    for number, item in enumerate(node.items):
        if not isinstance(item, Scalar) or item.is_null:
            validator.expected("a name", item, f"{where}[{number}]")
            continue
        if item.faulty:
            continue
        quoted = validator.report.quote(item.text)
        if not re.fullmatch(PROFILE, item.text, re.ASCII) or len(item.text) > LONGEST_NAME:
            rule = f"at most {LONGEST_NAME} letters, digits, `.`, `_` and `-`, a letter or digit first"
            validator.report.error(item.place, f"{where}[{number}]: {quoted} is not a name: {rule}")
        elif item.text in found:
            validator.report.error(item.place, f"{where}[{number}]: {quoted} is named twice", "name it once")
        else:
            found.append(item.text)
    return tuple(found) if len(found) == len(node.items) else BROKEN


def patterns(validator: Reading, node: Node, where: str) -> Any:
    """Paths or patterns, in order; one may stand alone."""
    items = node.items if isinstance(node, Sequence) else (node,)
    found: list[str] = []
    for number, item in enumerate(items):
        if not isinstance(item, Scalar) or item.is_null or not item.text or "\0" in item.text:
            validator.expected("a path", item, f"{where}[{number}]" if isinstance(node, Sequence) else where)
        elif not item.faulty:
            found.append(item.text)
    return tuple(found) if len(found) == len(items) else BROKEN


def depends_on(validator: Reading, node: Node, where: str) -> Any:
    """Conditions by the name of the service."""
    found: dict[str, Found] = {}
    match node:
        case Scalar() if not node.is_null and not node.faulty:
            what = validator.report.quote(node.text)
            hint = validator.hint_for(node, where) or f"write `[{node.text[:LONGEST_NAME]}]`"
            validator.report.error(node.place, f"{where}: expected a list of services, found {what}", hint)
            return BROKEN
        case Sequence():
            for number, item in enumerate(node.items):
                if not isinstance(item, Scalar) or item.is_null:
                    validator.expected("the name of a service", item, f"{where}[{number}]")
                elif item.text in found:
                    what = validator.report.quote(item.text)
                    validator.report.error(item.place, f"{where}: {what} is named twice", "name it once")
                elif not item.faulty:
                    found[item.text] = Needed(Condition.READY, item.place, item.place)
        case Mapping():
            for entry in node:
                found[entry.key.text] = _condition(validator, entry, f"{where}.{entry.key.text}")
        case _:
            return validator.expected("a list of services or a mapping of services to conditions", node, where)
    return found


def _condition(validator: Reading, entry: Entry, where: str) -> Needed:
    node, key = entry.value, entry.key.place
    if isinstance(node, Scalar):
        value = Condition.READY if node.is_null else validator.value(node, mappings.CONDITION.kind, where)
        return Needed(value, node.place, key)
    fields = validator.section(node, mappings.NEED, where)
    return Needed(fields.get("condition", Condition.READY), fields.at("condition"), key, fields.get("restart", False))
