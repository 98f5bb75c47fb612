"""Errors of portsup itself, in what it does for one service: that service alone has the harm."""

from supervisor.core.reason import Cause, Reason
from supervisor.dataclass import dataclass


class OfPortsup(Reason):
    """An internal error of portsup: `error`, and `where` it happened."""

    error: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Faulted:
    """What portsup does for the service came to nothing: nobody knows how far it got.

    `pid` is the process that it was about; None where it was about the service.
    """

    why: Cause
    pid: int | None = None


def is_of_portsup(cause: Cause) -> bool:
    """Whether a reason is an internal error of portsup, or comes from one."""
    if isinstance(cause, str):
        return False
    return isinstance(cause, OfPortsup) or any(
        isinstance(value, Reason) and is_of_portsup(value) for value in cause.facts.values()
    )
