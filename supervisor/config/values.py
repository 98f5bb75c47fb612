"""Reads the small languages of a services.yaml: durations, sizes, signals, ports, paths.  No positions, no files.

Each function returns the value, or raises `Bad` with the reason and, where there is one, a hint.
"""

import os.path
import re
from pathlib import Path

from supervisor.config.suggest import did_you_mean
from supervisor.config.tree import OTHER_NUMBER
from supervisor.core import signals

LONGEST = 365 * 24 * 3600.0  # seconds
LARGEST_POOL = 256
LONGEST_COMMAND = 128 * 1024  # characters of a text to split; Linux takes no longer argument either
DEFAULT_POOL_SIZE = 3

_UNITS = (3600.0, 60.0, 1.0, 0.001)
_COUNT = r"\d+(?:\.\d+)?"
_DURATION = re.compile(rf"(?:({_COUNT})h)?(?:({_COUNT})m)?(?:({_COUNT})s)?(?:({_COUNT})ms)?", re.ASCII)
_PLAIN = re.compile(r"\d+(\.\d+)?", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?b)?", re.IGNORECASE | re.ASCII)
_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)", re.ASCII)
_RANGE_OF_OTHERS = re.compile(r"(\d+)\s*(?:\.\.+|:|\u2013|to|,)\s*(\d+)", re.ASCII)
_MOST_DIGITS = 18


