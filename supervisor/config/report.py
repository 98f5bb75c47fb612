"""Collects every mistake of one run, and keeps secrets out of the words."""

from supervisor.config.secrets import redact
from supervisor.config.tree import Place
from supervisor.errors import Problem

LONGEST_QUOTE = 60
MOST_PROBLEMS = 100


class Report:
    """The mistakes (`problems`) and the unwise things (`warnings`) found so far; `secrets` are never shown."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.secrets: set[str] = set()
        self._problems: dict[tuple[str, Place, str], Problem] = {}
        self._warnings: dict[tuple[Place, str], str] = {}

    def error(self, place: Place, message: str, hint: str = "", file: str = "") -> None:
        """Add a mistake; the same one at the same place (an anchor used twice) counts once."""
        file = file or self.file
        key = (file, place, message)
        self._problems.setdefault(key, Problem(file, place.line, place.column, message, hint))

    def warn(self, place: Place, message: str) -> None:
        """Add a thing that is allowed but unwise."""
        self._warnings.setdefault((place, message), f"{self.file}:{place.line}:{place.column}: {message}")

    def quote(self, text: str) -> str:
        """`text` in backticks: one line, not too long, without secrets."""
        text = redact(text, self.secrets)
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: 2 * LONGEST_QUOTE])
        if len(text) > LONGEST_QUOTE:
            text = f"{text[:LONGEST_QUOTE]}…"
        return f"`{text}`"

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All mistakes in the order of the file, no more than a screen or two can hold."""
        found = sorted(self._problems.values(), key=lambda p: (p.file != self.file, p.file, p.line, p.column))
        shown = [
            Problem(p.file, p.line, p.column, redact(p.message, self.secrets), redact(p.hint, self.secrets))
            for p in found[:MOST_PROBLEMS]
        ]
        if len(found) > len(shown):
            shown.append(Problem(self.file, 0, 0, f"and {len(found) - len(shown)} more mistakes"))
        return tuple(shown)

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings in the order of the file."""
        found = sorted(self._warnings.items(), key=lambda item: (item[0][0].line, item[0][0].column))
        return tuple(redact(text, self.secrets) for _, text in found)
