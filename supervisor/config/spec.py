"""What a services.yaml says, as frozen values with every default filled in.  Durations are in seconds.

More than 300 lines, because whoever asks what a key becomes finds all of them here.
"""

import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from supervisor.core.budget import Budget
from supervisor.core.ending import OnEnd, Others
from supervisor.core.handoff import BindMode
from supervisor.core.hostnames import Names
from supervisor.core.notices import Notify
from supervisor.core.order import Condition
from supervisor.core.placement import Placing
from supervisor.core.restart import Restart, RestartPolicy
from supervisor.core.schedule import CatchUp, Overlap, Schedule
from supervisor.core.state import Hook
from supervisor.core.stdin import Stdin
from supervisor.core.stdio import Share, Stdio
from supervisor.core.watch import Action, Watch
from supervisor.dataclass import dataclass, field

__all__ = [
    "Action", "BindMode", "CatchUp", "Condition", "HandoffMode", "HealthCheck", "Hook", "HookCommand", "HttpAsk",
    "LogLimits", "Names", "NotifySocketKind", "OnChange", "OnEnd", "OnPortChange", "Others", "Overlap", "Placing",
    "Probe", "ProbeKind", "Ready", "RenderedFile", "Restart", "RestartPolicy", "Schedule", "ServiceSpec", "Share",
    "StackSpec", "Stdin", "Stdio", "StopTo", "Watch",
]  # fmt: skip


class ProbeKind(StrEnum):
    """How to find out whether a service is ready or healthy."""

    STARTED = "started"  # spawned is enough
    LISTENING = "listening"  # its own processes listen on the assigned port
    HTTP = "http"  # a request is answered 200..399, or as `HttpAsk` says
    TCP = "tcp"  # a connection is accepted
    EXEC = "exec"  # a command exits 0
    LOG = "log"  # a line of its output matches
    NOTIFY = "notify"  # it says so, sd_notify(3)


@dataclass(frozen=True, slots=True)
class HttpAsk:
    """How a probe asks by HTTP, and which answer is good, where that is not a GET that is answered 200 to 399."""

    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    status: tuple[range, ...] = ()  # empty: 200 to 399
    contains: str = ""
    matches: str = ""  # a regular expression


@dataclass(frozen=True, slots=True)
class Probe:
    """One way of asking; `target` is the path (http) or the regular expression (log), `command` is for exec."""

    kind: ProbeKind
    target: str = ""
    command: tuple[str, ...] = ()
    ask: HttpAsk | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """When a starting service counts as ready, and how long that may take; 0 for any time."""

    probe: Probe = Probe(ProbeKind.LISTENING)
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a running service is asked whether it is well."""

    probe: Probe
    interval: float = 10.0
    timeout: float = 2.0
    retries: int = 3


@dataclass(frozen=True, slots=True)
class OnPortChange:
    """What happens to a service when one that it depends on moved to another port."""

    action: str = "restart"  # restart | signal | ignore
    signal: int = 0  # for action `signal`


class Start(StrEnum):
    """What starts a service."""

    WITH_STACK = "with-stack"  # `up`
    ON_CONNECT = "on-connect"  # the first client that connects to its port


class HandoffMode(StrEnum):
    """How a service gets its port."""

    AUTO = "auto"  # the socket is put in the place of its own when it binds, where the system can do that
    SYSTEMD = "systemd"  # the socket is there from the start, as descriptor 3, sd_listen_fds(3)
    OFF = "off"  # the port is given up right before the service starts, and watched


class StopTo(StrEnum):
    """Who of a service is asked to end."""

    GROUP = "group"  # the process group of its main process: every process that it started in the usual way
    MAIN = "main"  # its main process alone; what is left when that has ended is killed


class NotifySocketKind(StrEnum):
    """Whether a service gets a socket to say how it is on, and which, sd_notify(3)."""

    AUTO = "auto"  # a path, for a service that is asked to speak by `ready: {notify: true}` or `watchdog`
    PATH = "path"  # a socket in the runtime directory, which only its user can enter
    ABSTRACT = "abstract"  # a name that is no file: for programs that change their user or their root


@dataclass(frozen=True, slots=True)
class LogLimits:
    """How much of a service's output is kept: bytes a file, and rotated files beside it; and whether with secrets."""

    max_size: int = 10 * 1024 * 1024
    backups: int = 5
    redact: bool = True  # `***` for the secrets in it


