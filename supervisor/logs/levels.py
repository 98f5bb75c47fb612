"""How bad a line of a log says that it is, whatever program printed it.  Pure."""

import functools
import re
from enum import IntEnum

LOOKED_AT = 4096  # characters at the beginning of a line
_WORDS_WITHIN = 200  # characters in which a level stands that is no field: further on it is what the line is about


class Level(IntEnum):
    """The levels that loggers have in common, the worse the greater."""

    TRACE = 10
    DEBUG = 20
    INFO = 30
    WARNING = 40
    ERROR = 50
    CRITICAL = 60


NAMES = tuple(level.name.lower() for level in Level)
_CALLED = {
    "trace": Level.TRACE, "trc": Level.TRACE, "verbose": Level.TRACE, "silly": Level.TRACE, "finest": Level.TRACE,
    "debug": Level.DEBUG, "dbg": Level.DEBUG, "fine": Level.DEBUG,
    "info": Level.INFO, "inf": Level.INFO, "information": Level.INFO, "informational": Level.INFO,
    "notice": Level.INFO, "log": Level.INFO,
    "warning": Level.WARNING, "warn": Level.WARNING, "wrn": Level.WARNING,
    "error": Level.ERROR, "err": Level.ERROR, "severe": Level.ERROR,
    "critical": Level.CRITICAL, "crit": Level.CRITICAL, "alert": Level.CRITICAL, "emerg": Level.CRITICAL,
    "emergency": Level.CRITICAL, "fatal": Level.CRITICAL, "panic": Level.CRITICAL, "ftl": Level.CRITICAL,
}  # fmt: skip
_LETTERS = {"I": Level.INFO, "W": Level.WARNING, "E": Level.ERROR, "F": Level.CRITICAL}  # of glog and klog


_FIELDS = ("LEVEL", "SEVERITY", "LVL")
_ERRORS = ("TRACEBACK", "EXCEPTION", "GOROUTINE", "UNCAUGHT", "UNHANDLED", "PANICKED")


def may_be(text: str, least: Level) -> bool:
    """Whether a look at a line is worth it: False only for one that names no level as bad as `least`; cheap."""
    head = text[:LOOKED_AT].upper()
    return any(each in head for each in _words_from(least)) or head[1:5].isdigit() or any(f in head for f in _FIELDS)


@functools.cache
def _words_from(least: Level) -> tuple[str, ...]:
    """What stands somewhere in every line that is as bad as `least`; but for fields, and for glog."""
    words = {word.upper() for word, level in _CALLED.items() if level >= least}
    shortest = {word for word in words if not any(other != word and other in word for other in words)}
    return (*shortest, *(_ERRORS if least <= Level.ERROR else ()))


def named(word: str) -> Level | None:
    """The level that is called so, by any of its usual names or by pino's number; None where it is no level."""
    if word.isascii() and word.isdigit():
        return Level(int(word)) if word in ("10", "20", "30", "40", "50", "60") else None
    return _CALLED.get(word.lower())


def level_of(text: str) -> Level | None:
    """The level that a line names, as a field (JSON, logfmt) or as a word in front of its message; None for none.

    The first line of a traceback or of a panic is an error.
    """
    patterns = _patterns()
    head = text[:LOOKED_AT].upper()
    if (
        any(each in head for each in _FIELDS)
        and (field := patterns[0].search(text, 0, LOOKED_AT))
        and (level := named(field[1])) is not None
    ):
        return level
    if word := patterns[1].search(text, 0, _WORDS_WITHIN):
        return named(word[word.lastindex or 0])
    if letter := patterns[2].match(text):
        return _LETTERS[letter[1]]
    return Level.ERROR if patterns[3].match(text) else None


@functools.cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """A field, a word, the letter of glog, and what errors begin with that have no level."""
    upper = "|".join(
        word.upper() for word in _CALLED if word not in ("log", "fine", "finest", "silly", "verbose", "information")
    )
    lower = upper.lower()
    return (
        re.compile(r"(?:\b|_)(?:level|severity|levelname|loglevel|lvl|log\.level)\"?\s*[=:]\s*\"?(\w+)", re.IGNORECASE),
        re.compile(
            rf"(?:^|[\s\[<|(:])({upper})(?=[\]:>|)!,\s]|$)"  # 2026-03-01 INFO x, ERROR:root:x, [WARN] x, npm ERR! x
            rf"|\[(?:[\w.-]+:)?({lower})\]"  # nginx, apache
            rf"|(?:^|\s)(?i:({lower})):(?=\s|$)"  # error: x
        ),
        re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d"),
        re.compile(
            r"Traceback \(most recent call last\):|Exception in thread|goroutine \d+ \[running\]:|Uncaught |Unhandled "
            r"|thread '[^']*' .*panicked at|\w*(?:Error|Exception): "
        ),
    )
