"""What the daemon answers to those who show a stack for long: each change, the last hour, the history of a port."""

from supervisor.control.messages import Event
from supervisor.control.status import ServiceStatus, StackStatus
from supervisor.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """What the processes of a service used together, one value for each moment; null if it had no process.

    cpu_s: processor time since they were started
    memory: bytes
    processes: their number
    """

    cpu_s: tuple[float | None, ...]
    memory: tuple[int | None, ...]
    processes: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Usages:
    """The answer to `trend`, and `usage` of an `Update`, which has one moment.

    every_s: how far the moments are apart while somebody watches
    times: the moments, in seconds since 1970, oldest first
    services: by service, what it used at each moment
    """

    every_s: float
    times: tuple[float, ...]
    services: dict[str, Load]


@dataclass(frozen=True, slots=True)
class Update:
    """A line of `subscribe`.

    run: which run of the daemon it is about; `seq` counts in it
    seq: number of the last change that this line includes
    status: everything: in the first line for a new reader, or one of another run
    changed: changed and new services
    removed: names of removed services
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

    events: the last 200 of the journal about the port, oldest first
    """

    events: tuple[Event, ...]
