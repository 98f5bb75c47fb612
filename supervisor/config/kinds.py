"""What a key is, and what its value can look like.

`scalars`, `shapes` and `validate` read each kind, `forms` brings it into the spec and back, `schema` and `reference`
describe it.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

from supervisor.annotations import Any
from supervisor.dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.config.fields import Fields

NAME = r"[a-z0-9][a-z0-9._-]*"  # of stacks and services
LONGEST_NAME = 63
ACCOUNT = r"[A-Za-z_][A-Za-z0-9_.-]*\$?|[0-9]{1,10}"  # a user or group
PROFILE = r"[A-Za-z0-9][A-Za-z0-9._-]*"
VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"


@dataclass(frozen=True, slots=True)
class Text:
    """Words; `pattern` must match all of them, `rule` says it in words, `what` in one or two."""

    pattern: str = ""
    rule: str = ""
    longest: int = 100_000
    or_number: bool = False  # for the schema: YAML readers may take it for a whole number
    what: str = "text"


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false; with `only`, just that one is of use."""

    only: bool | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number; `endless` is a word for one above all of them."""

    least: int
    most: int
    endless: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that may have a fraction."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Duration:
    """A time span; `least` in seconds, `endless` as for a whole number."""

    least: float = 0.0
    endless: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """A number of bytes; `endless` as for a whole number."""

    least: int
    most: int
    endless: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words; `meant` maps what peers call them.  In the spec they are members of `of`."""

    words: tuple[str, ...]
    meant: tuple[tuple[str, str], ...] = ()
    of: type[StrEnum] | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal by name or number; with `handled`, one that a program can handle."""

    handled: bool = False


class Shape(StrEnum):
    """What is always read the same way."""

    COMMAND = "command"  # a program and its arguments: a list, or a text split like a shell would
    POOL = "pool"  # ports: a list, a range, a single port, or a base and a size
    ENVIRONMENT = "environment"  # variables: a mapping, or a list of NAME=VALUE
    ENV_FILES = "env-files"  # one or more files of variables
    EXIT_CODES = "exit-codes"  # a list of exit codes
    PATTERNS = "patterns"  # one or more paths or patterns
    ADDRESSES = "addresses"  # one or more addresses, which may have secrets in them
    NAMES = "names"  # a list of words that are names, each once
    EXTENDS = "extends"  # another service; `extends` has put it in before anything else is read
    DEPENDS_ON = "depends-on"  # names of services, or a mapping of names to conditions
    HTTP = "http"  # how a probe asks by HTTP: a path, or a mapping with what is sent and what is a good answer
    HTTP_PATH = "http-path"  # the path of an HTTP request
    HTTP_URL = "http-url"  # where something is, on this machine or elsewhere
    HEADERS = "headers"  # texts by the name of a header
    STATUSES = "statuses"  # statuses of HTTP: numbers and ranges
    PATH = "path"  # the path of a file, with placeholders
    REGEX = "regex"  # a regular expression as Python's `re` knows them


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping with keys of its own.

    `words` may stand for the whole mapping; of the keys in `one_of` at most one is given, exactly one if `needs_one`.
    What is no mapping is taken for the value of the key `short`, if there is one.  In the spec it is an instance of
    the dataclass `of`, whose fields have the names of the keys.
    """

    keys: "tuple[Key, ...]"
    words: tuple[str, ...] = ()
    short: str = ""
    one_of: tuple[str, ...] = ()
    needs_one: bool = False
    of: type[Any] | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A mapping of names to sections."""

    section: Section


@dataclass(frozen=True, slots=True)
class Several:
    """A list of sections."""

    section: Section


Kind = Text | Flag | Whole | Number | Duration | Size | Choice | Signal | Shape | Section | Named | Several


@dataclass(frozen=True, slots=True)
class Making:
    """What fields of the spec are made of, beside what the file says."""

    directory: Path  # of services.yaml, absolute
    home: str = ""
    environment: Mapping[str, str] | None = None  # of the service, put together


@dataclass(frozen=True, slots=True)
class Showing:
    """How much is shown: all with `reveal`, else `secrets` are hidden."""

    reveal: bool = False
    secrets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Form:
    """How what the file says becomes fields of the spec and is shown again, for a key whose kind does not tell it.

    `make` gives those of `fields` that the file says, by name; the others keep the default of the spec.
    `show` gives plain data for the spec; "" and None are left out.
    """

    fields: tuple[str, ...]
    make: "Callable[[Fields, Making], Mapping[str, Any]]"
    show: Callable[[Any, Showing], Any]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a section.

    `doc` is what it means, in one or two sentences without Markdown, for the schema and the reference; `more` is for
    the reference alone.  `also` is what peers or hasty fingers call it.
    """

    name: str
    kind: Kind
    doc: str
    default: str = ""
    required: bool = False
    also: tuple[str, ...] = ()
    more: str = ""
    unset: str = ""  # what holds without it, in words, where `default` cannot say it
    is_live: bool = False  # a running service keeps its process when it changes
    field: str = ""  # of the spec, if it is not called like the key
    form: Form | None = None
