"""What several commands take on their command line: numbers of lines and moments."""

import argparse
import time

ALL = -1


def line_count(text: str) -> int:
    """How many lines: a number, or `all`."""
    if text == "all":
        return ALL
    if text.isascii() and text.isdigit():
        return int(text[:18])
    raise argparse.ArgumentTypeError(f"`{text}` is no number of lines: write 50, or all")


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
        raise argparse.ArgumentTypeError(f"`{text}` is no time: write 10m, 2h or 2026-03-01T09:30") from None
