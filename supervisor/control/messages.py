"""What the daemon answers: every object of the control protocol, each key of it written once.

The line about a key in the docstring of its class goes into the reference and the JSON Schema.  A field with a default
may be missing in the answer of an older portsup; one that tells of a moment or a span is in seconds.
"""

from supervisor.dataclass import dataclass, field


@dataclass(frozen=True, slots=True)
class PortStatus:
    """One port of a pool.

    port: its number
    state: `active`, `spare`, `taken` or `quarantined`
    holder: who has it if not this service, in words
    """

    port: int
    state: str
    holder: str | None = None


@dataclass(frozen=True, slots=True)
class SecondProcess:
    """The second process of a service during a rolling restart.

    pid: its process id
    state: `starting` (it is to take over), `terminating` or `killing` (it was replaced)
    """

    pid: int
    state: str


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One service, as `status --format json` prints it.

    name: its name in services.yaml
    instance: number of the instance
    state: one of the states
    status: the state, folded to `inactive`, `activating`, `active`, `deactivating` or `failed`
    health: `healthy`, `unhealthy`, or `none` where nothing has been asked yet
    port: the port that it has now
    url: where an HTTP server on that port answers
    pid: its main process
    uptime_s: age of that process
    restarts: restarts that nobody asked for, since the stack came up
    exit_code: of its last process, until the next one is ready; a signal counts negative
    result: why it does not run, or did not go on running
    pool: every port of its pool
    beside: its second process, during a rolling restart
    status_text: what it says it does
    """

    name: str
    instance: int
    state: str
    status: str
    health: str
    port: int | None
    url: str | None
    pid: int | None
    uptime_s: float | None
    restarts: int
    exit_code: int | None
    result: str | None
    pool: tuple[PortStatus, ...]
    beside: SecondProcess | None = None
    status_text: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceStatus(ServiceRow):
    """One service, as `status` and `watch` of the control protocol tell of it.

    reason: why it is not fine, in words; empty if it is
    reached: how far its process has come: `none`, `started`, `listening` or `ready`
    checks_health: whether it has a `healthcheck`
    handoff: how it gets its port as a socket that portsup keeps, or why not; null where it binds the port itself
    rotations: how often it moved to another port since the stack came up
    one_shot: whether its work is done when it exits with 0
    is_done: whether that work is done
    optional: whether `up` leaves it out unless it is named or needed
    """

    reason: str = ""
    reached: str = "none"
    checks_health: bool = False
    handoff: str | None = None
    rotations: int | None = None
    one_shot: bool = False
    is_done: bool = False
    optional: bool = False

    @property
    def is_fine(self) -> bool:
        """Running, or done with its work, as a job that prepares something for the others is; a server never is.

        So is one that is stopped because nobody asked for it.
        """
        return self.state == "running" or self.is_done or (self.state == "stopped" and self.optional)


@dataclass(frozen=True, slots=True)
class LoopStatus:
    """How well the event loop of the daemon is served, since it came up.

    stalls: how often it served nobody for `stall_from_s` and more
    stall_from_s: from how long on that counts
    longest_stall_s: the longest time for which it served nobody
    longest_stall_cpu_s: how much of that it was on a processor
    longest_stall: what it did then, in words
    """

    stalls: int
    stall_from_s: float
    longest_stall_s: float
    longest_stall_cpu_s: float = 0.0
    longest_stall: str = ""


@dataclass(frozen=True, slots=True)
class StackStatus:
    """The answer to `status`, and each line of `watch`.

    stack: name of the stack
    instance: number of the instance
    services: those that were asked for, in the order of services.yaml
    warnings: what should not be, in words, such as that services.yaml has changed
    loop: how long portsup served nobody
    """

    stack: str
    instance: int
    services: tuple[ServiceStatus, ...]
    warnings: tuple[str, ...] = ()
    loop: LoopStatus | None = None


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
    processes: how many they are
    listens: every socket that one of them listens on
    partial: looking at them all would have taken more than 3 s: sockets may be missing, and shared memory count twice
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
    """Where a service is, or would be first.

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

    endpoints: by service; those without ports are left out
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
    level: `info`, `warning` (should not be, and portsup can live with it) or `error` (ends a service or the stack)
    event: which one it is
    seq: counts from 1 in each run of the instance
    service: the service that it is about; missing when it is about the instance
    state: the state of the service from then on
    """

    REST = "facts"

    time: str
    seq: int = 0
    level: str = "info"
    event: str = ""
    service: str | None = None
    state: str | None = None
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a service printed.

    time: RFC 3339, UTC
    service: its name
    stream: `stdout` or `stderr`
    message: the line, without its newline
    """

    time: str
    service: str
    stream: str
    message: str


@dataclass(frozen=True, slots=True)
class News:
    """A line of `events` or `logs`; the first one is empty.

    event: something that happened
    lines: what a service printed
    gap: how many events or lines were left out, because the reader was too slow
    """

    event: Event | None = None
    lines: tuple[LogLine, ...] | None = None
    gap: int | None = None
