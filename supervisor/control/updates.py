"""What the daemon answers to those who show a stack for long: each change, the last hour, the history of a port."""

from supervisor.control.messages import Event
from supervisor.control.status import ServiceStatus, StackStatus
from supervisor.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """What the processes of a service used together, one value a moment; null where it had no process.

    cpu_s: processor time since they were started
    memory: bytes
    processes: how many they were
    """

    cpu_s: tuple[float | None, ...]
    memory: tuple[int | None, ...]
    processes: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Usages:
    """The answer to `trend`, and `usage` of an `Update`, where it has one moment.

    every_s: how far the moments are apart while somebody watches
    times: the moments, in seconds since 1970, oldest first
    services: by service what it used at each of them
    """

    every_s: float
    times: tuple[float, ...]
    services: dict[str, Load]


@dataclass(frozen=True, slots=True)
class Update:
    """A line of `subscribe`.

    run: which run of the daemon counts the changes
    seq: number of the last change that whoever has read up to here knows of
    status: everything, in the first line for one who cannot go on from where they were
    changed: services that are different, or new
    removed: names of services that are gone
    event: something that happened
    usage: what the services used at a moment
    gap: how many events are missing, because the reader was too slow
    """

    run: str
    seq: int
    status: StackStatus | None = None
    changed: tuple[ServiceStatus, ...] | None = None
    removed: tuple[str, ...] | None = None
    event: Event | None = None
    usage: Usages | None = None
    gap: int | None = None


@dataclass(frozen=True, slots=True)
class PortEvents:
    """The answer to `history`.

    events: of the journal, oldest first, the last 200 of them
    """

    events: tuple[Event, ...]
