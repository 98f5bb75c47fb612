"""What happens to a service (events, in the past tense) and what is to be done about it (effects, imperative)."""

from supervisor.core.faults import Faulted as Faulted
from supervisor.core.reasons import Asked, Cause, MemoryAbove
from supervisor.core.sd_notify import Notification
from supervisor.core.state import Hook
from supervisor.core.visits import Called as Called
from supervisor.core.visits import ClientLeft as ClientLeft
from supervisor.core.visits import ClientsCounted as ClientsCounted
from supervisor.core.visits import CountClients as CountClients
from supervisor.core.visits import FoundInUse as FoundInUse
from supervisor.core.visits import FoundUnused as FoundUnused
from supervisor.core.visits import IdlingChanged as IdlingChanged
from supervisor.core.visits import MakeSureUnused as MakeSureUnused
from supervisor.core.visits import OfClients as OfClients
from supervisor.core.visits import RoomLacking as RoomLacking
from supervisor.core.visits import RoomNeeded as RoomNeeded
from supervisor.dataclass import dataclass

Reasons = tuple[tuple[int, Cause], ...]  # why a port cannot be used, port by port


@dataclass(frozen=True, slots=True)
class StartRequested: ...


@dataclass(frozen=True, slots=True)
class AwaitRequested:
    """Start when the first client comes to its port, or when it is time."""


@dataclass(frozen=True, slots=True)
class AwaitFailed:
    """Nobody can listen for it; `why` says what keeps us from it."""

    why: Cause


@dataclass(frozen=True, slots=True)
class StopRequested:
    grace: float | None = None  # seconds instead of the configured grace period
    is_urgent: bool = False  # portsup itself has to be gone in no time: no hook is run any more


@dataclass(frozen=True, slots=True)
class KillRequested:
    """Somebody is tired of waiting: end it now."""


@dataclass(frozen=True, slots=True)
class RestartRequested:
    why: Cause = Asked("restart")
    grace: float | None = None  # seconds instead of the configured grace period


@dataclass(frozen=True, slots=True)
class RollRequested:
    """Restart it without a gap: the new process starts beside the old one, which is stopped when that one is ready."""

    grace: float | None = None  # seconds instead of the configured grace period


@dataclass(frozen=True, slots=True)
class RotateRequested: ...


@dataclass(frozen=True, slots=True)
class PortLeased:
    port: int | None  # None: a job without ports


@dataclass(frozen=True, slots=True)
class NoPort:
    reasons: Reasons
    why: str = ""  # if no port is at fault


@dataclass(frozen=True, slots=True)
class DependenciesMet: ...


@dataclass(frozen=True, slots=True)
class DependencyFailed:
    why: Cause


@dataclass(frozen=True, slots=True)
class Spawned:
    pid: int


@dataclass(frozen=True, slots=True)
class SpawnFailed:
    why: Cause
    is_transient: bool = False  # the system was short of something; trying again may help


@dataclass(frozen=True, slots=True)
class BeganListening:
    pid: int
    is_alone: bool = False  # it has listened on no other port before, as far as anybody can tell


@dataclass(frozen=True, slots=True)
class BecameReady:
    pid: int


@dataclass(frozen=True, slots=True)
class ProbeFailed:
    """Not ready yet, and what was seen instead."""

    pid: int
    why: Cause


@dataclass(frozen=True, slots=True)
class Printed:
    """The last line of a process that is ready once it prints another one; "" for none."""

    pid: int
    line: str


@dataclass(frozen=True, slots=True)
class BecameHealthy:
    pid: int


@dataclass(frozen=True, slots=True)
class CheckFailed:
    """A health check of a process did not find it well."""

    pid: int
    why: Cause


@dataclass(frozen=True, slots=True)
class MemoryExceeded:
    pid: int
    why: MemoryAbove


@dataclass(frozen=True, slots=True)
class Notified:
    """It said something of itself, sd_notify(3); that it is ready is told by BecameReady."""

    pid: int
    notice: Notification


@dataclass(frozen=True, slots=True)
class Intruded:
    """Somebody who is not of this service listens on its port."""

    pid: int
    who: Cause


@dataclass(frozen=True, slots=True)
class MainExited:
    """The process that was spawned ended, and left others behind."""

    pid: int
    code: int | None = None
    signal: int | None = None
    had_port: bool = False  # it listened on its port until it ended, as far as anybody can tell


@dataclass(frozen=True, slots=True)
class Survived:
    """SIGKILL was sent, or could not be, and somebody is left."""

    pid: int
    who: Cause


@dataclass(frozen=True, slots=True)
class Exited:
    """The process that was spawned and all that came of it are gone."""

    pid: int
    code: int | None = None
    signal: int | None = None
    intruder: Cause = ""  # who has the port now, if not we
    had_port: bool = False  # as above


@dataclass(frozen=True, slots=True)
class HookEnded:
    """A hook and all that came of it are gone; `why` says what was wrong, after the name of the hook."""

    number: int
    why: Cause = ""
    is_final: bool = False  # trying again would not help: it cannot be run
    said: str = ""  # what it printed last


@dataclass(frozen=True, slots=True)
class LockLost:
    port: int
    why: Cause


@dataclass(frozen=True, slots=True)
class DeadlinePassed: ...


Event = (
    StartRequested | AwaitRequested | Called | AwaitFailed | OfClients | RoomLacking | StopRequested | KillRequested
    | RestartRequested | RollRequested | RotateRequested | PortLeased | NoPort | DependenciesMet | DependencyFailed
    | Spawned | SpawnFailed | BeganListening | BecameReady | ProbeFailed | Printed | BecameHealthy | CheckFailed
    | MemoryExceeded | Notified | Intruded | MainExited | Survived | Exited | HookEnded | LockLost
    | DeadlinePassed | Faulted
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LeasePort:
    """Choose a port of the pool, none of those in `avoid`; the next one after `leaving` if that is given."""

    avoid: Reasons = ()
    leaving: int | None = None


@dataclass(frozen=True, slots=True)
class QuarantinePort:
    port: int
    why: Cause


@dataclass(frozen=True, slots=True)
class AwaitClients:
    """Listen on the port, or go on listening, and say so when somebody connects."""

    port: int


@dataclass(frozen=True, slots=True)
class RefuseClients:
    """Whoever waits for a process that does not come up is refused, and so is who comes until it does."""


@dataclass(frozen=True, slots=True)
class Spawn:
    port: int | None


@dataclass(frozen=True, slots=True)
class SpawnBeside:
    """Spawn a second process on the port where the first one is, with the same sockets."""

    port: int | None


@dataclass(frozen=True, slots=True)
class Terminate:
    pid: int


@dataclass(frozen=True, slots=True)
class Abort:
    """Terminate, but by SIGABRT: it hangs, and may leave a core dump that tells where."""

    pid: int


@dataclass(frozen=True, slots=True)
class Kill:
    pid: int


@dataclass(frozen=True, slots=True)
class Abandon:
    """Have nothing to do any more with what SIGKILL cannot end; answered by Exited."""

    pid: int


@dataclass(frozen=True, slots=True)
class RunHook:
    """Run a command beside the service."""

    hook: Hook
    number: int
    pid: int | None = None  # the process that it is about


@dataclass(frozen=True, slots=True)
class EndHook:
    """Kill a hook and all that came of it; what it comes to is of no interest any more."""

    number: int


Effect = (
    LeasePort | QuarantinePort | AwaitClients | CountClients | MakeSureUnused | RefuseClients
    | Spawn | SpawnBeside | Terminate | Abort | Kill | Abandon | RunHook | EndHook
)  # fmt: skip
