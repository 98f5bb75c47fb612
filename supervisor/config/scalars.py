"""Reads single values by kind.  Each reader returns the value or raises `Bad`; places are the caller's business."""

import re
import warnings
from collections.abc import Callable

from supervisor.annotations import Any
from supervisor.config import values
from supervisor.config.kinds import (
    LONGEST_NAME,
    NAME,
    Choice,
    Duration,
    Flag,
    Kind,
    Number,
    Shape,
    Signal,
    Size,
    Text,
    Whole,
)
from supervisor.config.suggest import did_you_mean
from supervisor.config.tree import FALSE, OLD_BOOLEANS, TRUE, Position, Scalar
from supervisor.config.values import Bad
from supervisor.core.restart import INFINITE
from supervisor.dataclass import dataclass

LONGEST_REGEX = 1000
_ENDLESS = ("-1", ".inf", "inf", "infinity", "unlimited", "never", "forever", "none", "no")

_WANTED: dict[type, str] = {
    Text: "a text",
    Flag: "true or false",
    Whole: "a whole number",
    Number: "a number",
    Duration: "a duration such as 10s",
    Size: "a size such as 10MB",
    Signal: "a signal such as SIGTERM",
}


@dataclass(frozen=True, slots=True)
class Word:
    """A text with its node, for what is checked later against the rest of the file."""

    text: str
    node: Scalar
    whole: Scalar | None = None  # the text that it was split from

    def at(self, offset: int) -> Position:
        """Where the character number `offset` stands."""
        return self.node.at(offset)


def wanted(kind: Kind) -> str:
    """What a key of this kind takes, in words for a message."""
    match kind:
        case Choice():
            return f"one of {', '.join(kind.words)}"
        case Shape.HTTP_PATH:
            return "a path such as /health"
        case Shape.HTTP_URL:
            return "an address such as http://127.0.0.1:9000/api"
        case Shape.PATH:
            return "a path"
        case Shape.REGEX:
            return "a regular expression"
        case Whole(endless=word) | Size(endless=word) | Duration(endless=word) if word:
            return f"{_WANTED[type(kind)]} or `{word}`"
        case _:
            return _WANTED[type(kind)]


def tidy_name(text: str) -> str:
    """The nearest thing to `text` that is a name; empty if there is none."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower(), flags=re.ASCII).strip("._-")[:LONGEST_NAME].rstrip("._-")


def path_text(text: str) -> str:
    """The path of a file or folder."""
    if not text.strip() or "\0" in text:
        raise Bad("is not a path")
    return text


def read_scalar(kind: Kind, node: Scalar, text: str) -> Any:
    """What `text`, which stands in `node`, says to a key of this kind."""
    match kind:
        case Text():
            return _text(kind, node, text)
        case Flag():
            return _flag(kind, node, text)
        case Whole(endless=word) | Size(endless=word) | Duration(endless=word) if word and text == word:
            return INFINITE
        case Whole(endless=word) | Size(endless=word) | Duration(endless=word) if word and text.lower() in _ENDLESS:
            raise Bad(f"is not {_WANTED[type(kind)]}", f"write `{word}` for no limit")
        case Whole():
            if node.quoted and not node.filled:
                raise Bad("is text, not a number", f"write `{text}` without quotes")
            return _between(values.whole(text), kind.least, kind.most, str)
        case Number():
            return _between(values.number(text), kind.least, kind.most, "{:g}".format)
        case Duration():
            return _between(values.duration(text), kind.least, values.LONGEST, lambda s: f"{s:g}s")
        case Size():
            return _between(values.size(text), kind.least, kind.most, lambda n: f"{n} bytes")
        case Choice():
            return _choice(kind, text)
        case Signal():
            found = values.signal_number(text)
            if kind.handled and found in (9, 19):
                raise Bad("is a signal that no program can handle", "use one such as SIGHUP or SIGUSR1")
            return found
        case Shape.HTTP_PATH:
            if not re.fullmatch(r"/[!-~]*", text):
                raise Bad("is not a path of an HTTP request: it begins with / and has no spaces", _path_hint(text))
            return Word(text, node)
        case Shape.HTTP_URL:
            if not re.fullmatch(r"(https?://[!-~]+|\{url:[\w.-]+\})[!-~]*", text):
                raise Bad("is not an address: it begins with http://, https:// or {url:NAME}")
            return Word(text, node)
        case Shape.PATH:
            return Word(path_text(text), node)
        case Shape.REGEX:
            return _regex(node, text)
    raise AssertionError(kind)


def _text(kind: Text, node: Scalar, text: str) -> str:
    if not node.is_text and not kind.pattern:
        raise Bad("is not text", "put it in quotes")
    if kind.pattern and not re.fullmatch(kind.pattern, text, re.ASCII):
        hint = f"write `{better}`" if kind.pattern == NAME and (better := tidy_name(text)) else ""
        raise Bad(f"does not fit: {kind.rule}", hint)
    if len(text) > kind.longest:
        raise Bad(f"is longer than {kind.longest} characters")
    return text


def _flag(kind: Flag, node: Scalar, text: str) -> bool:
    if (node.quoted and not node.filled) or text not in TRUE + FALSE:
        hint = f"write `{text.lower()}` without quotes" if text in TRUE + FALSE else ""
        if text in ("1", "0"):
            hint = f"write `{'true' if text == '1' else 'false'}`"
        if text.lower() in OLD_BOOLEANS:
            hint = f"write `{'true' if text.lower() in ('yes', 'on') else 'false'}`: YAML 1.2 takes `{text}` for text"
        raise Bad("is not true or false", hint)
    found = text in TRUE
    if kind.only is not None and found is not kind.only:
        raise Bad(f"has no meaning here, only {str(kind.only).lower()} has", "leave the key out")
    return found


def _between(value: Any, least: Any, most: Any, words: Callable[[Any], str]) -> Any:
    if value < least:
        raise Bad(f"is too small: at least {words(least)}")
    if value > most:
        raise Bad(f"is too large: at most {words(most)}")
    return value


def _choice(kind: Choice, text: str) -> str:
    if text in kind.words:
        return text
    meant = dict(kind.meant).get(text.lower())
    hint = f"write `{meant}`" if meant else did_you_mean(text, kind.words)
    raise Bad(f"is not one of {', '.join(kind.words)}", hint)


def _path_hint(text: str) -> str:
    if found := re.fullmatch(r"(?:https?://[^/]*|(?:[\w.-]+|\[::1\])?:\d{1,5})(/.*)?", text, re.ASCII):
        return f"the address is that of the service, write `{found[1] or '/'}`"
    return f"write `/{text}`" if re.fullmatch(r"[!-~]{1,60}", text) else ""


def _regex(node: Scalar, text: str) -> Word:
    if len(text) > LONGEST_REGEX:
        raise Bad(f"is longer than {LONGEST_REGEX} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise Bad(f"is not a regular expression: {error}", "in double quotes a backslash is written twice") from error
    return Word(text, node)
