"""What the value of a key can look like.  `scalars`, `shapes` and `validate` read each kind, `schema` describes it."""

from enum import StrEnum

from supervisor.dataclass import dataclass

NAME = r"[a-z0-9][a-z0-9._-]*"  # of stacks and services
LONGEST_NAME = 63
ACCOUNT = r"[A-Za-z_][A-Za-z0-9_.-]*\$?|[0-9]{1,10}"  # a user or group
PROFILE = r"[A-Za-z0-9][A-Za-z0-9._-]*"
VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"


@dataclass(frozen=True, slots=True)
class Text:
    """Words; `pattern` must match all of them, `rule` says it in words."""

    pattern: str = ""
    rule: str = ""
    longest: int = 100_000
    or_number: bool = False  # for the schema: YAML readers may take it for a whole number


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
    """A time span; `least` in seconds."""

    least: float = 0.0


@dataclass(frozen=True, slots=True)
class Size:
    """A number of bytes."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words; `meant` maps what peers call them."""

    words: tuple[str, ...]
    meant: tuple[tuple[str, str], ...] = ()


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
    What is no mapping is taken for the value of the key `short`, if there is one.
    """

    keys: "tuple[Key, ...]"
    words: tuple[str, ...] = ()
    short: str = ""
    one_of: tuple[str, ...] = ()
    needs_one: bool = False


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
class Key:
    """One key: `doc` is a sentence for the schema, `also` what peers or hasty fingers call it."""

    name: str
    kind: Kind
    doc: str
    default: str = ""
    required: bool = False
    also: tuple[str, ...] = ()
