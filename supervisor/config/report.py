"""Collects every mistake of one run, and keeps secrets out of the words."""

from supervisor.config.secrets import redact
from supervisor.config.tree import Place
from supervisor.errors import Problem

LONGEST_QUOTE = 60  # characters of a value in a message
LONGEST_QUOTABLE = 2000
LONGEST_HINT = 400
MOST_PROBLEMS = 100
MOST_REPORTS = 1000  # an anchor with a mistake reports it wherever it is used


class Unreadable(Exception):
    """There is no point in reading on; the report has the reason."""


class Report:
    """The mistakes (`problems`) and the unwise things (`warnings`) found so far; `secrets` are never shown."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.over: tuple[str, ...] = ()  # files that are laid over it, in order
        self.has_tags = False  # whether a `!reset` or `!override` was read
        self.secrets: set[str] = set()
        self._problems: dict[tuple[str, Place, str], Problem] = {}
        self._warnings: dict[tuple[Place, str], str] = {}
        self._reports = 0
        self._quotes: dict[str, str] = {}

    def error(self, place: Place, message: str, hint: str = "", file: str = "") -> None:
        """Add a mistake; the same one at the same place counts once.  Raises Unreadable when there are too many."""
        file, message, hint = file or place.file or self.file, printable(message), printable(hint)
        if len(hint) > LONGEST_HINT:
            hint = ""  # it repeats something that is too long to read
        self._problems.setdefault((file, place, message), Problem(file, place.line, place.column, message, hint))
        self._reports += 1
        if len(self._problems) > MOST_PROBLEMS or self._reports > MOST_REPORTS:
            raise Unreadable

    def warn(self, place: Place, message: str) -> None:
        """Add a thing that is allowed but unwise."""
        if len(self._warnings) < MOST_PROBLEMS:
            shown = f"{place.file or self.file}:{place.line}:{place.column}: {printable(message)}"
            self._warnings.setdefault((place, message), shown)

    def quote(self, text: str) -> str:
        """`text` in backticks: one line, not too long, without secrets."""
        if len(text) > LONGEST_QUOTABLE:
            return f"a text of {len(text)} characters"  # cutting it could cut a secret in two
        if text not in self._quotes:
            shown = redact(text, self.secrets)
            cut = f"{shown[:LONGEST_QUOTE]}…" if len(shown) > LONGEST_QUOTE else shown
            self._quotes[text] = f"`{printable(cut)}`"
        return self._quotes[text]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All mistakes in the order of the file, no more than a person will read."""
        found = sorted(self._problems.values(), key=lambda p: (*self._rank(p.file), p.line, p.column))
        shown = [
            Problem(p.file, p.line, p.column, redact(p.message, self.secrets), redact(p.hint, self.secrets))
            for p in found[:MOST_PROBLEMS]
        ]
        if len(found) > MOST_PROBLEMS or self._reports > MOST_REPORTS:
            shown.append(Problem(self.file, 0, 0, "there are more mistakes, portsup stopped reading here"))
        return tuple(shown)

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings in the order of the file."""
        found = sorted(self._warnings.items(), key=lambda item: self._order(item[0][0]))
        return tuple(redact(text, self.secrets) for _, text in found)

    def spot(self, place: Place, seen_from: Place) -> str:
        """Where another place is, for a message about a place: its line, and its file if that is another one."""
        line = f"line {place.line}"
        return line if place.file == seen_from.file else f"{line} of {place.file or self.file}"

    def _order(self, place: Place) -> tuple[int, str, int, int]:
        return (*self._rank(place.file or self.file), place.line, place.column)

    def _rank(self, file: str) -> tuple[int, str]:
        files = (self.file, *self.over)
        return files.index(file) if file in files else len(files), file


def printable(text: str) -> str:
    """`text` on one line and without anything that moves a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
