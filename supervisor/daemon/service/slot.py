"""What the daemon holds for one service: its specification, its ports, its process and the tasks around that."""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence

from supervisor import system
from supervisor.config.spec import ServiceSpec
from supervisor.core.address import LOOPBACK
from supervisor.core.budget import Cost
from supervisor.core.naming import called
from supervisor.core.order import Condition
from supervisor.core.reasons import Survivors
from supervisor.core.replicas import enough
from supervisor.core.service import Service
from supervisor.core.service.clients import has_last_clients, keeps_clients, serves_on
from supervisor.core.state import Role, State
from supervisor.core.suspicion import Suspicion
from supervisor.daemon.handoff.calls import Handoff
from supervisor.daemon.service.keeper import Keeper
from supervisor.daemon.service.output import Output
from supervisor.dataclass import dataclass, field
from supervisor.errors import PortsupError
from supervisor.logs.service_log import ServiceLog
from supervisor.ports.doors import Doors
from supervisor.ports.leases import PoolLease
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.process.account import Account
from supervisor.process.sd_notify_socket import NotifySocket
from supervisor.process.stdin import StdinPipe
from supervisor.system import Identity, Listener

ENDINGS = {Role.LEAVING: State.TERMINATING, Role.DOOMED: State.KILLING}


@dataclass(slots=True, eq=False)
class Child:
    """The process of a service, from the spawn until nothing of its tree is left."""

    pid: int
    output: Output
    spawned_at: float  # monotonic seconds
    environment: Mapping[str, str]
    seen_ports: Mapping[str, int]  # where it was told that the other services are
    main: int = 0  # the process that stands for it: that with `pid`, or another one that it named by MAINPID=
    told: Identity | None = None  # that other one
    exit: tuple[int | None, int | None] | None = None  # code and signal, once the main process is gone
    ended: int | None = None  # its exit code, once the main process is gone and its heir is not known yet
    ended_at: float = 0.0  # monotonic seconds
    survivors: Survivors | None = None  # who is left after SIGKILL
    has_faulted: bool = False  # portsup has failed in a look at it
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    proved: frozenset[Listener] = frozenset()  # its listening sockets, as last seen to be its own
    suspicion: Suspicion = Suspicion()  # of those who listen on its port and are not it
    handoff: Handoff | None = None  # where it runs under the filter
    account: Account | None = None  # whom it runs as, where that is not us
    invocation: str = ""  # which start of a service of this run it is
    doors: Doors | None = None  # its listening sockets, from shortly before it is asked to end
    is_asked: bool = False  # to end, or it is killed
    bridged: tuple[int, int] = (0, 0)  # sessions and programs, of a service with `stdio`

    def end_tasks(self) -> None:
        """Stops asking it questions."""
        for task in self.tasks:
            task.cancel()
        self.tasks.clear()

    def __post_init__(self) -> None:
        self.main = self.main or self.pid

    def send_signal(self, number: int) -> bool:
        """Sends a signal to the main process, if it runs; whether it was sent."""
        if self.exit is not None or self.ended is not None:
            return False
        if self.main != self.pid and not (self.told is not None and system.is_alive(self.told)):
            return False  # we are not its parent: it has ended, and by now its pid may be that of a stranger
        try:
            system.send_signal(self.main, number)
        except (ProcessLookupError, PermissionError):  # it is gone, or has become somebody else, by sudo or the like
            return False
        return True


@dataclass(slots=True, eq=False)
class Shared:
    """What the replicas of a service have together; mostly there is one."""

    name: str = ""  # of the service
    slots: "list[Slot]" = field(default_factory=list)  # the first one first
    lease: PoolLease | None = None
    sockets: ServiceSockets | None = None  # those that they listen on, where they are handed over
    host: str = LOOPBACK  # at which address the last process that listened was reached
    own_ports: deque[int] = field(default_factory=lambda: deque(maxlen=64))  # from which probes have connected
    obstacle: PortsupError | None = None  # what kept it from all its ports the last time, if no port was at fault
    starts: int = 0  # how often each of them has had another process in charge
    _started: set[int] = field(default_factory=set)  # those that have had one since then, by number

    def note_start(self, number: int) -> None:
        """The replica with this number has another process in charge."""
        self._started.add(number)
        if self._started.issuperset(slot.number for slot in self.slots):
            self.starts += 1
            self._started.clear()

    def joined(self, number: int) -> None:
        """There is one more, whose first process is no news for those who are restarted after the service."""
        self._started.add(number)

    def leave(self, slot: "Slot") -> bool:
        """One is gone for good; whether it was the last one."""
        self.slots.remove(slot)
        self._started.discard(slot.number)
        return not self.slots

    def others_live(self, slot: "Slot") -> bool:
        """Whether another one than this has a process."""
        return any(other.child is not None for other in self.slots if other is not slot)

    def is_served(self) -> bool:
        """Whether one of them has a process."""
        return any(slot.child is not None for slot in self.slots)

    def running(self) -> "list[Slot]":
        """Those that are ready."""
        return [slot for slot in self.slots if slot.service.state is State.RUNNING]

    def keeps_clients(self) -> bool:
        """Whether the sockets stay open for a next process."""
        return any(keeps_clients(slot.service) for slot in self.slots)

    def serves_on(self) -> bool:
        """Whether a process that is to end has not been asked to yet, and serves."""
        return any(serves_on(slot.service) for slot in self.slots)

    def has_last_clients(self) -> bool:
        """Whether a process accepts those who wait, before it is asked to end."""
        return any(has_last_clients(slot.service) for slot in self.slots)


