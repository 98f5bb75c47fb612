"""What an export is made of: where it goes to, what the user wishes, and what comes out."""

from collections.abc import Mapping
from enum import StrEnum

from supervisor.dataclass import dataclass, field


class Target(StrEnum):
    """The programs that a stack can be exported for."""

    SYSTEMD = "systemd"
    QUADLET = "quadlet"
    COMPOSE = "compose"
    KUBERNETES = "kubernetes"

    @property
    def is_container(self) -> bool:
        """Whether services run in containers of an image."""
        return self is not Target.SYSTEMD

    @property
    def is_unit(self) -> bool:
        """Whether systemd starts services."""
        return self in (Target.SYSTEMD, Target.QUADLET)


class Fate(StrEnum):
    """What becomes of a key."""

    KEPT = "kept"
    CHANGED = "changed"
    LOST = "lost"
    UNNEEDED = "not needed"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What services.yaml does not say."""

    image: str = ""  # that containers are made of
    folder: str = "/app"  # of the stack in the image
    is_system: bool = False  # for the systemd of the machine, not for that of a user
    user: str = ""  # who runs services without `user`, with `is_system`
    path: str = ""  # PATH of services that have none
    programs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by service, absolute, as they are called


@dataclass(frozen=True, slots=True)
class File:
    """One file to write; `name` is without a folder."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Loss:
    """A key whose meaning is not the same in the target, and the services that it is about; none for the stack."""

    key: str
    fate: Fate
    why: str
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Secret:
    """A variable whose value is in no file.

    `name` is what the service calls it, `key` what the stack does, where two services mean different values by one
    name.  It is `needed` if it has a value now.
    """

    service: str
    name: str
    key: str
    needed: bool


@dataclass(frozen=True, slots=True)
class Export:
    """The files, what is lost, the secrets that have to be given, and what to do next, in lines."""

    files: tuple[File, ...]
    losses: tuple[Loss, ...] = ()
    secrets: tuple[Secret, ...] = ()
    steps: tuple[str, ...] = ()
