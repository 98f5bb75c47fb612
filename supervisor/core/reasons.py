"""Why a service is as it is: typed reasons, which words/ turns into sentences.

A reason that is a text instead says what somebody else said: a program, a probe, the system.
"""

from supervisor.core.faults import OfPortsup as OfPortsup
from supervisor.core.reason import Cause as Cause
from supervisor.core.reason import Reason as Reason
from supervisor.core.reason import facts_of as facts_of


class Asked(Reason):
    """Somebody asked for it: `stop`, `kill`, `restart`, `rotate` or `reconfigure`."""

    to: str


class Unused(Reason):
    """Nobody was connected to it for this many seconds."""

    seconds: float


class MakesRoom(Reason):
    """Nobody used it for this many seconds, and another service needs its room in the budget."""

    by: str
    seconds: float


class NoRoom(Reason):
    """The budget has no room for it: how many bytes of a `resource` it needs and are free, and who uses the rest."""

    resource: str  # memory, gpu_memory
    needs: int
    free: int
    held_by: tuple[str, ...] = ()
    leaving: bool = False  # those are on their way out


class UsesProcessor(Reason):
    """Its processes use this many percent of a processor; -1 if portsup cannot see it."""

    percent: float = -1.0


class NeedsRestarted(Reason):
    """Services that it depends on with `restart: true` restarted."""

    needs: tuple[str, ...]


class NeedsMoved(Reason):
    """Services that it depends on moved to another port."""

    needs: tuple[str, ...]


class FilesChanged(Reason):
    """Files that it watches have changed: one of them, and how many."""

    path: str
    count: int = 1


class EndedWithCode(Reason):
    """Its process exited by itself."""

    code: int


class EndedBySignal(Reason):
    """A signal ended its process."""

    signal: int


class BeforeReady(Reason):
    """It ended in this way before it was ready."""

    end: Reason


class InARow(Reason):
    """It went wrong like this several times on one port."""

    last: Cause
    times: int


class AfterRestarts(Reason):
    """It went wrong like this, after as many restarts as its policy allows."""

    last: Cause
    restarts: int


class NotReady(Reason):
    """It did not become ready (a job: was not done) in time; `missing` is what it lacked, if portsup can see it."""

    within: float
    missing: Cause = ""
    is_job: bool = False


class NothingListens(Reason):
    """Nothing listens on its port."""

    port: int


class LastLine(Reason):
    """The line for which `ready` waits has not come: what portsup saw instead, and the last line, if any."""

    trouble: Cause
    line: str


class NoLineMatches(Reason):
    """No line that it printed matches this pattern; `last` is the last line, if portsup knows it."""

    pattern: str
    last: str = ""


class PatternTooSlow(Reason):
    """This pattern takes too long on its output; `is_given_up` if portsup does not try it any more."""

    pattern: str
    is_given_up: bool = False


class NotSaidReady(Reason):
    """It has not sent `READY=1`."""


class ListensElsewhere(Reason):
    """It listens on these ports, and this many `others`, instead of the one that `variable` has."""

    ports: tuple[int, ...]
    port: int
    variable: str
    others: int = 0


class Probed(Reason):
    """A probe asked `asked` (the TCP port if it is empty), and found `found`."""

    asked: str
    found: Cause


class NoAnswer(Reason):
    """There was no answer within this many seconds."""

    within: float


class HttpAnswer(Reason):
    """An HTTP answer is wrong: `how` it differs, in what, and the `wanted` statuses."""

    how: str  # nothing, no-http, status, lacks, no-match, slow-pattern, unread
    status: int = 0
    said: str = ""
    wanted: tuple[str, ...] = ()


class Unhealthy(Reason):
    """Its health check failed like this, this many times in a row."""

    last: Cause
    times: int


class MemoryAbove(Reason):
    """Its processes use this many bytes, more than its limit."""

    used: int
    limit: int


class SaidNothing(Reason):
    """It was silent for longer than its watchdog allows, in seconds."""

    seconds: float


class SaysItHangs(Reason):
    """It said so, by `WATCHDOG=trigger`."""


class SaysItStops(Reason):
    """It said so, by `STOPPING=1`."""


class StillAlive(Reason):
    """Its processes are alive after SIGKILL."""


class Survivors(Reason):
    """Somebody survived SIGKILL, or could not be killed: one of them by pid and name, and how many `more`.

    `user` is whose processes they are, if that is why; nobody is named if portsup does not find them.
    """

    pid: int = 0
    name: str = ""
    more: int = 0
    user: str = ""


class NoPortUsable(Reason):
    """No port of its pool can be used."""


class NotTried(Reason):
    """A port was not tried, for example because the service may use only the first port of its pool."""

    is_strict: bool = False


class LockGone(Reason):
    """A lock no longer keeps others out: `how` that happened, and which file or directory it is about."""

    how: str  # given-back, unreadable, no-directory, deleted, replaced, unlocked, taken-over
    path: str = ""
    detail: str = ""  # what the system says of it, or which process has taken over the record
    service: str = ""  # whose process that is, where it says so
    stack: str = ""
    instance: int = 0


class PortLockLost(Reason):
    """The lock of its port is lost."""

    port: int
    why: Cause


TOO_MANY = "too-many"  # processes, to find the one that has a port


class Held(Reason):
    """Somebody holds its port: `how`, and who, as far as portsup can see; `detail` is what the system says about it."""

    how: str  # one of those in words/holders.py
    name: str = ""
    pid: int = 0
    user: str = ""
    stack: str = ""
    instance: int = 0
    service: str = ""
    detail: str = ""


class OfHook(Reason):
    """One of its hooks failed."""

    hook: str
    why: Cause
    said: str = ""  # what it printed last


class NotRun(Reason):
    """It cannot run now: what the system says about it."""

    error: str


class NoFirstClient(Reason):
    """portsup cannot listen for its first client."""

    why: str


class SocketNotKept(Reason):
    """portsup does not keep the socket that a second process would need."""


class NotDone(Reason):
    """A hook took longer than its time limit, in seconds."""

    within: float


class LostNeed(Reason):
    """A dependency that will not come: it `stopped`, `ended` or `failed`, and why; a job if it `should_end`."""

    name: str
    fate: str
    why: Cause = ""
    should_end: bool = False
    has_pool: bool = False


class NeedsLost(Reason):
    """It depends on services that will not come."""

    needs: tuple[LostNeed, ...]
