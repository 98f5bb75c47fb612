"""What the daemon answers, beside the status and the progress of an order: each key of it written once.

The line about a key in the docstring of its class goes into the reference and the JSON Schema.  A field with a default
may be missing in the answer of an older portsup; one that tells of a moment or a span is in seconds.
"""

from supervisor.dataclass import dataclass, field


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to `ping`.

    stack: name of the stack
    instance: number of the instance
    """

    stack: str
    instance: int


@dataclass(frozen=True, slots=True)
class Socket:
    """A TCP socket that a process listens on.

    host: the address
    port: the port
    pid: the process
    """

    host: str
    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Resources:
    """What all processes of a service use together.

    cpu_s: processor time
    memory: bytes
    processes: their number
    listens: every socket that one of them listens on
    partial: it was cut short after 3 s: sockets may be missing, and shared memory may count several times
    """

    cpu_s: float
    memory: int
    processes: int
    listens: tuple[Socket, ...]
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """The answer to `resources`.

    resources: by service; null for one without a process
    """

    resources: dict[str, Resources | None]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service is, or where it would start first.

    host: the address at which it listens
    port: the port
    url: where an HTTP server there answers
    pool: the ports of its pool
    """

    host: str
    port: int
    url: str
    pool: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Addresses:
    """The answer to `endpoints`.

    endpoints: by service; services without ports are missing
    """

    endpoints: dict[str, Address]


@dataclass(frozen=True, slots=True)
class Environment:
    """The answer to `env`.

    environment: the variables
    secret: the names of those that should not be shown
    """

    environment: dict[str, str]
    secret: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    time: RFC 3339, UTC
    level: `info`, `warning` (a problem that portsup can handle) or `error` (ends a service or the stack)
    event: its name
    seq: counts from 1 in each run of the instance
    service: the service that it is about; missing if it is about the instance
    state: the state of the service, or of its replica, after the event
    replica: the number of the replica that it is about, if the service has several
    """

    REST = "facts"

    time: str
    seq: int = 0
    level: str = "info"
    event: str = ""
    service: str | None = None
    state: str | None = None
    facts: dict[str, object] = field(default_factory=dict)
    replica: int | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a service printed.

    time: RFC 3339, UTC
    service: its name
    stream: `stdout` or `stderr`
    message: the line, without its newline
    replica: the number of the replica that printed it, if the service has several
    """

    time: str
    service: str
    stream: str
    message: str
    replica: int | None = None


@dataclass(frozen=True, slots=True)
class News:
    """A line of `events` or `logs`; the first one is empty.

    event: something that happened
    lines: what a service printed
    gap: how many events or lines are missing, because the reader was too slow
    """

    event: Event | None = None
    lines: tuple[LogLine, ...] | None = None
    gap: int | None = None
