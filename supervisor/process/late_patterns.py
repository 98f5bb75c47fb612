"""Regular expressions that are compiled when they are first used, not when their module is imported.

PyYAML and what reads services.yaml have some sixty of them, of which one file needs few: the others take a sixth of the
time until it is read.
"""

import contextlib
import re
from collections.abc import Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_compile = re.compile
_METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn")


@contextlib.contextmanager
def compiled_late() -> Iterator[None]:
    """Has `re.compile` within the block give patterns that are compiled late; for a process with one thread."""
    re.compile = _Late  # type: ignore[assignment]
    try:
        yield
    finally:
        re.compile = _compile


class _Late:
    """Stands for a pattern; once it is compiled it has the pattern's methods as its own."""

    __slots__ = ("_arguments", "_pattern", *_METHODS)

    def __init__(self, *arguments: "Any", **named: "Any") -> None:
        self._arguments = arguments, named

    def __getattr__(self, name: str) -> "Any":
        if name == "_pattern":
            arguments, named = self._arguments
            self._pattern = pattern = _compile(*arguments, **named)
            for each in _METHODS:
                setattr(self, each, getattr(pattern, each))
            return pattern
        return getattr(self._pattern, name)
