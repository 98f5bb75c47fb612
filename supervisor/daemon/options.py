"""What `portsup up` was asked for."""

from collections.abc import Collection

from supervisor.core.ending import Abort
from supervisor.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """What `portsup up` was asked for."""

    services: tuple[str, ...] = ()  # empty: all
    is_detached: bool = False
    wait_timeout: float | None = None  # seconds until everything must be ready
    strict_ports: bool = False
    hands_over: bool = True  # ports, to services that want them as sockets
    profiles: Collection[str] = ()
    files: tuple[str, ...] = ()  # empty: the services.yaml of the working directory, or above it
    abort: Abort = Abort()


@dataclass(frozen=True, slots=True)
class PortRules:
    """How ports are given out."""

    hands_over: bool  # as sockets, to services that want that
    strict: bool  # the first port of a pool or none: as services.yaml has it, until a reload
    always_strict: bool  # as `up` was told