class Bad(ValueError):
    """The text does not say what it should."""

    def __init__(self, reason: str, hint: str = "", offset: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.offset = offset  # of the character that is wrong, where one is


def absolute(directory: Path, path: str, home: str) -> Path:
    """`path` as seen from the directory of services.yaml; `~` is the home directory."""
    if home and (path == "~" or path.startswith("~/")):
        path = home + path[1:]
    return Path(os.path.normpath(directory / path))


def whole(text: str) -> int:
    """A whole number, written the one way that every YAML reader takes for the same number."""
    plain = text.removeprefix("-")
    if re.fullmatch(r"0|[1-9]\d*", plain, re.ASCII):
        if len(plain) > _MOST_DIGITS:
            raise Bad("is too large a number")
        return int(text)
    digits = plain.removeprefix("+")
    if re.fullmatch(r"0\d+", digits, re.ASCII):
        raise Bad("starts with 0: some YAML readers take it for an octal number", f"write {digits.lstrip('0') or '0'}")
    if ":" in digits and OTHER_NUMBER.fullmatch(digits):
        raise Bad("has a colon: YAML 1.1 readers take it for a number of base 60", "write a plain decimal number")
    if "_" in digits and re.fullmatch(r"\d[\d_]*", digits, re.ASCII):
        raise Bad("is a number with underscores, which YAML 1.2 takes for text", f"write {digits.replace('_', '')}")
    if re.fullmatch(r"0[xob][0-9a-fA-F]{1,16}", digits) and OTHER_NUMBER.fullmatch(digits):
        raise Bad("is not a decimal number", f"write {int(digits, 0)}")
    raise Bad("is not a whole number")


def number(text: str) -> float:
    """A decimal number such as 2 or 1.5."""
    if not _PLAIN.fullmatch(text) or len(text) > _MOST_DIGITS:
        raise Bad("is not a number", "write it like 2 or 1.5")
    return float(text)


_WORDS_OF_TIME = re.compile(
    r"(\d+(?:\.\d+)?)\s*(ms|msecs?|millis(?:econds?)?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(?![a-z])",
    re.IGNORECASE,
)
_SECONDS = {"ms": 0.001, "mi": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def tidy_duration(text: str) -> str:
    """What `text`, a time as people write it (`10 sec`, `5 minutes`, `1:30`), is in our form; empty if it is none."""
    text = text.strip()
    if clock := re.fullmatch(r"(\d{1,3}):([0-5]\d)", text, re.ASCII):
        return f"{int(clock[1])}m{int(clock[2])}s"
    if iso := re.fullmatch(r"P(\d+D)?(?:T(\d+H)?(\d+M)?(\d+(?:\.\d+)?S)?)?", text.upper(), re.ASCII):
        text = " ".join(filter(None, iso.groups()))
    rest = _WORDS_OF_TIME.sub("", text)
    if not text or len(text) > 60 or rest.strip(" ,") or not text[0].isdigit():
        return ""
    total = 0.0
    for count, unit in _WORDS_OF_TIME.findall(text):
        unit = unit.lower()
        kind = "ms" if unit.startswith(("ms", "mil")) else unit[0]
        total += float(count) * _SECONDS[kind]
    if total >= 3600 and total % 3600 == 0:
        return f"{int(total // 3600)}h"
    if total >= 60 and total % 60 == 0:
        return f"{int(total // 60)}m"
    return f"{total:g}s" if total >= 1 or not total else f"{total * 1000:g}ms"


def tidy_size(text: str) -> str:
    """What `text`, a size as people write it (`512Mi`, `1 GiB`, `64 mb`), is in our form; empty if it is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt])(?:i|b|ib|bytes|o)?", text.strip(), re.IGNORECASE | re.ASCII)
    return f"{found[1]}{found[2].upper()}B" if found else ""


def duration(text: str) -> float:
    """Seconds, from `500ms`, `0.5s`, `10s`, `2m`, `1h30m`, or a plain number of seconds."""
    text = text.strip()
    if _PLAIN.fullmatch(text) and len(text) <= _MOST_DIGITS:
        seconds = float(text)
    elif text and len(text) <= 4 * _MOST_DIGITS and (match := _DURATION.fullmatch(text)):
        seconds = sum(float(count or 0) * unit for count, unit in zip(match.groups(), _UNITS, strict=True))
    else:
        usual = "write it like 500ms, 10s, 2m or 1h30m; a plain number is seconds"
        raise Bad("is not a duration", f"write `{better}`" if (better := tidy_duration(text)) else usual)
    if seconds > LONGEST:
        raise Bad("is longer than a year")
    return round(seconds, 6)


def size(text: str) -> int:
    """Bytes, from `10MB`, `512KB`, `1GB` (steps of 1024), or a plain number of bytes."""
    match = _SIZE.fullmatch(text.strip())
    if not match or len(text) > _MOST_DIGITS:
        usual = "write it like 512KB, 10MB or 1GB; a plain number is bytes"
        raise Bad("is not a size", f"write `{better}`" if (better := tidy_size(text)) else usual)
    count, prefix, _ = match.groups()
    return int(float(count) * 1024 ** " kmgt".index(prefix.lower() or " "))


def signal_number(text: str) -> int:
    """The number of a signal given by name (`SIGTERM`, `term`) or number."""
    found = signals.number_of(text)
    if found is None and text.isascii() and text.isdigit():
        raise Bad("is not the number of a signal on this system")
    if found is None:
        name = text.upper() if text.upper().startswith("SIG") else f"SIG{text.upper()}"
        raise Bad("is not a signal on this system", did_you_mean(name, signals.names()))
    return found


def port(text: str) -> int:
    """A port number, 1 to 65535."""
    found = whole(text)
    if found == 0:
        raise Bad("is no port of its own: 0 asks the system for any port", "name the ports that clients use")
    if not 1 <= found <= 65535:
        raise Bad("is not a port: ports are 1 to 65535")
    return found


def port_range(text: str) -> tuple[int, ...]:
    """The ports of `6000-6002`, or of a single port."""
    text = text.strip()
    if other := _RANGE_OF_OTHERS.fullmatch(text):
        raise Bad("is not a range of ports", f"write {other[1]}-{other[2]}")
    match = _RANGE.fullmatch(text)
    if not match:
        return (port(text),)
    first, last = port(match[1]), port(match[2])
    if last < first:
        raise Bad("ends before it begins", f"write {last}-{first}")
    return ports_from(first, last - first + 1)


def ports_from(base: int, count: int) -> tuple[int, ...]:
    """`count` ports from `base` on."""
    if count > LARGEST_POOL:
        raise Bad(f"is {count} ports, a pool has at most {LARGEST_POOL}")
    if base + count - 1 > 65535:
        raise Bad(f"ends at {base + count - 1}: ports are 1 to 65535")
    return tuple(range(base, base + count))
