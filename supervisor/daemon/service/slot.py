"""What the daemon holds for one service: its specification, its ports, its process and the tasks around that."""

import asyncio
import os
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from supervisor import system
from supervisor.config.selection import starts_by_itself
from supervisor.config.spec import ProbeKind, ServiceSpec, StackSpec, Start
from supervisor.core.address import LOOPBACK
from supervisor.core.budget import Cost
from supervisor.core.instance import ports_of
from supervisor.core.order import Condition
from supervisor.core.reasons import Survivors
from supervisor.core.service import Service
from supervisor.core.service.snapshot import NO_HOOKS, Timeouts
from supervisor.core.state import Role, State
from supervisor.daemon.handoff.calls import Handoff
from supervisor.daemon.instance import Instance
from supervisor.daemon.service.keeper import Keeper, World
from supervisor.daemon.service.output import Output
from supervisor.dataclass import dataclass, field
from supervisor.errors import PortsupError
from supervisor.logs.service_log import ServiceLog
from supervisor.ports.leases import PoolLease
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.process.account import Account
from supervisor.process.sd_notify_socket import NotifySocket
from supervisor.process.stdin import StdinPipe
from supervisor.system import Identity

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
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    listener_inodes: frozenset[int] = frozenset()  # its listening sockets, as last proved
    handoff: Handoff | None = None  # where it runs under the filter
    account: Account | None = None  # whom it runs as, where that is not us
    invocation: str = ""  # which start of a service of this run it is

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
            os.kill(self.main, number)
        except (ProcessLookupError, PermissionError):  # it is gone, or has become somebody else, by sudo or the like
            return False
        return True


@dataclass(slots=True)
class Slot:
    """One service of the running stack."""

    spec: ServiceSpec
    pool: tuple[int, ...]  # of this instance
    keeper: Keeper
    log: ServiceLog
    lease: PoolLease | None = None
    child: Child | None = None  # the one in charge
    beside: Child | None = None  # the other one, during a rolling restart
    sockets: ServiceSockets | None = None  # those that it listens on, where they are handed over
    notify: NotifySocket | None = None  # on which it says how it is
    stdin: StdinPipe | None = None  # what its processes read, where that is to stay open
    host: str = LOOPBACK  # at which address its last process that listened was reached
    why_no_handoff: str = ""  # where its process runs without
    why_unseen: str = ""  # what kept us from looking into a process of it that wanted to bind, if anything did
    since: float = 0.0  # monotonic seconds at which it came into its state
    rotations: int = 0  # moves to another port, since the stack came up
    is_wanted: bool = False
    is_optional: bool = False  # `up` does not start it unless somebody names or needs it
    ran: float | None = None  # seconds from the start of its last process to the end of it
    starts: int = 0  # how many processes have been in charge
    seen_starts: dict[str, int] = field(default_factory=dict)  # of those it depends on, when its process was spawned
    next_run: str = ""  # by its schedule
    name_url: str = ""  # where it answers by its name, as long as there is a proxy for that
    is_leaving: bool = False  # a reload removes it: it is started no more
    own_ports: deque[int] = field(default_factory=lambda: deque(maxlen=64))  # from which probes have connected to it
    obstacle: PortsupError | None = None  # what kept it from all its ports the last time, if no port was at fault

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

    def child_of(self, pid: int) -> Child | None:
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
        if self.sockets is not None:
            self.sockets.close()
            self.sockets = None


def settings(spec: ServiceSpec, pool: Sequence[int]) -> dict[str, Any]:
    """The fields of a `Service` that its configuration decides."""
    return {
        "pool": tuple(pool),
        "policy": spec.restart_policy,
        "timeouts": Timeouts(
            spec.ready.timeout,
            spec.stop_grace_period,
            watchdog=spec.watchdog,
            clients=spec.start_timeout,
            idle=spec.idle_stop,
            min_up=spec.idle_min_up,
        ),
        "rotate_after": spec.rotate_after,
        "unhealthy_after": 1 if spec.healthcheck is None else spec.healthcheck.retries,
        "is_ready_by_listening": bool(pool) and spec.ready.probe.kind is ProbeKind.LISTENING,
        "one_shot": spec.one_shot,
        "on_connect": spec.start is Start.ON_CONNECT,
        "can_make_room": spec.waits_for_clients and bool(spec.memory_cost or spec.gpu_memory_cost),
        "is_scheduled": spec.schedule is not None,
        "is_server": not spec.one_shot and (bool(pool) or spec.ready.probe.kind is not ProbeKind.STARTED),
        "success_codes": spec.success_exit_codes,
        "hooks": {hook: each.timeout for hook, each in spec.all_hooks.items()} or NO_HOOKS,
    }


def new_slot(stack: StackSpec, name: str, instance: Instance, world: World, profiles: Collection[str]) -> Slot:
    """The slot of a service of a stack that was never started."""
    spec = stack.services[name]
    pool = ports_of(spec.pool, instance.number, stack.stride)
    keeper = Keeper(Service(name, **settings(spec, pool)), world, instance.loop)
    log = ServiceLog(str(instance.state_dir / f"{name}.log"), spec.logging)
    return Slot(spec, tuple(pool), keeper, log, is_optional=not starts_by_itself(spec, profiles))
