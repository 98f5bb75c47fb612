"""What a running stack tells, as frozen values.  Keys that a newer portsup adds are left alone."""

from supervisor.control.messages import (
    Address,
    Event,
    LogLine,
    PortStatus,
    Resources,
    SecondProcess,
    ServiceStatus,
    Socket,
)
from supervisor.control.progress import Outcome
from supervisor.dataclass import dataclass

__all__ = [
    "Address",
    "Event",
    "Gap",
    "LogLine",
    "Outcome",
    "PortStatus",
    "Resources",
    "SecondProcess",
    "ServiceStatus",
    "Socket",
]


@dataclass(frozen=True, slots=True)
class Gap:
    """So many events or log lines were left out, because whoever reads them was too slow."""

    missed: int
