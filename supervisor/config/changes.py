"""What is different between two versions of a services.yaml; `config.difference` finds it."""

from supervisor.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One service that is configured otherwise.

    `keys` are those that differ; `restarts` tells whether its process must be replaced for that: a changed pool may let
    it stay.
    """

    name: str
    keys: tuple[str, ...]
    restarts: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """From one version to the next; `top` are the keys beside `services` that changed."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[Change, ...] = ()
    top: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The services that are touched."""
        return (*self.added, *self.removed, *(change.name for change in self.changed))

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.top)
