"""What validation hands on: plain values by key, each with its place."""


from supervisor.annotations import Any
from supervisor.config.tree import UNKNOWN, Position
from supervisor.dataclass import dataclass, field

BROKEN: Any = object()  # in place of a value that cannot be read: the mistake is reported, later checks say no more


@dataclass(frozen=True, slots=True)
class Found:
    """A value and where it stands; `key` is where its key stands."""

    value: Any
    place: Position
    key: Position


@dataclass(frozen=True, slots=True)
class Needed(Found):
    """A service that another one depends on, and the condition; with `restart`, it is restarted after that one."""

    restart: bool = False


@dataclass(slots=True)
class Fields:
    """What a section of the file has, by key."""

    place: Position = UNKNOWN
    found: dict[str, Found] = field(default_factory=dict)
    word: str = ""  # given instead of a mapping

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default` where it is left out or cannot be read."""
        value = self.found[name].value if name in self.found else default
        return default if value is BROKEN else value

    def is_broken(self, name: str) -> bool:
        """Whether the key is there with a value that makes no sense."""
        return name in self.found and self.found[name].value is BROKEN

    def at(self, name: str) -> Position:
        """Where the value of a key stands, or the section itself without that key."""
        return self.found[name].place if name in self.found else self.place


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file of variables to read."""

    path: str
    required: bool
    place: Position
    where: str  # the path of keys that leads to it


def has_hooks(fields: Fields) -> bool:
    """Whether a service has commands beside its own; `config.hooks` reads them, and is imported for none else."""
    return "hooks" in fields.found or "stop_command" in fields.found
