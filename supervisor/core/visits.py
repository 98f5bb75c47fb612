"""What happens around the clients of a service, and what is to be done about it; part of `events`."""

from supervisor.core.reasons import Cause
from supervisor.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Called:
    """A client waits on its port."""


@dataclass(frozen=True, slots=True)
class ClientLeft:
    """A connection of a client of this process has ended; said once after each look for clients."""

    pid: int


@dataclass(frozen=True, slots=True)
class ClientsCounted:
    """How many clients are connected, and whether one has left since they were counted before.

    `waiting` are others, who can only be served by the next process.
    """

    pid: int
    connected: int
    has_left: bool = False
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class FoundUnused:
    """Nothing speaks against its end: nobody is connected, and whoever comes now waits for the next process."""

    pid: int


@dataclass(frozen=True, slots=True)
class FoundInUse:
    """It is used after all: by a client, or by what its `idle_when` or `idle_check` says."""

    pid: int
    why: Cause = ""


@dataclass(frozen=True, slots=True)
class RoomNeeded:
    """Another service cannot start within the budget as long as this one runs."""

    by: str


@dataclass(frozen=True, slots=True)
class RoomLacking:
    """It would start, and the budget has no room for it now."""

    why: Cause


@dataclass(frozen=True, slots=True)
class IdlingChanged:
    """Its configuration says otherwise when it is stopped for want of clients."""


@dataclass(frozen=True, slots=True)
class CountClients:
    """Count who is connected to the process; answered by ClientsCounted."""

    pid: int


@dataclass(frozen=True, slots=True)
class MakeSureUnused:
    """Have new clients wait for the next process, if nothing speaks against the end of this one.

    Answered by FoundUnused or FoundInUse.
    """

    pid: int


OfClients = ClientLeft | ClientsCounted | FoundUnused | FoundInUse | RoomNeeded | IdlingChanged
