"""Which of some lines somebody wants to see, and how bad a line says that it is."""

import contextlib
from collections.abc import Sequence

from supervisor.logs.levels import level_of
from supervisor.logs.query import make_query, matching
from supervisor.system.patterns import TooSlow, within_limit

_SECONDS = 1.0  # of processor time for all lines that are given at once


class LineFilter:
    """A regular expression that lines are held against."""

    def __init__(self, grep: str) -> None:
        """Raises UsageError for what is no regular expression of Python."""
        self._query = make_query(grep)

    def numbers(self, texts: Sequence[str]) -> list[int]:
        """Which of these lines match; raises UsageError where that takes too long on one of them, or on all.

        Only in the main thread can it be stopped while it looks at one.
        """
        return matching(self._query, texts, _SECONDS)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """From where to where it matches in a line; those until it has taken too long, in the main thread."""
        found: list[tuple[int, int]] = []
        pattern = self._query.pattern
        if pattern is None:
            return found

        def search() -> bool:
            found.extend(each.span() for each in pattern.finditer(text))
            return True

        with contextlib.suppress(TooSlow):  # behind its first match: without one it would not be shown
            within_limit(search)
        return found


def level_word(text: str) -> str | None:
    """The level that a line names, in small letters; None for none."""
    level = level_of(text)
    return None if level is None else level.name.lower()
