"""References that another program fills in before it looks at a command: marked while it is split, and put back."""

import re
import shlex
from collections.abc import Callable, Mapping

from supervisor.config import placeholders
from supervisor.convert.draft import Filled

PORT = "\ue000"  # stands for the port of the service
_BARE, _QUOTED = 0xE100, 0xE900  # marks for references outside of quotes, whose values are split, and within
MOST = 0x7FF
MARKS = re.compile(r"[\ue100-\uf0ff]")
PRIVATE = re.compile(r"[\ue000-\uf0ff]")
_PLAIN = re.compile(r"[A-Za-z0-9_./:=@%+,{}^-]+", re.ASCII)


def mark(text: str, pattern: re.Pattern[str], written: Callable[[re.Match[str]], str]) -> tuple[str, list[str]]:
    """`text` with a mark for each match, and what each stands for in services.yaml.

    What `written` gives in place of a match that is no reference begins with a NUL, and is put in as it is.
    """
    found: list[str] = []

    def put(match: re.Match[str]) -> str:
        value = written(match)
        if value.startswith("\0") or len(found) >= MOST:
            return value.removeprefix("\0")
        found.append(value)
        return chr(_BARE + len(found) - 1)

    return _told_apart(pattern.sub(put, PRIVATE.sub("", text))), found


def _told_apart(text: str) -> str:
    """The marks within quotes made different from those outside."""
    parts, quote, at = [], "", 0
    while at < len(text):
        char = text[at]
        if char == "\\" and quote != "'":
            parts.append(text[at : at + 2])
            at += 2
            continue
        if quote:
            quote = "" if char == quote else quote
            char = chr(ord(char) - _BARE + _QUOTED) if _BARE <= ord(char) <= _BARE + MOST else char
        elif char in "'\"":
            quote = char
        parts.append(char)
        at += 1
    return "".join(parts)


def written_back(text: str, found: list[str]) -> str:
    """A text of services.yaml with what the marks stand for; all else is taken literally."""
    if not PRIVATE.search(text):
        return text
    return Filled("".join(_piece(piece, found) for piece in re.split(f"({PRIVATE.pattern})", text)))


def _piece(piece: str, found: list[str]) -> str:
    if piece == PORT:
        return "{port}"
    if MARKS.fullmatch(piece):
        return found[(ord(piece) - _BARE) % (_QUOTED - _BARE)]
    return placeholders.literally(piece.replace("$", "$$"))


def splits(words: list[str]) -> bool:
    """Whether a word has a reference outside of quotes, so that its value decides how many words there are."""
    return any(_BARE <= ord(char) <= _BARE + MOST for word in words for char in word)


def as_text(words: list[str], found: list[str]) -> Filled:
    """The words as one text that services.yaml splits once the references in it are filled in."""
    return Filled(" ".join(_word(word, found) for word in words))


def _word(word: str, found: list[str]) -> str:
    parts = []
    for piece in re.split(f"({PRIVATE.pattern}+)", word):
        if PRIVATE.match(piece):
            inner = "".join(_piece(char, found) for char in piece)
            is_quoted = any(ord(char) >= _QUOTED for char in piece)
            parts.append(f'"{inner}"' if is_quoted else inner)
        elif piece:
            shown = placeholders.literally(piece.replace("$", "$$"))
            parts.append(shown if _PLAIN.fullmatch(piece) else shlex.quote(shown))
    return "".join(parts) or "''"


def resolved(text: str, pattern: re.Pattern[str], known: Mapping[str, str]) -> str | None:
    """`text` with its references filled in of `known` and of their defaults; None where one has neither."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        if match[0] == "$$":
            return "$"
        name, sign, word = match["plain"] or match["name"], match["sign"] or "", match["word"] or ""
        found = known.get(name, "")
        if found and not sign.endswith("+"):
            return found
        if sign.endswith("-"):
            return resolved(word, pattern, known) or ""
        missing = True
        return ""

    filled = pattern.sub(value, text)
    return None if missing else filled
