"""How the services of a stack are: what the daemon answers to `status`, each key of it written once.

The line about a key in the docstring of its class goes into the reference and the JSON Schema.  A field with a default
may be missing in the answer of an older portsup; one that tells of a moment or a span is in seconds.
"""

from collections.abc import Iterable

from supervisor.dataclass import dataclass

# As in core.state, whose import takes longer than all of `portsup port`.
SERVES = frozenset({"idle", "running"})
AT_REST = frozenset({"stopped", "exited", "failed"})

@dataclass(frozen=True, slots=True)
class PortStatus:
    """One port of a pool.

    port: its number
    state: `active`, `spare`, `taken` or `quarantined`
    holder: who holds it if not this service, in words
    cause: the same for programs, as in [events](events.md#reasons): of kind `held` with `name`, `pid`, `user` and more
    """

    port: int
    state: str
    holder: str | None = None
    cause: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class StdioStatus:
    """What runs for a service with `stdio`.

    sessions: how many sessions are open; with `share: one` clients of version 2026-07-28 have none
    programs: how many processes of the program run
    """

    sessions: int
    programs: int


@dataclass(frozen=True, slots=True)
class SecondProcess:
    """The second process of a service during a rolling restart.

    pid: its process id
    state: `starting` (the new process), `terminating` or `killing` (the replaced one)
    """

    pid: int
    state: str


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """One of several processes of a service.

    name: its name, such as `api.2`
    number: its number, from 1
    state: one of the states
    health: as of the service
    pid: its main process
    uptime_s: age of that process
    restarts: as of the service
    exit_code: as of the service
    result: as of the service
    reason: why it is not fine, in words; empty if it is
    """

    name: str
    number: int
    state: str
    health: str
    pid: int | None
    uptime_s: float | None
    restarts: int
    exit_code: int | None
    result: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One service, as `status --format json` prints it.

    name: its name in services.yaml
    instance: number of the instance
    state: one of the states
    status: the state, folded to `inactive`, `activating`, `active`, `deactivating` or `failed`
    health: `healthy`, `unhealthy`, or `none` before the first check or without one
    port: its current port
    url: where an HTTP server on that port answers
    pid: its main process
    uptime_s: age of that process
    restarts: restarts that nobody asked for, since the stack came up
    exit_code: of its last process, until the next one is ready; negative if a signal ended it
    result: why it does not run, or did not go on running
    pool: every port of its pool
    beside: its second process, during a rolling restart
    status_text: the status that it sent
    next_run: when a job with a `schedule` runs next, with its time zone
    name_url: where it answers by its name, with `names`
    replicas: its processes, if it has several; `state` and what belongs to it is then that of one of them
    min_ready: how many of them must be ready
    stdio: its sessions and programs, with `stdio`
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
    next_run: str | None = None
    name_url: str | None = None
    replicas: tuple[ReplicaStatus, ...] | None = None
    min_ready: int | None = None
    stdio: StdioStatus | None = None

    @property
    def ready(self) -> int:
        """How many of its replicas are ready."""
        return sum(each.state == "running" for each in self.replicas or ())

    @property
    def ready_words(self) -> str:
        """The same as `2/3`; empty for a service of one process."""
        return f"{self.ready}/{len(self.replicas)}" if self.replicas else ""


@dataclass(frozen=True, slots=True)
class ServiceStatus(ServiceRow):
    """One service, in `status` and `watch` of the control protocol.

    reason: why it is not fine, in words; empty if it is
    cause: the same for programs, as in [events](events.md#reasons): its `kind`, and what belongs to it
    reached: how far its process has come: `none`, `started`, `listening` or `ready`
    checks_health: whether it has a `healthcheck`
    handoff: how portsup keeps its socket, or why it does not; null if the service binds its port itself
    rotations: how often it moved to another port since the stack came up
    file_changes: how often portsup acted on changes of files that it watches, since the stack came up
    one_shot: whether it is a job
    is_done: whether the job is done
    optional: whether `up` starts it only if it is named or needed
    needs: the services that it depends on, each with its condition
    """

    reason: str = ""
    cause: dict[str, object] | None = None
    reached: str = "none"
    checks_health: bool = False
    handoff: str | None = None
    rotations: int | None = None
    file_changes: int | None = None
    one_shot: bool = False
    is_done: bool = False
    optional: bool = False
    needs: dict[str, str] | None = None

    @property
    def serves(self) -> bool:
        """Whether a client is answered, if need be after a start."""
        return self.state in SERVES

    @property
    def is_fine(self) -> bool:
        """Running, waiting for its first client, or done with its work.

        A job that prepares something for the others can be done, a server never is.
        So is one that is stopped because nobody asked for it.
        """
        return self.serves or self.is_done or (self.state == "stopped" and self.optional)


def needs_in(rows: Iterable[ServiceStatus]) -> dict[str, dict[str, str]]:
    """Who depends on whom, and under which condition; nobody in a stack of an older portsup, which does not say."""
    return {row.name: row.needs or {} for row in rows}


@dataclass(frozen=True, slots=True)
class LoopStatus:
    """How well the event loop of the daemon is served, since it came up.

    stalls: how often it did not answer for `stall_from_s` or longer
    stall_from_s: the shortest time that counts
    longest_stall_s: the longest time in which it did not answer
    longest_stall_cpu_s: the processor time of that
    longest_stall: what it did meanwhile, in words
    """

    stalls: int
    stall_from_s: float
    longest_stall_s: float
    longest_stall_cpu_s: float = 0.0
    longest_stall: str = ""


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """The budget of the services, and how much of it the running ones take, in bytes.

    memory: the limit; null for none
    memory_held: how much of it the running services take
    gpu_memory: the limit for memory of graphics processors; null for none, and before the first request for it
    gpu_memory_held: how much of that the running services take
    waiting: the services that wait for room, in the order of their requests
    """

    memory: int | None
    memory_held: int
    gpu_memory: int | None = None
    gpu_memory_held: int = 0
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StackStatus:
    """The answer to `status`, and each line of `watch`.

    stack: name of the stack
    instance: number of the instance
    services: the requested ones, in the order of services.yaml
    warnings: problems, in words, such as that services.yaml has changed
    loop: how long portsup did not answer
    budget: the budget of the services, if services.yaml has one
    """

    stack: str
    instance: int
    services: tuple[ServiceStatus, ...]
    warnings: tuple[str, ...] = ()
    loop: LoopStatus | None = None
    budget: BudgetStatus | None = None
