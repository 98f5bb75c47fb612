"""Holds a tree against the table of keys: plain values and their places come out, mistakes go to the report.

Pure: no files, no yaml.  A value that can not be read is `BROKEN`, so that later checks know not to complain again.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from supervisor.config import values
from supervisor.config.keys import (
    LONGEST_NAME,
    NAME,
    Choice,
    Command,
    DependsOn,
    EnvFiles,
    Environment,
    Flag,
    Key,
    Kind,
    Named,
    Pool,
    Section,
    Signal,
    Text,
    Whole,
)
from supervisor.config.report import Report
from supervisor.config.scalars import WANTED, Word, tidy_name
from supervisor.config.scalars import path as path_text
from supervisor.config.scalars import read as read_scalar
from supervisor.config.spec import Condition
from supervisor.config.suggest import closest, did_you_mean
from supervisor.config.tree import Entry, Mapping, Node, Place, Scalar, Sequence, kind_of
from supervisor.config.values import Bad

BROKEN: Any = object()


@dataclass(frozen=True, slots=True)
class Found:
    """A value and where it stands; `key` is where its key stands."""

    value: Any
    place: Place
    key: Place


@dataclass(slots=True)
class Fields:
    """What a section of the file has, by key."""

    place: Place = Place()
    found: dict[str, Found] = field(default_factory=dict)
    word: str = ""  # given instead of a mapping

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default` where it is left out or can not be read."""
        value = self.found[name].value if name in self.found else default
        return default if value is BROKEN else value

    def is_broken(self, name: str) -> bool:
        return name in self.found and self.found[name].value is BROKEN

    def at(self, name: str) -> Place:
        return self.found[name].place if name in self.found else self.place


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file of variables to read."""

    path: str
    required: bool
    place: Place


@dataclass(slots=True)
class Validator:
    """Reads nodes by kind; `where` is the path of keys, for messages."""

    report: Report

    def section(self, node: Node, kind: Section, where: str) -> Fields:
        """The fields of a mapping; unknown, missing and clashing keys are reported."""
        fields = Fields(node.place)
        if isinstance(node, Scalar) and kind.words:
            fields.word = self._section_word(node, kind, where)
            return fields
        if not isinstance(node, Mapping):
            instead = f" or one of {', '.join(kind.words)}" if kind.words else ""
            self._not(node, where, f"a mapping{instead}")
            return fields
        known = {key.name: key for key in kind.keys}
        for entry in node:
            name = entry.key.text
            if name in known:
                path = f"{where}.{name}" if where else name
                fields.found[name] = Found(
                    self.value(entry.value, known[name].kind, path), entry.value.place, entry.key.place
                )
            elif not (name.startswith("x-") and not where):
                self._unknown(entry.key, kind.keys, where)
        for key in kind.keys:
            if key.required and key.name not in fields.found:
                self.report.error(node.place, f"{where or 'the file'} has no `{key.name}`", key.doc)
        self._one_of(fields, kind, where)
        return fields

    def value(self, node: Node, kind: Kind, where: str) -> Any:
        """What the node says, or BROKEN."""
        if isinstance(node, Scalar) and node.faulty:
            return BROKEN
        match kind:
            case Section():
                return self.section(node, kind, where)
            case Named():
                return self._named(node, kind, where)
            case Command():
                return self._command(node, where)
            case Pool():
                return self._pool(node, where)
            case Environment():
                return self._environment(node, where)
            case EnvFiles():
                return self._env_files(node, where)
            case DependsOn():
                return self._depends_on(node, where)
        if not isinstance(node, Scalar):
            return self._not(node, where, WANTED[type(kind)])
        if node.is_null:
            return self._not(node, where, WANTED[type(kind)])
        return self.attempt(node, where, lambda text: read_scalar(kind, node, text))

    def attempt(self, node: Scalar, where: str, read: Callable[[str], Any]) -> Any:
        """What `read` makes of the text, or BROKEN after reporting why not."""
        if node.faulty:
            return BROKEN
        try:
            return read(node.text)
        except Bad as bad:
            self.report.error(node.place, f"{where}: {self.report.quote(node.text)} {bad.reason}", bad.hint)
            return BROKEN

    def _not(self, node: Node, where: str, wanted: str) -> Any:
        if isinstance(node, Scalar) and node.faulty:
            return BROKEN
        what = kind_of(node)
        hint = "give it a value or leave it out" if what == "nothing" else ""
        if isinstance(node, Scalar) and what != "nothing":
            what = self.report.quote(node.text)
        self.report.error(node.place, f"{where or 'the file'}: expected {wanted}, found {what}", hint)
        return BROKEN

    def _unknown(self, key: Scalar, keys: tuple[Key, ...], where: str) -> None:
        name = key.text
        folded = name.lower().replace("-", "_")
        meant = next((k.name for k in keys if folded == k.name or folded in (a.replace("-", "_") for a in k.also)), "")
        meant = meant or closest(name, (k.name for k in keys))
        hint = f"did you mean `{meant}`?" if meant else "known keys: " + ", ".join(k.name for k in keys)
        self.report.error(key.place, f"{where or 'the file'}: unknown key {self.report.quote(name)}", hint)

    def _section_word(self, node: Scalar, kind: Section, where: str) -> str:
        if node.faulty:
            return ""
        signal = re.fullmatch(r"signal:\s*(\S+)", node.text)
        if signal and "signal" in kind.one_of:
            # Also as one text, because `on_port_change: signal: SIGHUP` on one line is no YAML without quotes.
            read = self.attempt(
                Scalar(node.place, signal[1]), where, lambda text: read_scalar(Signal(handled=True), node, text)
            )
            return "" if read is BROKEN else f"signal:{read}"
        if node.text in kind.words and not node.is_null:
            return node.text
        choices = ", ".join((*kind.words, *(f"{{{name}: …}}" for name in kind.one_of if name not in kind.words)))
        hint = f"write `{{{node.text}: …}}`" if node.text in kind.one_of else did_you_mean(node.text, kind.words)
        what = "nothing" if node.is_null else self.report.quote(node.text)
        self.report.error(node.place, f"{where}: {what} is not one of {choices}", hint)
        return ""

    def _one_of(self, fields: Fields, kind: Section, where: str) -> None:
        given = [name for name in kind.one_of if name in fields.found]
        if len(given) > 1:
            both = " and ".join(f"`{name}`" for name in given)
            self.report.error(fields.found[given[1]].key, f"{where}: {both} exclude each other", "keep one of them")
        if kind.needs_one and not given and kind.one_of:
            one = " or ".join(f"`{name}`" for name in kind.one_of)
            self.report.error(fields.place, f"{where}: needs {one}")

    def _named(self, node: Node, kind: Named, where: str) -> Any:
        if not isinstance(node, Mapping):
            return self._not(node, where, "a mapping of names to services")
        if not node.entries:
            self.report.error(
                node.place, f"{where}: there is no service in it", "add one: `web: {command: …, pool: …}`"
            )
            return BROKEN
        found: dict[str, Found] = {}
        for entry in node:
            name = entry.key.text
            self._check_name(entry.key, where)
            found[name] = Found(
                self.section(entry.value, kind.section, f"{where}.{name}"), entry.value.place, entry.key.place
            )
        return found

    def _check_name(self, key: Scalar, where: str) -> None:
        name = key.text
        if name == "portsup":
            self.report.error(
                key.place, f"{where}: the name `portsup` is taken by portsup's own log", "choose another name"
            )
        elif not re.fullmatch(NAME, name, re.ASCII):
            hint = f"write `{better}`" if (better := tidy_name(name)) else ""
            rule = "names have lower-case letters, digits, `.`, `_` and `-`, no sign first"
            self.report.error(key.place, f"{where}: {self.report.quote(name)} is not a name: {rule}", hint)
        elif len(name) > LONGEST_NAME:
            self.report.error(key.place, f"{where}: {self.report.quote(name)} is longer than {LONGEST_NAME} characters")

    def _command(self, node: Node, where: str) -> Any:
        if isinstance(node, Scalar) and not node.is_null:
            found = self.attempt(node, where, values.words)
            parts = BROKEN if found is BROKEN else tuple(Word(text, Scalar(node.place, text)) for text in found)
        elif isinstance(node, Sequence):
            parts = self._texts(node, where)
        else:
            return self._not(node, where, "a list or a text")
        if parts is BROKEN:
            return BROKEN
        if not parts or not parts[0].text.strip():
            self.report.error(node.place, f"{where}: names no program", "write `[program, argument]`")
            return BROKEN
        for part in parts:
            if "\0" in part.text:
                self.report.error(part.node.place, f"{where}: {self.report.quote(part.text)} has a NUL character")
                return BROKEN
        return parts

    def _texts(self, node: Sequence, where: str) -> Any:
        """The items of a list of texts; numbers and booleans are taken as they are written."""
        found: list[Word] = []
        broken = False
        for number, item in enumerate(node.items):
            if not isinstance(item, Scalar) or item.is_null:
                self._not(item, f"{where}[{number}]", "a text")
                broken = True
            elif item.faulty:
                broken = True
            else:
                found.append(Word(item.text, item))
        return BROKEN if broken else tuple(found)

    def _pool(self, node: Node, where: str) -> Any:
        """The ports with their places, in order."""
        match node:
            case Scalar() if not node.is_null:
                found = self.attempt(node, where, values.port_range)
                return BROKEN if found is BROKEN else tuple((port, node.place) for port in found)
            case Sequence() if node.items:
                return self._pool_list(node, where)
            case Sequence():
                self.report.error(
                    node.place,
                    f"{where}: has no port",
                    "name at least one, or leave the key out for a job without ports",
                )
                return BROKEN
            case Mapping():
                return self._pool_of_size(node, where)
            case _:
                return self._not(node, where, "a list of ports, a range such as 6000-6002, or {base: 6000, size: 3}")

    def _pool_list(self, node: Sequence, where: str) -> Any:
        ports: dict[int, Place] = {}
        broken = False
        for number, item in enumerate(node.items[: values.LARGEST_POOL + 1]):
            if not isinstance(item, Scalar) or item.is_null:
                self._not(item, f"{where}[{number}]", "a port")
                broken = True
                continue
            read = self.attempt(item, f"{where}[{number}]", values.port_range)
            if read is BROKEN:
                broken = True
                continue
            for port in read:
                if port in ports:
                    self.report.error(
                        item.place, f"{where}[{number}]: port {port} is in the pool already", "name each port once"
                    )
                    broken = True
                ports.setdefault(port, item.place)
        if len(ports) > values.LARGEST_POOL or len(node.items) > values.LARGEST_POOL:
            self.report.error(node.place, f"{where}: a pool has at most {values.LARGEST_POOL} ports")
            return BROKEN
        return BROKEN if broken else tuple(ports.items())

    def _pool_of_size(self, node: Mapping, where: str) -> Any:
        fields = self.section(node, _POOL_OF_SIZE, where)
        if fields.is_broken("base") or fields.is_broken("size") or "base" not in fields.found:
            return BROKEN
        base, size = fields.get("base"), fields.get("size", values.DEFAULT_POOL_SIZE)
        try:
            return tuple((port, node.place) for port in values.ports_from(base, size))
        except Bad as bad:
            self.report.error(node.place, f"{where}: `{{base: {base}, size: {size}}}` {bad.reason}", bad.hint)
            return BROKEN

    def _environment(self, node: Node, where: str) -> Any:
        """Words by name; None where the value is to be taken from portsup's own environment."""
        found: dict[str, Found] = {}
        match node:
            case Mapping():
                for entry in node:
                    value = self._variable(entry.value, f"{where}.{entry.key.text}")
                    self._add_variable(found, entry.key.text, value, entry.key, entry.value.place, where)
            case Sequence():
                for number, item in enumerate(node.items):
                    if not isinstance(item, Scalar) or item.is_null:
                        self._not(item, f"{where}[{number}]", "NAME=VALUE")
                        continue
                    if item.faulty:
                        continue
                    name, equals, text = item.text.partition("=")
                    shift = None if item.shift is None else item.shift + len(name) + 1
                    word = Word(text, Scalar(item.place, text, True, shift)) if equals else None
                    self._add_variable(found, name, word, item, item.place, where)
            case _:
                return self._not(node, where, "a mapping or a list of NAME=VALUE")
        return found

    def _variable(self, node: Node, where: str) -> Any:
        if not isinstance(node, Scalar):
            return self._not(node, where, "a text")
        if node.faulty:
            return BROKEN
        if "\0" in node.text:
            self.report.error(node.place, f"{where}: has a NUL character")
            return BROKEN
        return None if node.is_null else Word(node.text, node)

    def _add_variable(
        self, found: dict[str, Found], name: str, value: Any, key: Scalar, place: Place, where: str
    ) -> None:
        if not name or "=" in name or "\0" in name or name != name.strip():
            hint = "write NAME: value" if where and isinstance(key, Scalar) and "=" in name else ""
            self.report.error(key.place, f"{where}: {self.report.quote(name)} is not the name of a variable", hint)
        elif name in found:
            self.report.error(
                key.place,
                f"{where}: {self.report.quote(name)} is set already, in line {found[name].key.line}",
                "keep one of them",
            )
        elif value is not BROKEN:
            found[name] = Found(value, place, key.place)

    def _env_files(self, node: Node, where: str) -> Any:
        items = node.items if isinstance(node, Sequence) else (node,)
        found = [
            self._env_file(item, f"{where}[{n}]" if isinstance(node, Sequence) else where)
            for n, item in enumerate(items)
        ]
        return BROKEN if BROKEN in found else tuple(found)

    def _env_file(self, node: Node, where: str) -> Any:
        if isinstance(node, Scalar) and not node.is_null:
            path = self.attempt(node, where, path_text)
            return BROKEN if path is BROKEN else EnvFile(path, True, node.place)
        if not isinstance(node, Mapping):
            return self._not(node, where, "a path or {path: …, required: false}")
        fields = self.section(node, _ENV_FILE, where)
        if not fields.get("path"):
            return BROKEN
        return EnvFile(fields.get("path"), fields.get("required", True), fields.at("path"))

    def _depends_on(self, node: Node, where: str) -> Any:
        """Conditions by name."""
        found: dict[str, Found] = {}
        match node:
            case Scalar() if not node.is_null:
                self.report.error(
                    node.place,
                    f"{where}: expected a list of services, found {self.report.quote(node.text)}",
                    f"write `[{node.text[:LONGEST_NAME]}]`",
                )
                return BROKEN
            case Sequence():
                for number, item in enumerate(node.items):
                    if not isinstance(item, Scalar) or item.is_null:
                        self._not(item, f"{where}[{number}]", "the name of a service")
                    elif item.text in found:
                        self.report.error(
                            item.place, f"{where}: {self.report.quote(item.text)} is named twice", "name it once"
                        )
                    elif not item.faulty:
                        found[item.text] = Found(Condition.READY, item.place, item.place)
            case Mapping():
                for entry in node:
                    condition = self._condition(entry, f"{where}.{entry.key.text}")
                    found[entry.key.text] = Found(condition, entry.value.place, entry.key.place)
            case _:
                return self._not(node, where, "a list of services or a mapping of services to conditions")
        return found

    def _condition(self, entry: Entry, where: str) -> Any:
        node = entry.value
        if isinstance(node, Scalar):
            return Condition.READY if node.is_null else self.value(node, _CONDITION, where)
        return self.section(node, Section((Key("condition", _CONDITION, "What it must have reached."),)), where).get(
            "condition", Condition.READY
        )


_CONDITION = Choice(
    tuple(Condition),
    (
        ("service_started", "started"),
        ("service_healthy", "ready"),
        ("healthy", "ready"),
        ("process_healthy", "ready"),
        ("process_started", "started"),
        ("service_completed_successfully", "completed"),
        ("process_completed", "completed"),
        ("process_completed_successfully", "completed"),
        ("running", "ready"),
    ),
)
_POOL_OF_SIZE = Section(
    (
        Key("base", Whole(1, 65535), "The first port.", required=True, also=("start", "first", "from")),
        Key(
            "size",
            Whole(1, values.LARGEST_POOL),
            "How many ports.",
            str(values.DEFAULT_POOL_SIZE),
            also=("count", "length"),
        ),
    )
)
_ENV_FILE = Section(
    (
        Key("path", Text(r"[^\0]+", "a path", 4096), "The file, relative to services.yaml.", required=True),
        Key("required", Flag(), "Whether a missing file is an error.", "true"),
    )
)
