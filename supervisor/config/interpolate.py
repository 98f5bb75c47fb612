"""Fills in `${VAR}` and its relatives, as compose does; `$$` is a dollar sign, a `$` before anything else stays."""

import re
from collections.abc import Callable

from supervisor.config.report import Report, Unreadable
from supervisor.config.secrets import secret_values
from supervisor.config.tree import Entry, Mapping, Node, Scalar, Sequence
from supervisor.dataclass import dataclass, field, replace

Lookup = Callable[[str], str | None]

DEEPEST = 8  # defaults inside defaults
LONGEST = 1024 * 1024  # characters that filling in may add up to, in one file
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_OPERATOR = re.compile(r":?[-?+]")
# In a default, the braces of a placeholder do not end it: `${URL:-http://localhost:{port}}`.
_PLACEHOLDER = r"\{(?:port|host|instance|url|fd)(?::[\w.-]*)?\}"
_SPECIAL = re.compile(rf"\$\$|\$\{{|\{{{_PLACEHOLDER}\}}|{_PLACEHOLDER}|\}}", re.ASCII)
_LITERALLY = "for the characters themselves write `$${`"
# `${{ secrets.NAME }}` of workflows and `${env:NAME}` of editors: what is filled in has a name of its own here.
_FOREIGN = re.compile(r"\$\{(?:\{\s*(?:[\w-]+\.)*(\w+)\s*\}\}?|(?:env|vars?|secrets?)[.:](\w+)\})", re.ASCII)


