"""What kind of task a message is; pure, from the table in `routes.yaml`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from examples.service import SettingError

MOST_LOOKED_AT = 8000  # characters of a message; the task shows early, and regular expressions are not free
BACKENDS = {"groq": "groq-api", "ollama": "ollama-mcp"}
MODES = ("single", "compare", "fuse")
GENERAL = "general"  # the task of a message that matches nothing


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model, and the service of the stack that offers it."""

    backend: str  # groq-api | ollama-mcp
    model: str  # empty: whatever the backend has
    language: str = ""  # of the question, where it matters whether the model knows it


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of question: how to know it, who is asked, and how (`mode`) when the client does not say."""

    name: str
    patterns: tuple[re.Pattern[str], ...]
    candidates: tuple[Candidate, ...]
    mode: str = MODES[0]


@dataclass(frozen=True, slots=True)
class Introduction:
    """Who Sandra is in one language, and the messages that ask just that."""

    patterns: tuple[re.Pattern[str], ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What a message is taken for: its task, how many patterns matched, and the answer if no model is needed."""

    task: str
    matches: int
    candidates: tuple[Candidate, ...]
    mode: str = MODES[0]
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The whole of `routes.yaml`."""

    tasks: Mapping[str, Task]
    introductions: Mapping[str, Introduction]  # by language
    fuse: str  # what a model is told that makes one answer out of several
    prompt: str = ""  # what a model is told where the client tells it nothing
    too_small: Mapping[str, str] = field(default_factory=dict)  # by language: see `sorry`
    small: tuple[re.Pattern[str], ...] = ()  # models that `too_small` is about

    def sorry(self, model: str, language: str) -> str:
        """What is said instead of an answer of a model that does not know the language; empty if it does."""
        return self.too_small.get(language, "") if any(one.fullmatch(model) for one in self.small) else ""

    def decide(self, text: str) -> Decision:
        """The task with the most matches, the first of them in the table, else `general`."""
        text = text.strip()[:MOST_LOOKED_AT]
        bare = text.strip(" \t\r\n.,;:!¡?¿")
        for introduction in self.introductions.values():
            if any(pattern.fullmatch(bare) for pattern in introduction.patterns):
                return Decision("identity", 1, (), answer=introduction.answer)
        found = {task: sum(bool(pattern.search(text)) for pattern in task.patterns) for task in self.tasks.values()}
        best = max(found, key=lambda task: found[task])
        return self.decision(best.name, found[best]) if found[best] else self.decision(GENERAL, 0)

    def decision(self, name: str, matches: int) -> Decision:
        """What a message of this task leads to; `general` where the table does not have it."""
        task = self.tasks.get(name) or self.tasks[GENERAL]
        return Decision(name, matches, task.candidates, task.mode)


def load(path: Path) -> Table:
    """The table in a file; a SettingError says what is wrong with it."""
    import yaml  # type: ignore[import-untyped,unused-ignore]

    try:
        return _table(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise SettingError(f"cannot read `{path}`: {' '.join(str(error).split())}") from None
    except ValueError as error:
        raise SettingError(f"`{path}` is not a table of routes: {error}") from None


def _table(document: Any) -> Table:
    top = _mapping(document, "it", ("identity", "tasks", "fuse"))
    introductions = {}
    for language, entry in _mapping(top["identity"], "`identity`").items():
        where = f"`identity.{language}`"
        entry = _mapping(entry, where, ("patterns", "answer"))
        introductions[str(language)] = Introduction(_patterns(entry["patterns"], where), str(entry["answer"]))
    tasks = {str(name): _task(str(name), entry) for name, entry in _mapping(top["tasks"], "`tasks`").items()}
    if GENERAL not in tasks:
        raise ValueError(f"`tasks` has no `{GENERAL}`, which a message gets that matches nothing")
    small = _mapping(top.get("too_small") or {}, "`too_small`")
    words = _mapping(small.get("answer") or {}, "`too_small.answer`")
    return Table(
        tasks,
        introductions,
        str(top["fuse"]).strip(),
        str(top.get("prompt") or "").strip(),
        {str(language): str(answer).strip() for language, answer in words.items()},
        _patterns(small.get("models") or [], "`too_small`"),
    )


def _task(name: str, entry: Any) -> Task:
    where = f"`tasks.{name}`"
    entry = _mapping(entry, where, ("patterns", "models"))
    mode = entry.get("mode", MODES[0])
    if mode not in MODES:
        raise ValueError(f"`mode` of {where} must be {', '.join(MODES[:-1])} or {MODES[-1]}, not `{mode}`")
    candidates = tuple(_candidate(model, where) for model in _list(entry["models"], f"`models` of {where}"))
    if not candidates:
        raise ValueError(f"`models` of {where} is empty")
    return Task(name, _patterns(entry["patterns"], where), candidates, mode)


def _patterns(entries: Any, where: str) -> tuple[re.Pattern[str], ...]:
    try:
        patterns = [str(entry) for entry in _list(entries, f"`patterns` of {where}")]
        return tuple(re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in patterns)
    except re.error as error:
        raise ValueError(f"a pattern of {where} is no regular expression: {error}") from None


def _candidate(entry: Any, where: str) -> Candidate:
    if not isinstance(entry, dict) or len(entry) != 1 or not set(entry) <= set(BACKENDS):
        raise ValueError(f"a model of {where} must be {{groq: NAME}} or {{ollama: NAME}}, not `{entry}`")
    ((kind, model),) = entry.items()
    return Candidate(BACKENDS[kind], str(model or ""))


def _mapping(value: Any, where: str, keys: Iterable[str] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be a mapping")
    for key in keys:
        if key not in value:
            raise ValueError(f"{where} has no `{key}`")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{where} must be a list")
    return value