@dataclass(slots=True, eq=False)
class Slot:
    """One service of the running stack, or one of its replicas."""

    spec: ServiceSpec  # the name of another replica than the first one is its own, as `api.2`
    pool: tuple[int, ...]  # of this instance
    keeper: Keeper
    log: ServiceLog
    number: int = 1  # of the replica
    shared: Shared = field(default_factory=Shared)
    child: Child | None = None  # the one in charge
    beside: Child | None = None  # the other one, during a rolling restart
    notify: NotifySocket | None = None  # on which it says how it is
    stdin: StdinPipe | None = None  # what its processes read, where that is to stay open
    why_no_handoff: str = ""  # where its process runs without
    why_unseen: str = ""  # what kept us from looking into a process of it that wanted to bind, if anything did
    since: float = 0.0  # monotonic seconds at which it came into its state
    rotations: int = 0  # moves to another port, since the stack came up
    is_wanted: bool = False
    is_optional: bool = False  # `up` does not start it unless somebody names or needs it
    ran: float | None = None  # seconds from the start of its last process to the end of it
    seen_starts: dict[str, int] = field(default_factory=dict)  # of those it depends on, when its process was spawned
    next_run: str = ""  # by its schedule
    file_changes: int = 0  # of the files that it watches, since the stack came up
    name_url: str = ""  # where it answers by its name, as long as there is a proxy for that
    is_leaving: bool = False  # a reload removes it: it is started no more

    def __post_init__(self) -> None:
        self.shared.name = self.shared.name or self.spec.name
        self.shared.slots.append(self)

    @property
    def lease(self) -> PoolLease | None:
        """The ports of its service."""
        return self.shared.lease

    @property
    def sockets(self) -> ServiceSockets | None:
        """Those that its service listens on, where they are handed over."""
        return self.shared.sockets

    @property
    def host(self) -> str:
        """At which address the last process that listened was reached."""
        return self.shared.host

    @property
    def own_ports(self) -> deque[int]:
        """The ports from which probes have connected to it."""
        return self.shared.own_ports

    @property
    def obstacle(self) -> PortsupError | None:
        """What kept its service from all its ports the last time, if no port was at fault."""
        return self.shared.obstacle

    @property
    def of(self) -> str:
        """The name of its service."""
        return self.shared.name

    @property
    def replica(self) -> int | None:
        """Its number, where its service has several."""
        return self.number if len(self.shared.slots) > 1 else None

    @property
    def label(self) -> str:
        """How it is called: `api`, or `api.1` where its service has several."""
        return called(self.of, self.replica)

    @property
    def service(self) -> Service:
        """The service as it stands now."""
        return self.keeper.service

    @property
    def is_obstructed(self) -> bool:
        """Whether it would run, were it not for something that the system refuses."""
        return self.obstacle is not None and self.is_wanted and self.service.state is State.FAILED

    # What the rules between services look at, `core.relations.Member`.

    @property
    def needs(self) -> Mapping[str, Condition]:
        """The services that it depends on, and how far each must have come."""
        return self.spec.depends_on

    @property
    def replicas(self) -> "Sequence[Slot]":
        """All of its service, the first one first."""
        return self.shared.slots

    @property
    def least(self) -> int:
        """How many of them have to be ready for the service to be."""
        return enough(len(self.shared.slots), self.spec.min_ready)

    @property
    def starts(self) -> int:
        """How many processes have been in charge; of several replicas, of the one that has had the fewest."""
        return self.shared.starts

    @property
    def restarts_with(self) -> Collection[str]:
        """Those of them after which it is restarted."""
        return self.spec.restarts_with

    @property
    def cost(self) -> Cost:
        """What it takes of the budget."""
        return Cost(self.spec.memory_cost, self.spec.gpu_memory_cost)

    @property
    def seen_ports(self) -> Mapping[str, int]:
        """Where its process was told that the others are."""
        return {} if self.child is None else self.child.seen_ports

    def children(self) -> list[Child]:
        """Its processes, the one in charge first."""
        return [child for child in (self.child, self.beside) if child is not None]

    def child_of(self, pid: int | None) -> Child | None:
        """The one of its processes with this pid."""
        return next((child for child in self.children() if child.pid == pid), None)

    def ending_of(self, child: Child) -> State | None:
        """TERMINATING or KILLING for one of its processes that is to end."""
        state = self.service.state
        if child is self.beside and self.service.beside is not None:
            state = ENDINGS.get(self.service.beside.role, state)
        return state if state in ENDINGS.values() else None

    def put_in_charge(self, pid: int | None) -> None:
        """Has the two change places if `pid` is the one beside."""
        if self.beside is not None and self.beside.pid == pid:
            self.child, self.beside = self.beside, self.child

    def see(self, others: "Mapping[str, Slot]") -> None:
        """Notes which processes there are now of those that it is restarted after."""
        self.seen_starts = {need: others[need].starts for need in self.spec.restarts_with if need in others}

    def send_signal(self, number: int) -> bool:
        """Sends a signal to the main process, if there is one; whether it was sent."""
        return self.child is not None and self.child.send_signal(number)

    def leave_sockets(self, invocation: str) -> None:
        """The sockets of a process that is gone listen on for the next one."""
        if self.sockets is not None:
            try:
                self.sockets.process_ended(invocation)
            except OSError:  # they cannot: who waits for the next one is refused
                self.close_sockets()

    def close_sockets(self) -> None:
        """Whoever waits for the service is refused from now on; a process that has a socket keeps it."""
        if self.shared.sockets is not None:
            self.shared.sockets.close()
            self.shared.sockets = None