class BadReference(ValueError):
    """A `${…}` that cannot be filled in; `offset` counts characters from the start of the value.

    `others` are those behind it in the same value.
    """

    def __init__(self, offset: int, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason
        self.hint = hint
        self.others: tuple[BadReference, ...] = ()


def literally(text: str) -> str:
    """`text` written so that filling in gives its characters back; a `$` that means nothing stays as it is."""
    return text.replace("$", "$$") if "${" in text or "$$" in text else text


@dataclass(slots=True)
class Filler:
    """Fills texts; `used` collects the variables that went in, `left` the characters that may still go in."""

    lookup: Lookup
    used: list[tuple[str, str]] = field(default_factory=list)
    left: int = LONGEST
    _bad: list[BadReference] = field(default_factory=list)

    def fill(self, text: str) -> str:
        """`text` with its references filled in; raises BadReference."""
        self._bad.clear()
        try:
            filled = self._fill(text, 0, depth=0, needed=True)[0]
        except BadReference as bad:
            self._bad.append(bad)
        if self._bad:
            found = {each.reason: each for each in reversed(self._bad)}.values()  # of several that are alike the first
            first, *others = sorted(found, key=lambda each: each.offset)
            first.others = tuple(others)
            raise first
        return filled

    def _fill(self, text: str, at: int, *, depth: int, needed: bool) -> tuple[str, int]:
        """Fill from `at` on to the end, or (inside a default) to the closing brace; returns the offset behind it.

        Where the result is not `needed`, references in it are read over.
        """
        parts: list[str] = []
        while found := _SPECIAL.search(text, at):
            parts.append(text[at : found.start()])
            at = found.end()
            match found[0]:
                case "$$":
                    parts.append("$")
                case "${":
                    value, at = self._reference(text, found.start(), depth, needed)
                    parts.append(value)
                case "}" if depth:
                    return "".join(parts), at
                case other:
                    parts.append(other)
        if depth:
            raise BadReference(len(text), "`${` without its `}`", f"close it; {_LITERALLY}")
        parts.append(text[at:])
        return "".join(parts), len(text)

    def _reference(self, text: str, start: int, depth: int, needed: bool) -> tuple[str, int]:
        if depth >= DEEPEST:
            raise BadReference(start, f"`${{…}}` with defaults more than {DEEPEST} levels deep")
        name = _NAME.match(text, start + 2)
        if foreign := _FOREIGN.match(text, start):
            return self._foreign(foreign)
        if not name:
            raise BadReference(start, "`${` without the name of a variable", _LITERALLY)
        sign = _OPERATOR.match(text, name.end())
        operator, at = (sign[0], sign.end()) if sign else ("", name.end())
        if not operator and at < len(text) and text[at] != "}":
            known = "use ${VAR}, ${VAR:-default} or ${VAR:?message}"
            raise BadReference(start, f"`${{{name[0]}{text[at]}` is no form portsup knows", f"{known}; {_LITERALLY}")
        value = self.lookup(name[0]) if needed else None
        if value == "" and operator.startswith(":"):
            value = None
        uses_other = (value is None and operator.endswith("-")) or (value is not None and operator.endswith("+"))
        other, end = self._fill(text, at, depth=depth + 1, needed=needed and uses_other)
        if uses_other:
            value = other
        elif operator.endswith("+"):
            value = ""
        if value is None and needed:
            reason = f"`${{{name[0]}}}`: the variable is not set"
            told = f": {other}" if operator.endswith("?") and other else ""
            hint = f"set it in the environment or in `.env`, or give a default: `${{{name[0]}:-default}}`"
            if name[0].upper() == "PORT":
                hint = "write `{port}` for the port that portsup gives a service; any other: set it in `.env`"
            self._bad.append(BadReference(start, reason + told, hint))
        elif needed:
            self._count(start, name[0], value or "")
        return value or "", end

    def _foreign(self, found: re.Match[str]) -> tuple[str, int]:
        name = found[1] or found[2]
        reason = f"`{found[0]}` is no form portsup knows"
        hint = "write `{port}`" if name.lower() == "port" else f"write `${{{name}}}`"
        self._bad.append(BadReference(found.start(), reason, f"{hint}; {_LITERALLY}"))
        return "", found.end()

    def _count(self, start: int, name: str, value: str) -> None:
        self.used.append((name, value))
        self.left -= len(value)
        if self.left < 0:
            raise BadReference(start, f"`${{{name}}}` makes the file longer than {LONGEST} characters")


@dataclass(slots=True)
class Interpolation:
    """Fills a whole tree; mistakes and secret values go to the report."""

    lookup: Lookup
    report: Report
    _filler: Filler = field(init=False)
    _done: dict[int, tuple[Node, Node, int]] = field(default_factory=dict)  # by id: an anchor is one node, many places
    _size: int = 0  # characters filled in so far, anchors counted wherever they are used

    def __post_init__(self) -> None:
        self._filler = Filler(self.lookup)

    def tree(self, node: Node) -> Node:
        """The same tree with every value filled in; keys and the top level's `x-…` entries stay as they are."""
        if not isinstance(node, Mapping):
            return self._node(node)
        entries = (
            entry if entry.key.text.startswith("x-") else Entry(entry.key, self._node(entry.value)) for entry in node
        )
        return replace(node, entries=tuple(entries))

    def _node(self, node: Node) -> Node:
        known = self._done.get(id(node))
        if known is None:
            before = self._size
            fresh = self._fresh(node)
            self._done[id(node)] = (node, fresh, self._size - before)
            return fresh
        self._grow(node, known[2])
        return known[1]

    def _grow(self, node: Node, size: int) -> None:
        self._size += size
        if self._size > LONGEST:
            self.report.error(node.place, f"variables make the file longer than {LONGEST} characters")
            raise Unreadable

    def _fresh(self, node: Node) -> Node:
        match node:
            case Mapping():
                return replace(node, entries=tuple(Entry(entry.key, self._node(entry.value)) for entry in node))
            case Sequence():
                return replace(node, items=tuple(self._node(item) for item in node.items))
            case Scalar() if "$" in node.text:
                return self._scalar(node)
            case _:
                return node

    def _scalar(self, node: Scalar) -> Scalar:
        self._filler.used.clear()
        try:
            text = self._filler.fill(node.text)
        except BadReference as bad:
            # Only the reference is shown, what stands around it may be a secret.
            for each in (bad, *bad.others):
                self.report.error(node.at(each.offset), each.reason, each.hint)
            return replace(node, faulty=True)
        self._grow(node, len(text))
        has_secrets = False
        for name, value in self._filler.used:
            if secrets := set(secret_values(name, value)):
                self.report.hide(secrets, node.place, f"`${{{name}}}`")
                has_secrets = True
        if text == node.text:
            return node
        is_filled = bool(self._filler.used)
        return replace(node, text=text, filled=is_filled, shift=None, indent=None, secret=has_secrets, raw=node.text)
