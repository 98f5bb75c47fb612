"""Holds a tree against the table of keys: plain values and their places come out, mistakes go to the report.

Pure: no files, no yaml.
"""

import re
from collections.abc import Callable

from supervisor.annotations import Any
from supervisor.config import shapes
from supervisor.config.fields import BROKEN, Fields, Found
from supervisor.config.kinds import (
    LONGEST_NAME,
    NAME,
    Choice,
    Flag,
    Kind,
    Named,
    Section,
    Several,
    Shape,
    Signal,
)
from supervisor.config.report import MOST_PROBLEMS, Report
from supervisor.config.scalars import read_scalar, tidy_name, wanted
from supervisor.config.suggest import did_you_mean
from supervisor.config.tree import OLD_BOOLEANS, Entry, Mapping, Node, Scalar, Sequence, kind_of
from supervisor.config.values import Bad
from supervisor.dataclass import dataclass

MOST_SERVICES = 1000
_MISSING = {
    "command": "write `command: [PROGRAM, ARGUMENT]`",
    "services": "write `services: {NAME: {command: [PROGRAM, ARGUMENT]}}`",
}


@dataclass(frozen=True, slots=True)
class Validator:
    """Reads nodes by kind; the `where` of its methods is the path of keys, for messages."""

    report: Report

    def section(self, node: Node, kind: Section, where: str) -> Fields:
        """The fields of a mapping; unknown, missing and clashing keys are reported."""
        fields = Fields(node.place)
        if kind.short and not isinstance(node, Mapping):
            key = next(key for key in kind.keys if key.name == kind.short)
            fields.found[key.name] = Found(self.value(node, key.kind, where), node.place, node.place)
            return fields
        if isinstance(node, Scalar) and kind.words:
            fields.word = self._word_for(node, kind, where)
            return fields if fields.word else self._as_meant(fields, node, kind, where)
        is_top = not where and any(key.name == "services" for key in kind.keys)
        if is_top and isinstance(node, Sequence) and any(isinstance(item, Mapping) for item in node.items):
            return self._list_of_services(fields, node, kind)
        if not isinstance(node, Mapping):
            self.expected("a mapping" + (f" or one of {', '.join(kind.words)}" if kind.words else ""), node, where)
            return self._as_meant(fields, node, kind, where)
        known = {key.name: key for key in kind.keys}
        given = set()
        unknown: list[tuple[Scalar, str]] = []
        for entry in node:
            name, path = entry.key.text, f"{where}.{entry.key.text}" if where else entry.key.text
            if name in known:
                value = self.value(entry.value, known[name].kind, path)
                fields.found[name] = Found(value, entry.value.place, entry.key.place)
                given.add(name)
            elif where or not name.startswith("x-"):
                given.add(self._unknown(entry, kind, node, fields, where, unknown))
                if len(unknown) > MOST_PROBLEMS:
                    break  # nobody reads more of them
        if unknown:
            from supervisor.config.dialects.advice import is_service, merged

            below = tuple(each for each in node if each.key.text not in known and not where and is_service(each))
            if below and "services" in known and fields.get("services") is None:
                value = self.value(Mapping(node.place, below), known["services"].kind, "services")
                fields.found["services"] = Found(value, node.place, node.place)
            for unknown_key, hint in merged(unknown):
                quoted = self.report.quote(unknown_key.text)
                self.report.error(unknown_key.place, f"{where or 'the file'}: unknown key {quoted}", hint)
        for key in () if "extends" in given else kind.keys:  # who was meant to be extended has them
            if key.required and key.name not in given and not self._is_said(key.name, node, where):
                hint = _MISSING.get(key.name, key.doc)
                self.report.error(node.place, f"{where or 'the file'} has no `{key.name}`", hint)
        self._one_of(fields, kind, where)
        self._agree(fields, node)
        return fields

    def _list_of_services(self, fields: Fields, node: Sequence, kind: Section) -> Fields:
        """A file that is nothing but a list: its items are read as services, so that all is told at once."""
        from supervisor.config.dialects.listed import as_mapping

        hint = "begin with `services:`, and below it write `NAME:` for each item, without `-`"
        self.report.error(node.place, "the file: expected a mapping, found a list", hint)
        known = next(key for key in kind.keys if key.name == "services")
        fields.found["services"] = Found(self.value(as_mapping(node), known.kind, "services"), node.place, node.place)
        return fields

    def _is_said(self, key: str, node: Mapping, where: str) -> bool:
        """Whether the hint for the value of another key says to write a missing one."""
        if key != "command" or (start := next((each for each in node if each.key.text == "start"), None)) is None:
            return False
        return self.hint_for(start.value, f"{where}.start").startswith(f"write `{key}:")

    def _agree(self, fields: Fields, node: Mapping) -> None:
        """Hints for a value leave out what a key beside it says."""
        broken = [found.place for name, found in fields.found.items() if found.value is BROKEN and name == "restart"]
        if broken:
            from supervisor.config.dialects.advice import without_limit

            self.report.rehint(broken[0], lambda hint: without_limit(hint, node))

    def _as_meant(self, fields: Fields, node: Node, kind: Section, where: str) -> Fields:
        """The fields of what the hint says to write, so that what that needs is told as well."""
        if kind.one_of:
            hint = self.hint_for(node, where)
            for name in kind.one_of:
                if f"{{{name}: " in hint or hint.endswith(f": {name}`"):
                    fields.found[name] = Found(BROKEN, node.place, node.place)
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
            case Several():
                return self._several(node, kind, where)
            case Shape.COMMAND:
                return shapes.command(self, node, where)
            case Shape.POOL:
                return shapes.pool(self, node, where)
            case Shape.ENVIRONMENT:
                return shapes.environment(self, node, where)
            case Shape.ENV_FILES:
                return shapes.env_files(self, node, where)
            case Shape.EXIT_CODES:
                return shapes.exit_codes(self, node, where)
            case Shape.HTTP if not isinstance(node, Mapping):
                return self.value(node, Shape.HTTP_PATH, where)
            case Shape.HTTP | Shape.HEADERS | Shape.STATUSES:
                from supervisor.config import questions  # few stacks ask that much

                return questions.READERS[kind](self, node, where)
            case Shape.PATTERNS | Shape.ADDRESSES:
                return shapes.patterns(self, node, where)
            case Shape.NAMES:
                return shapes.names(self, node, where)
            case Shape.DEPENDS_ON:
                return shapes.depends_on(self, node, where)
        if isinstance(node, Scalar) and node.is_null and isinstance(kind, Choice) and "null" in kind.words:
            return "null"
        if not isinstance(node, Scalar) or node.is_null:
            return self.expected(wanted(kind), node, where)
        return self.attempt(node, where, lambda text: read_scalar(kind, node, text))

    def attempt(self, node: Scalar, where: str, read: Callable[[str], Any]) -> Any:
        """What `read` makes of the text, or BROKEN after reporting why not."""
        if node.faulty:
            return BROKEN
        try:
            return read(node.text)
        except Bad as bad:
            hint = "" if node.secret else self.hint_for(node, where) or bad.hint
            place = node.place if bad.offset is None else node.at(bad.offset)
            self.report.error(place, f"{where}: {self.report.quote(node.text, node.secret)} {bad.reason}", hint)
            return BROKEN

    def expected(self, wanted: str, node: Node, where: str) -> Any:
        """Report a value of the wrong type; gives BROKEN."""
        if isinstance(node, Scalar) and node.faulty:
            return BROKEN
        what, hint = kind_of(node), ""
        if what == "nothing":
            is_home = isinstance(node, Scalar) and node.text == "~" and where.endswith(".working_dir")
            hint = 'put it in quotes: `"~"`' if is_home else "give it a value or leave it out"
            if where == "services":
                hint = "write `services: {NAME: {command: [PROGRAM, ARGUMENT]}}`"
        elif isinstance(node, Scalar):
            what = self.report.quote(node.text, node.secret)
        elif isinstance(node, Mapping) and len(node.entries) == 1 and kind_of(node.entries[0].value) == "nothing":
            # `[serve, --port, {port}]`: without quotes the placeholder is a mapping.
            hint = f'put it in quotes: `"{{{node.entries[0].key.text}}}"`'
        hint = hint or self.hint_for(node, where)
        self.report.error(node.place, f"{where or 'the file'}: expected {wanted}, found {what}", hint)
        return BROKEN

    def hint_for(self, node: Node, where: str) -> str:
        """What to write for a value of another supervisor; empty where there is nothing to say."""
        from supervisor.config.dialects.scalars import value_hint  # only a mistake needs it

        return value_hint(where, node)

    def _unknown(
        self, entry: Entry, kind: Section, whole: Mapping, fields: Fields, where: str, unknown: list[tuple[Scalar, str]]
    ) -> str:
        """Note a key that there is none of; gives the one that was meant, whose value is read as well."""
        from supervisor.config.dialects.advice import advice  # only a mistake needs it

        found = advice(entry, kind, whole)
        key, meant = entry.key, found.meant
        hint = "" if isinstance(entry.value, Scalar) and entry.value.secret else found.hint
        known = next((each for each in kind.keys if each.name == meant), None)
        if known is not None and not any(each.key.text == meant for each in whole) and meant not in fields.found:
            value, before = BROKEN, self.report.count
            if found.is_read and known.kind is not Shape.EXTENDS:  # which is used up before anything is read
                value = self.value(entry.value, known.kind, f"{where}.{meant}" if where else meant)
            if self.report.count > before and meant != "services":  # its own mistakes say what to write for the value
                hint = f"write `{meant}:` instead of `{key.text}:`"
            fields.found[meant] = Found(value, entry.value.place, key.place)
        unknown.append((key, hint))
        return meant

    def _word_for(self, node: Scalar, kind: Section, where: str) -> str:
        """The word that stands for a whole section; empty after reporting what is wrong with it."""
        if node.faulty:
            return ""
        # As a text too, because `on_port_change: signal: SIGHUP` on one line is no YAML without quotes.
        signal = re.fullmatch(r"signal:\s*(\S+)", node.text)
        if signal and "signal" in kind.one_of:
            read = self.attempt(
                Scalar(node.place, signal[1]), where, lambda text: read_scalar(Signal(handled=True), node, text)
            )
            return "" if read is BROKEN else f"signal:{read}"
        if node.text in kind.words:
            return node.text
        forms = {key.name: f"{{{key.name}: {'true' if isinstance(key.kind, Flag) else '…'}}}" for key in kind.keys}
        choices = ", ".join((*kind.words, *(forms[name] for name in kind.one_of if name not in kind.words)))
        hint = f"write `{forms[node.text]}`" if node.text in kind.one_of else did_you_mean(node.text, kind.words)
        hint = "" if node.secret else self.hint_for(node, where) or hint
        what = "nothing" if node.is_null else self.report.quote(node.text, node.secret)
        self.report.error(node.place, f"{where}: {what} is not one of {choices}", hint)
        return ""

    def _one_of(self, fields: Fields, kind: Section, where: str) -> None:
        given = [name for name in fields.found if name in kind.one_of]
        if len(given) > 1:
            both = " and ".join(f"`{name}`" for name in given)
            self.report.error(fields.found[given[1]].key, f"{where}: {both} exclude each other", "keep one of them")
        if kind.needs_one and not given:
            self.report.error(fields.place, f"{where}: needs " + " or ".join(f"`{name}`" for name in kind.one_of))

    def _several(self, node: Node, kind: Several, where: str) -> Any:
        if not isinstance(node, Sequence):
            return self.expected("a list of mappings", node, where)
        return tuple(self.section(item, kind.section, f"{where}[{number}]") for number, item in enumerate(node.items))

    def _named(self, node: Node, kind: Named, where: str) -> Any:
        if isinstance(node, Sequence) and any(isinstance(item, Mapping) for item in node.items):
            from supervisor.config.dialects.listed import as_mapping

            self.report.error(node.place, f"{where}: expected a mapping of names to services, found a list",
                              "write `NAME: {command: …}` for each, without `-`")  # fmt: skip
            node = as_mapping(node)
        if not isinstance(node, Mapping):
            return self.expected("a mapping of names to services", node, where)
        if not node.entries:
            hint = "add one: `web: {command: …, pool: …}`"
            self.report.error(node.place, f"{where}: there is no service in it", hint)
            return BROKEN
        if len(node.entries) > MOST_SERVICES:
            self.report.error(node.place, f"{where}: more than {MOST_SERVICES} services")
            return BROKEN
        found: dict[str, Found] = {}
        for entry in node:
            self._check_name(entry.key, where)
            section = self.section(entry.value, kind.section, f"{where}.{entry.key.text}")
            found[entry.key.text] = Found(section, entry.value.place, entry.key.place)
        return found

    def _check_name(self, key: Scalar, where: str) -> None:
        name, quoted = key.text, self.report.quote(key.text)
        if not key.is_text or (not key.quoted and name.lower() in OLD_BOOLEANS):
            return  # it has been told that it is no text
        if name == "portsup":
            reason = "is taken by portsup's own log"
            self.report.error(key.place, f"{where}: the name {quoted} {reason}", "choose another name")
        elif not re.fullmatch(NAME, name, re.ASCII):
            hint = f"write `{better}`" if (better := tidy_name(name)) else ""
            rule = "names have lower-case letters, digits, `.`, `_` and `-`, and begin with a letter or digit"
            self.report.error(key.place, f"{where}: {quoted} is not a name: {rule}", hint)
        elif len(name) > LONGEST_NAME:
            self.report.error(key.place, f"{where}: {quoted} is longer than {LONGEST_NAME} characters")
