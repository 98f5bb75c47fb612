"""What several commands take on their command line: numbers of lines and moments."""

import argparse
import time

ALL = -1
_DIGITS = 18


def line_count(text: str) -> int:
    """How many lines: a number, or `all`."""
    if (count := _count(text)) is None:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of lines: write 50, or all")
    return count


def failure_count(text: str) -> int:
    """How many failures: a number from 1, or `all`."""
    if not (count := _count(text)):
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of failures: write 1, 2, ... or all")
    return count


def _count(text: str) -> int | None:
    if text == "all":
        return ALL
    if text.isascii() and text.isdigit():
        digits = text.lstrip("0") or "0"
        return int(digits) if len(digits) < _DIGITS else ALL  # more than there can be
    return None


def moment(text: str) -> float:
    """Seconds since 1970 for `10m` (ago) or an ISO 8601 time, local unless it says otherwise."""
    from datetime import datetime

    from supervisor.cli.parser import seconds

    try:
        return time.time() - seconds(text)
    except argparse.ArgumentTypeError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(f"`{text}` is not a time: write 10m, 2h or 2026-03-01T09:30") from None


def _port(digits: str) -> int:
    return int(digits.lstrip("0")[:9] or 0)


def ports(text: str) -> list[int]:
    """Ports such as `6000-6002`, `6000,6010` or both."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isascii() and first.isdigit() and (not dash or (last.isascii() and last.isdigit()))):
            raise argparse.ArgumentTypeError(f"`{text}` are not ports: write 6000-6002 or 6000,6010")
        begin, end = (_port(first), _port(last)) if dash else (_port(first), _port(first))
        if not 0 < begin <= end < 65536:
            raise argparse.ArgumentTypeError(
                f"`{part.strip()}` is not valid: write ports from 1 to 65535, the lower one first"
            )
        if end - begin >= 100:
            count = end - begin + 1
            raise argparse.ArgumentTypeError(
                f"`{part.strip()}` are {count} ports, and portsup would hold all of them: at most 100"
            )
        found += range(begin, end + 1)
    if len(set(found)) != len(found):
        raise argparse.ArgumentTypeError(f"`{text}` has a port twice")
    return found
