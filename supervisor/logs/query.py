"""What lines of a log somebody looks for.  Pure."""

import json
import re
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from supervisor.core.escapes import tamed
from supervisor.dataclass import dataclass
from supervisor.logs.gathering import Gathering, Group
from supervisor.logs.levels import NAMES, Level, level_of, may_be, named
from supervisor.logs.line import Line
from supervisor.system.patterns import TooSlow, found, within_limit
from supervisor.words import logs as words


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a line of JSON has to have, its keys from the outermost to the innermost; None for any value."""

    keys: tuple[str, ...]
    value: str | None

    def is_in(self, told: dict[str, Any]) -> bool:
        """Whether an object has the field; a key that contains dots may also be written as one."""
        whole = ".".join(self.keys)
        inner: Any = told.get(whole) if whole in told else _inner(told, self.keys)
        if inner is _NOTHING:
            return False
        return self.value is None or self.value == (inner if isinstance(inner, str) else json.dumps(inner))


BLOCK_LIMIT = 0.2  # seconds of processor time for many lines, before they are looked at one by one
LINE_LIMIT = 0.05  # and for one of them
_NOTHING = object()
_DECODER = json.JSONDecoder()


def _inner(told: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        if not isinstance(told, dict) or key not in told:
            return _NOTHING
        told = told[key]
    return told


@dataclass(frozen=True, slots=True)
class Query:
    """All of these must be true of a line; without any of them every line is meant."""

    pattern: re.Pattern[str] | None = None
    level: Level | None = None  # as bad as this, or worse; lines that name no level are left out
    fields: tuple[Field, ...] = ()

    def __bool__(self) -> bool:
        return self.pattern is not None or self.level is not None or bool(self.fields)

    def matches(self, text: str) -> bool:
        """Whether a line without control codes is meant."""
        if self.pattern is not None and not found(self.pattern, text):
            return False
        if self.level is not None:
            level = level_of(text) if may_be(text, self.level) else None
            if level is None or level < self.level:
                return False
        return not self.fields or self._has_fields(text)

    def _has_fields(self, text: str) -> bool:
        begin = text.find("{")
        if begin < 0 or ("\\" not in text and any(f'{each.keys[-1]}"' not in text for each in self.fields)):
            return False  # most lines are not even read
        try:
            told, _ = _DECODER.raw_decode(text, begin)
        except (ValueError, RecursionError):
            return False
        return isinstance(told, dict) and all(each.is_in(told) for each in self.fields)


def make_query(
    grep: str | None = None, *, ignore_case: bool = False, level: str | None = None, fields: "tuple[str, ...]" = ()
) -> Query:
    """The query in words that people write; raises UsageError with what is wrong in them."""
    pattern = None
    if grep is not None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Python, about what may mean something else one day
                pattern = re.compile(grep, re.IGNORECASE if ignore_case else 0)
        except (re.error, RecursionError, OverflowError) as error:
            raise words.no_expression(grep, error) from None
    least = None
    if level is not None:
        least = named(level)
        if least is None:
            raise words.no_level(level, NAMES)
    return Query(pattern, least, tuple(_field(each) for each in fields))


def _field(text: str) -> Field:
    name, equals, value = text.partition("=")
    keys = tuple(name.split("."))
    if not all(keys):
        raise words.no_field(text)
    return Field(keys, value if equals else None)


def matching(query: Query, texts: Sequence[str], seconds: float | None = None) -> list[int]:
    """Which of some lines match; raises UsageError where the expression takes too long on one.

    Or, with `seconds` of processor time, on all of them together.
    """
    chosen: list[int] = []

    def search() -> bool:
        chosen.extend(number for number, text in enumerate(texts) if query.matches(text))
        return True

    try:
        within_limit(search, BLOCK_LIMIT)
        return chosen
    except TooSlow:
        chosen.clear()
    begun = time.thread_time()
    for number, text in enumerate(texts):
        try:
            if seconds is not None and time.thread_time() - begun > seconds:
                raise TooSlow
            if within_limit(lambda text=text: query.matches(text), LINE_LIMIT):  # type: ignore[misc]
                chosen.append(number)
        except TooSlow:
            raise words.too_slow(query.pattern.pattern if query.pattern else "", is_one=seconds is None) from None
    return chosen


class Sieve:
    """Lets the lines through that match, with those around them, as they come."""

    def __init__(self, query: Query, context: int) -> None:
        self._query = query
        self._context = context
        self._gatherings: dict[str, Gathering] = {}

    def feed(self, lines: Sequence[Line]) -> Iterator[Group]:
        """What of these lines is meant, with what came before it."""
        chosen = set(matching(self._query, [tamed(line.message) for line in lines]))
        for number, line in enumerate(lines):
            gathering = self._gatherings.setdefault(line.service, Gathering(self._context))
            yield from gathering.feed(line, number in chosen)
        for gathering in self._gatherings.values():
            yield from gathering.flush()
