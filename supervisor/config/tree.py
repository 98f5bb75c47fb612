"""A configuration file as a tree of frozen nodes that know where they stand."""

import re
from collections.abc import Iterator

from supervisor.dataclass import dataclass, replace

NULLS = ("", "~", "null", "Null", "NULL")
TRUE = ("true", "True", "TRUE")
FALSE = ("false", "False", "FALSE")
RESET, OVERRIDE = "!reset", "!override"  # tags: take away, and replace as a whole, what is below
TAGS = (RESET, OVERRIDE)
OLD_BOOLEANS = ("yes", "no", "on", "off")  # booleans in YAML 1.1, text in YAML 1.2
NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
OTHER_NUMBER = re.compile(
    r"[-+]?(0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+|\d[\d_]*(:[0-5]?\d)+|\d[\d_]*|\.(inf|Inf|INF))|\.(nan|NaN|NAN)"
)


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a file, counted from 1; 0 where it is not known.  `file` is empty for the one that is loaded."""

    line: int = 0
    column: int = 0
    file: str = ""


UNKNOWN = Position()


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as it is written; what it means depends on the key it is given to."""

    place: Position
    text: str
    quoted: bool = False  # then it is text, whatever it looks like
    shift: int | None = None  # columns from `place` to the first character of `text`; None if they do not map
    faulty: bool = False  # a mistake in it has been reported, so nothing more needs saying
    filled: bool = False  # variables were filled in, so whether quotes stand around it says nothing about its type
    secret: bool = False  # has a secret in it, so no hint may play with its text
    tag: str = ""  # one of TAGS
    indent: int | None = None  # of a block of lines that stand as they are, in columns
    raw: str = ""  # the text before variables were filled in, where any were

    @property
    def written(self) -> str:
        """The text as it stands in the file."""
        return self.raw or self.text

    @property
    def is_null(self) -> bool:
        return not self.quoted and not self.filled and self.text in NULLS

    @property
    def is_text(self) -> bool:
        """Whether YAML readers agree that this is text and nothing else."""
        return (
            self.quoted
            or self.filled
            or not (
                self.text in NULLS
                or self.text in TRUE
                or self.text in FALSE
                or NUMBER.fullmatch(self.text)
                or OTHER_NUMBER.fullmatch(self.text)
            )
        )

    def at(self, offset: int) -> Position:
        """Where the character number `offset` of the text stands."""
        if self.indent is not None:
            line = self.text.count("\n", 0, offset)
            begun = self.text.rfind("\n", 0, offset) + 1
            return Position(self.place.line + 1 + line, self.indent + offset - begun + 1, self.place.file)
        if self.shift is None:
            return self.place
        return Position(self.place.line, self.place.column + self.shift + offset, self.place.file)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    place: Position
    items: "tuple[Node, ...]"
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value."""

    key: Scalar
    value: "Node"


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping, merge keys already merged; no key comes twice."""

    place: Position
    entries: tuple[Entry, ...]
    tag: str = ""

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)


Node = Scalar | Sequence | Mapping


def kind_of(node: Node) -> str:
    """What the node is, in a word for a message."""
    match node:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Scalar() if node.is_null:
            return "nothing"
        case _:
            return "a value"


def moved(node: Node, further: dict[int, int]) -> Node:
    """The same node, whose places are so many columns before, by line."""
    place = node.place
    place = Position(place.line, max(1, place.column - further.get(place.line, 0)), place.file)
    match node:
        case Scalar():
            return replace(node, place=place)
        case Sequence():
            return replace(node, place=place, items=tuple(moved(item, further) for item in node.items))
        case Mapping():
            entries = (Entry(_moved_key(each.key, further), moved(each.value, further)) for each in node)
            return replace(node, place=place, entries=tuple(entries))


def _moved_key(key: Scalar, further: dict[int, int]) -> Scalar:
    found = moved(key, further)
    assert isinstance(found, Scalar)
    return found