@dataclass(frozen=True, slots=True)
class OnChange:
    """What happens when a rendered file has another content: a command is run, or a service gets a signal."""

    command: tuple[str, ...] = ()
    timeout: float = 10.0  # of the command
    service: str = ""
    signal: int = 0


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A file that tells where the services are; `text` is what was in the template, with its placeholders."""

    template: Path  # absolute
    to: Path  # absolute; `{instance}` is still in it
    text: str
    on_change: OnChange | None = None


@dataclass(frozen=True, slots=True)
class HookCommand:
    """A command that is run at one point of a service's life, and how long it may take."""

    command: tuple[str, ...]
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class IdleCheck:
    """A command that says whether a service that nobody uses may be stopped, and how long it may take."""

    command: tuple[str, ...]
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service as configured; its ports are those of instance 1, and its placeholders are filled at spawn."""

    name: str
    command: tuple[str, ...]
    pool: tuple[int, ...]
    description: str = ""
    port_env: str = "PORT"
    fetch_url: str = ""  # its address for clients that refuse its port
    environment: Mapping[str, str] = field(default_factory=dict)  # env_file merged in, environment wins
    stdin: Stdin = Stdin.NULL
    stdio: Stdio | None = None  # the program is no server itself
    working_dir: Path = Path()  # absolute
    depends_on: Mapping[str, Condition] = field(default_factory=dict)
    restarts_with: frozenset[str] = frozenset()  # those that it depends on and is restarted after
    profiles: tuple[str, ...] = ()  # part of the stack with one of these only; empty: always
    autostart: bool = True
    start: Start = Start.WITH_STACK
    start_timeout: float = 30.0  # that the first client waits at most
    schedule: Schedule | None = None  # of a job that runs by the clock
    idle_stop: float = 0.0  # without a client, after which it is stopped until the next one comes; 0 for never
    idle_min_up: float = 30.0  # that it is up at least before that
    idle_cpu_below: float = 0.0  # percent of a processor, that its processes use less of then; 0 for any
    idle_check: IdleCheck | None = None  # exits with 0 if it may be stopped then
    replicas: int = 1  # processes side by side
    min_ready: int = 0  # of those, that have to be ready for the service to be; 0 for all
    one_shot: bool = False  # done when it has exited with 0; `ready` says only how long that may take then
    watch: Watch | None = None  # files after whose change something is done
    ready: Ready = Ready()
    healthcheck: HealthCheck | None = None
    success_exit_codes: frozenset[int] = frozenset((0,))
    on_end: OnEnd = OnEnd()
    restart_policy: RestartPolicy = field(default_factory=RestartPolicy)
    hooks: Mapping[Hook, HookCommand] = field(default_factory=dict)
    stop_command: HookCommand | None = None  # in the place of the signal
    stop_signal: int = 15
    stop_to: StopTo = StopTo.GROUP
    stop_grace_period: float = 10.0
    pid_file: str = ""  # relative to `working_dir`
    handoff: HandoffMode = HandoffMode.AUTO
    bind: BindMode = BindMode.REPORT
    watchdog: float = 0.0  # the longest silence of a running service; 0 for any
    notify_socket: NotifySocketKind = NotifySocketKind.AUTO
    rotate_after: int = 3
    quarantine: float = 60.0
    on_port_change: OnPortChange = OnPortChange()
    user: str = ""  # name or number; empty: whoever portsup runs as
    group: str = ""
    umask: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)  # bytes, whole seconds, or pieces; or UNLIMITED
    memory_limit: int = 0  # bytes of all its processes together; 0 for any
    memory_cost: int = 0  # bytes of the budget
    gpu_memory_cost: int = 0
    logging: LogLimits = LogLimits()
    place: Placing = Placing()
    expose: bool = False  # on a cluster it listens on the address of its node
    line: int = 0  # where the service stands in the file, counted from 1

    @property
    def waits_for_clients(self) -> bool:
        """Whether portsup listens on its port while it has no process."""
        return self.start is Start.ON_CONNECT or self.idle_stop > 0

    @property
    def program(self) -> tuple[str, ...]:
        """What is run: its command, or what serves that on its port."""
        if self.stdio is None:
            return self.command
        told = (str(self.stdio.share), str(self.stdio.max), self.port_env)
        return (sys.executable, "-m", "supervisor.mcp.bridge", *told, "--", *self.command)

    @property
    def all_hooks(self) -> Mapping[Hook, HookCommand]:
        """Every command that is run for the service beside its own."""
        return {**self.hooks, Hook.STOP_COMMAND: self.stop_command} if self.stop_command else self.hooks

    @property
    def wants_notices(self) -> bool:
        """Whether the service gets a socket to say how it is on."""
        is_asked = self.ready.probe.kind is ProbeKind.NOTIFY or self.watchdog > 0
        return is_asked or self.notify_socket is not NotifySocketKind.AUTO


@dataclass(frozen=True, slots=True)
class StackSpec:
    """A whole services.yaml."""

    name: str
    file: Path  # absolute
    services: Mapping[str, ServiceSpec]
    over: tuple[Path, ...] = ()  # files that are laid over `file`, in order
    others: tuple[Path, ...] = ()  # files that its services extend
    stride: int = 100
    engine_address: str = ""  # of the cluster on which it runs; "" for this machine
    lease: float = 15.0  # seconds that a node of a cluster has a service after the last time it asked for it
    lost_grace: float = 5.0  # seconds that a service gets to stop when its node has lost the cluster
    strict_ports: bool = False
    budget: Budget | None = None
    notify: Notify | None = None
    render: tuple[RenderedFile, ...] = ()
    names: Names | None = None
    secrets: frozenset[str] = frozenset()  # values that no output may show, wherever they are
    filled: Mapping[str, frozenset[str]] = field(default_factory=dict)  # where others of them were filled in, by path
    warnings: tuple[str, ...] = ()  # file:line:column and text, for things that are allowed but unwise
    notes: tuple[str, ...] = ()  # the same for what is good to know, and needs no change

    @property
    def directory(self) -> Path:
        """The folder of services.yaml."""
        return self.file.parent

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the stack is made of: those that are laid over each other, and those that they extend."""
        return tuple(dict.fromkeys((self.file, *self.over, *self.others)))
