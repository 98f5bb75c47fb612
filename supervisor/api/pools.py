"""The pools of all instances of this user that run."""

from supervisor.api import machine
from supervisor.api.stack import Stack
from supervisor.api.values import ServiceStatus
from supervisor.dataclass import dataclass
from supervisor.errors import PortsupError

PATIENCE = 2.0  # seconds that an instance may take to answer


@dataclass(frozen=True, slots=True)
class InstancePools:
    """The services of an instance that have a pool.

    stack: name of the stack
    instance: its number
    folder: where it was started
    socket: its control socket
    services: their rows
    """

    stack: str
    instance: int
    folder: str
    socket: str
    services: tuple[ServiceStatus, ...]


def all_pools() -> list[InstancePools]:
    """Those of each instance that answers and has one; raises PortsupError if nobody may look."""
    told = []
    for each in machine.instances():
        info = machine.running_instance(each.stack, each.instance) if each.is_running else None
        if info is None:
            continue
        try:
            rows = Stack(info.socket, patience=PATIENCE).status()
        except PortsupError:  # just ending
            continue
        if pools := tuple(row for row in rows if row.pool):
            told.append(InstancePools(each.stack, each.instance, each.folder, info.socket, pools))
    return told
