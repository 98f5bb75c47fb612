"""Whether what the system tells of processes is about those whose numbers we use."""

from supervisor import system
from supervisor.errors import PortsupError

REMEDY = "mount one for this PID namespace: `mount -t proc proc /proc`, or `unshare --mount-proc`"


def require_view(what: str) -> None:
    """Raises PortsupError, which begins with `what`, where it is not: a signal could reach the wrong process."""
    if why := system.process_trouble():
        raise PortsupError(what, why, REMEDY)
