"""What validation hands on: plain values by key, each with its place."""

from collections.abc import Iterator
from typing import Any

from supervisor.config.scalars import Word
from supervisor.config.tree import UNKNOWN, Place
from supervisor.dataclass import dataclass, field

BROKEN: Any = object()  # in place of a value that can not be read: the mistake is reported, later checks say no more


@dataclass(frozen=True, slots=True)
class Found:
    """A value and where it stands; `key` is where its key stands."""

    value: Any
    place: Place
    key: Place


@dataclass(frozen=True, slots=True)
class Needed(Found):
    """A service that another one depends on, and the condition; with `restart`, it is restarted after that one."""

    restart: bool = False


@dataclass(slots=True)
class Fields:
    """What a section of the file has, by key."""

    place: Place = UNKNOWN
    found: dict[str, Found] = field(default_factory=dict)
    word: str = ""  # given instead of a mapping

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default` where it is left out or can not be read."""
        value = self.found[name].value if name in self.found else default
        return default if value is BROKEN else value

    def is_broken(self, name: str) -> bool:
        """Whether the key is there with a value that makes no sense."""
        return name in self.found and self.found[name].value is BROKEN

    def at(self, name: str) -> Place:
        """Where the value of a key stands, or the section itself without that key."""
        return self.found[name].place if name in self.found else self.place


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file of variables to read."""

    path: str
    required: bool
    place: Place
    where: str  # the path of keys that leads to it


def has_hooks(fields: Fields) -> bool:
    """Whether a service has commands beside its own; `config.hooks` reads them, and is imported for none else."""
    return "hooks" in fields.found or "stop_command" in fields.found


def words(fields: Fields) -> Iterator[tuple[str, Word]]:
    """Every text that placeholders are filled in, with the path of its key."""
    for key, item in fields.found.items():
        if isinstance(item.value, Word):
            yield key, item.value
        elif isinstance(item.value, tuple):
            yield from ((key, word) for word in item.value if isinstance(word, Word))
    if has_hooks(fields):
        from supervisor.config import hooks

        yield from hooks.words(fields)
    own: dict[str, Found] = fields.get("environment", {})
    for name, item in own.items():
        if isinstance(item.value, Word):
            yield f"environment.{name}", item.value
    for key in ("ready", "healthcheck"):
        probe: Fields | None = fields.get(key)
        for kind, item in probe.found.items() if probe else ():
            if isinstance(item.value, Word):
                yield f"{key}.{kind}", item.value
            elif isinstance(item.value, Fields):
                from supervisor.config import questions

                yield from ((f"{key}.{kind}.{path}", word) for path, word in questions.words(item.value))
            elif isinstance(item.value, tuple):
                for word in item.value:
                    yield f"{key}.{kind}", word
