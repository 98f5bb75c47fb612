"""Collects every mistake of one run, and keeps secrets out of the words."""

from collections.abc import Callable, Iterable

from supervisor.config.secret_names import redact
from supervisor.config.secrets import Names, hunted, why_not_hunted
from supervisor.config.tree import Node, Position
from supervisor.dataclass import replace
from supervisor.errors import Problem

LONGEST_QUOTE = 60  # characters of a value in a message
LONGEST_QUOTABLE = 2000
LONGEST_HINT = 2000
MOST_PROBLEMS = 100
MOST_REPORTS = 1000  # an anchor with a mistake reports it wherever it is used


_NO_TREE: Node | None = None


class Unreadable(Exception):
    """There is no point in reading on; the report has the reason."""


class Report:
    """The mistakes (`problems`), the unwise things (`warnings`) and `notes` found so far; `secrets` are never shown."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.over: tuple[str, ...] = ()  # files that are laid over it, in order
        self.has_tags = False  # whether a `!reset` or `!override` was read
        self.names = Names()  # what no secret may mask; set before anything is quoted
        self._hidden: dict[str, tuple[Position, str]] = {}  # secrets, and where each was first met
        self._hunted: frozenset[str] | None = None
        self.text, self.tree = "", _NO_TREE  # the file as it was read, for the last hint
        self._problems: dict[tuple[str, Position, str], Problem] = {}
        self._warnings: dict[tuple[Position, str], str] = {}
        self._reports = 0
        self._quotes: dict[str, str] = {}

    def error(self, place: Position, message: str, hint: str = "", file: str = "") -> None:
        """Add a mistake; the same one at the same place counts once.  Raises Unreadable when there are too many."""
        file, message, hint = file or place.file or self.file, printable(message), printable(hint)
        if len(hint) > LONGEST_HINT:
            hint = ""  # it repeats something that is too long to read
        self._problems.setdefault((file, place, message), Problem(file, place.line, place.column, message, hint))
        self._reports += 1
        if len(self._problems) > MOST_PROBLEMS or self._reports > MOST_REPORTS:
            raise Unreadable

    def rehint(self, place: Position, better: Callable[[str], str]) -> None:
        """Other hints for the mistakes at a place."""
        for key, problem in self._problems.items():
            if key[1] == place:
                self._problems[key] = replace(problem, hint=better(problem.hint))

    def only(self, place: Position, message: str) -> None:
        """One mistake in the place of all others."""
        self._problems.clear()
        self.error(place, message)

    def warn(self, place: Position, message: str) -> None:
        """Add a thing that is allowed but unwise."""
        if len(self._warnings) < MOST_PROBLEMS:
            shown = f"{place.file or self.file}:{place.line}:{place.column}: {printable(message)}"
            self._warnings.setdefault((place, message), shown)

    @property
    def count(self) -> int:
        """How many mistakes there are so far."""
        return len(self._problems)

    def hide(self, secrets: Iterable[str], place: Position, what: str) -> None:
        """Keep these out of what is shown from now on; `what` has them, in words for a note."""
        for secret in secrets:
            if secret not in self._hidden:
                self._hidden[secret] = place, what
                self._hunted = None

    @property
    def secrets(self) -> frozenset[str]:
        """The values that no output may show, wherever they are."""
        if self._hunted is None:
            self._hunted = hunted(self._hidden, self.names)
        return self._hunted

    def masked_where_they_stand(self) -> frozenset[str]:
        """The secrets that are not looked for in output."""
        return frozenset(self._hidden).difference(self.secrets)

    def quote(self, text: str, is_secret: bool = False) -> str:
        """`text` in backticks: one line, not too long, without secrets; without short ones too if it `is_secret`."""
        if len(text) > LONGEST_QUOTABLE:
            return f"a text of {len(text)} characters"  # cutting it could cut a secret in two
        if is_secret:
            return f"`{printable(redact(text, self._hidden))}`"
        if text not in self._quotes:
            shown = redact(text, self.secrets) if self._hidden else text
            cut = f"{shown[:LONGEST_QUOTE]}…" if len(shown) > LONGEST_QUOTE else shown
            self._quotes[text] = f"`{printable(cut)}`"
        return self._quotes[text]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All mistakes in the order of the file, no more than a person will read."""
        found = sorted(self._problems.values(), key=lambda p: (*self._rank(p.file), p.line, p.column))
        secrets = self.secrets
        shown = [
            Problem(p.file, p.line, p.column, redact(p.message, secrets), redact(p.hint, secrets))
            for p in found[:MOST_PROBLEMS]
        ]
        if len(found) > MOST_PROBLEMS or self._reports > MOST_REPORTS:
            shown.append(Problem(self.file, 0, 0, "there are more mistakes, portsup stopped reading here"))
        return tuple(shown)

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings in the order of the file."""
        found = sorted(self._warnings.items(), key=lambda item: self._order(item[0][0]))
        secrets = self.secrets
        return tuple(redact(text, secrets) for _, text in found)

    @property
    def notes(self) -> tuple[str, ...]:
        """The secrets that are masked only where they stand, in the order of the file, and why."""
        wholes: dict[tuple[Position, str], str] = {}
        for secret, met in self._hidden.items():
            wholes[met] = max(wholes.get(met, ""), secret, key=len)
        found = sorted(wholes.items(), key=lambda item: self._order(item[0][0]))
        lines = (
            f"{place.file or self.file}:{place.line}:{place.column}: {what}: masked where it stands, "
            f"and not looked for in output: {why}"
            for (place, what), secret in found
            if (why := why_not_hunted(secret, self.names))
        )
        return tuple(lines)[:MOST_PROBLEMS]

    def spot(self, place: Position, seen_from: Position) -> str:
        """Where another place is, for a message about a place: its line, and its file if that is another one."""
        line = f"line {place.line}"
        return line if place.file == seen_from.file else f"{line} of {place.file or self.file}"

    def _order(self, place: Position) -> tuple[int, str, int, int]:
        return (*self._rank(place.file or self.file), place.line, place.column)

    def _rank(self, file: str) -> tuple[int, str]:
        files = (self.file, *self.over)
        return files.index(file) if file in files else len(files), file


def printable(text: str) -> str:
    """`text` on one line and without anything that moves a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
