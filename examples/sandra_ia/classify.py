"""What kind of task a message is; pure, from the table in `routes.yaml`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.service import SettingError

MOST_LOOKED_AT = 8000  # characters of a message; the task shows early, and regular expressions are not free
BACKENDS = {"groq": "groq-api", "ollama": "ollama-mcp"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model, and the service of the stack that offers it."""

    backend: str  # groq-api | ollama-mcp
    model: str  # empty: whatever the backend has


@dataclass(frozen=True, slots=True)
class Task:
    name: str
    patterns: tuple[re.Pattern[str], ...]
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a message is taken for: its task, how many patterns matched, and the answer if no model is needed."""

    task: str
    matches: int
    candidates: tuple[Candidate, ...]
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The whole of `routes.yaml`."""

    tasks: tuple[Task, ...]
    identity: tuple[re.Pattern[str], ...]
    answers: Mapping[str, str]

    def decide(self, text: str) -> Decision:
        text = text.strip()[:MOST_LOOKED_AT]
        bare = text.strip(" \t\n.,;:!¡?¿")
        if any(pattern.fullmatch(bare) for pattern in self.identity):
            return Decision("identity", 1, (), self.introduction(text))
        best, most = self._task("general"), 0
        for task in self.tasks:
            matches = sum(bool(pattern.search(text)) for pattern in task.patterns)
            if matches > most:
                best, most = task, matches
        return Decision(best.name, most, best.candidates)

    def introduction(self, text: str = "") -> str:
        """Who Sandra is, in the language of the question."""
        english = re.search(r"\b(hi|hey|hello|good|who|what|your|you|introduce)\b", text, re.IGNORECASE)
        return self.answers["en" if english else "es"]

    def _task(self, name: str) -> Task:
        return next(task for task in self.tasks if task.name == name)


def load(path: Path) -> Table:
    """The table in a file; a SettingError says what is wrong with it."""
    import yaml  # type: ignore[import-untyped,unused-ignore]

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        table = _table(document)
        table._task("general")
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingError(f"cannot read `{path}`: {error}") from None
    except (KeyError, TypeError, AttributeError, ValueError, StopIteration, re.error) as error:
        raise SettingError(f"`{path}` is not a table of routes: {type(error).__name__}: {error}") from None
    return table


def _table(document: Any) -> Table:
    identity = document["identity"]
    answers = {"es": str(identity["answers"]["es"]), "en": str(identity["answers"]["en"])}
    tasks = tuple(
        Task(name, _compiled(entry["patterns"]), tuple(_candidate(model) for model in entry["models"]))
        for name, entry in document["tasks"].items()
    )
    return Table(tasks, _compiled(identity["patterns"]), answers)


def _compiled(patterns: list[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in patterns)


def _candidate(entry: Mapping[str, str]) -> Candidate:
    ((kind, model),) = entry.items()
    return Candidate(BACKENDS[kind], str(model or ""))
