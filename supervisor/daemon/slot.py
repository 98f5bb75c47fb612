"""What the daemon holds for one service: its specification, its ports, its process and the tasks around that."""

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from supervisor.config.spec import ServiceSpec
from supervisor.core.service import Service, Timeouts
from supervisor.daemon.handoff import Handoff
from supervisor.daemon.keeper import Keeper, World
from supervisor.daemon.output import Output
from supervisor.errors import PortsupError
from supervisor.logs.service_log import ServiceLog
from supervisor.ports.leases import PoolLease
from supervisor.ports.service_sockets import ServiceSockets


@dataclass(slots=True)
class Child:
    """The process of a service, from the spawn until nothing of its tree is left."""

    pid: int
    output: Output
    spawned_at: float  # monotonic seconds
    environment: Mapping[str, str]
    seen_ports: Mapping[str, int]  # where it was told that the other services are
    exit: tuple[int | None, int | None] | None = None  # code and signal, once the main process is gone
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    listener_inodes: frozenset[int] = frozenset()  # its listening sockets, as last proved
    handoff: Handoff | None = None  # where it runs under the filter


@dataclass(slots=True)
class Slot:
    """One service of the running stack."""

    spec: ServiceSpec
    pool: tuple[int, ...]  # of this instance
    keeper: Keeper
    log: ServiceLog
    lease: PoolLease | None = None
    child: Child | None = None
    sockets: ServiceSockets | None = None  # those that it listens on, where they are handed over
    why_no_handoff: str = ""  # where its process runs without
    is_wanted: bool = False
    obstacle: PortsupError | None = None  # what kept it from all its ports the last time, if no port was at fault

    @property
    def service(self) -> Service:
        """The service as it stands now."""
        return self.keeper.service

    def send_signal(self, number: int) -> None:
        """Sends a signal to the main process, if there is one."""
        if self.child is not None and self.child.exit is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.child.pid, number)

    def close_sockets(self) -> None:
        """Whoever waits for the service is refused from now on; a process that has a socket keeps it."""
        if self.sockets is not None:
            self.sockets.close()
            self.sockets = None

    def end_tasks(self) -> None:
        """Stops asking the process questions."""
        if self.child is not None:
            for task in self.child.tasks:
                task.cancel()
            self.child.tasks.clear()


def new_slot(
    spec: ServiceSpec, pool: Sequence[int], world: World, loop: asyncio.AbstractEventLoop, state_dir: Path
) -> Slot:
    """The slot of a service that was never started; `pool` has the ports of this instance."""
    timeouts = Timeouts(spec.ready.timeout, spec.stop_grace_period)
    service = Service(spec.name, tuple(pool), spec.restart_policy, timeouts, rotate_after=spec.rotate_after)
    log = ServiceLog(str(state_dir / f"{spec.name}.log"), spec.logging)
    return Slot(spec, tuple(pool), Keeper(service, world, loop), log)
