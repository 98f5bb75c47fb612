"""One service at one moment, and what is asked of it in few words."""

from collections.abc import Mapping
from types import MappingProxyType

from supervisor.core import events as ev
from supervisor.core.reasons import (
    Cause,
    EndedBySignal,
    EndedWithCode,
    LastLine,
    ListensElsewhere,
    NothingListens,
    NotReady,
    Reason,
)
from supervisor.core.restart import RestartPolicy
from supervisor.core.state import (
    STATUS,
    TRANSITIONS,
    Beside,
    Health,
    Hook,
    HookRun,
    Milestone,
    Result,
    State,
    Status,
    Then,
)
from supervisor.dataclass import dataclass, field, replace

NO_HOOKS: Mapping[Hook, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds."""

    ready: float = 30.0  # 0 for any
    grace: float = 10.0
    kill: float = 5.0
    watchdog: float = 0.0  # the longest silence of a running service; 0 for any
    clients: float = 30.0  # that the first client waits at most until it is ready
    idle: float = 0.0  # without a client after which it is stopped; 0 for never
    min_up: float = 30.0  # that it is up at least before that


@dataclass(frozen=True, slots=True)
class Service:
    """One service at one moment."""

    name: str
    pool: tuple[int, ...] = ()
    policy: RestartPolicy = field(default_factory=RestartPolicy)
    timeouts: Timeouts = field(default_factory=Timeouts)
    rotate_after: int = 3
    unhealthy_after: int = 1  # health checks in a row that fail
    is_ready_by_listening: bool = False  # nothing else is waited for
    one_shot: bool = False  # it is no server: its work is done when it exits with 0
    on_connect: bool = False  # started by its first client
    is_scheduled: bool = False  # started by the clock
    can_make_room: bool = False  # it may be stopped for another service while nobody uses it
    is_server: bool = False  # others are to reach it: it has a port, or says by something else when it is ready
    success_codes: frozenset[int] = frozenset((0,))  # exit codes that mean success
    hooks: Mapping[Hook, float] = field(default_factory=lambda: NO_HOOKS)  # those it has, and how long each may take
    state: State = State.STOPPED
    result: Result = Result.NONE
    reason: Cause = ""
    port: int | None = None
    pid: int | None = None
    is_called: bool = False  # it is to run, and not only to listen for its first client
    clients_until: float | None = None  # when whoever has called it is refused, unless it is ready by then
    used_at: float = 0.0  # the last moment at which it had a client, as far as that is known
    in_use: bool = False  # it could not be stopped the last time, and nobody has left since
    makes_room_for: str = ""  # the service for which it is just being found out whether it can be stopped
    idle_at: float | None = None  # when its clients are counted, while it runs
    deadline: float | None = None
    reached: Milestone = Milestone.NONE
    health: Health = Health.NONE
    failed_checks: int = 0  # of its health, in a row
    ready_since: float | None = None
    attempts: int = 0  # restarts since it was last ready for a whole period
    short_runs: int = 0  # ends in a row without a good run before them
    misses: int = 0  # starts in a row that did not become ready on this port
    failed_ports: ev.Reasons = ()  # ports of the pool that did not work since it was last ready
    restarts: int = 0  # that nobody asked for, since the stack came up
    exit_code: int | None = None  # of the last process, until the next is ready; a signal counts negative
    trouble: Cause = ""  # what the last readiness probe saw instead
    printed: str | None = None  # the last line of one that is ready once it prints another one
    told: str = ""  # what it says it does, STATUS= of sd_notify(3)
    watchdog: float = 0.0  # the longest silence of the present process, as configured or as it said
    reloading_since: float | None = None
    then: Then = Then.STOP
    beside: Beside | None = None  # the second process during a rolling restart, core/service/rolling.py
    roll_trouble: Cause = ""  # why the last rolling restart came to nothing
    hook: HookRun | None = None  # the one that runs now
    hook_runs: int = 0
    hook_trouble: Cause = ""  # what was wrong with a hook since it was last started
    had_port: bool = False  # its last process listened on its port until it ended
    keeps_to_port: bool = False  # the last process that listened on its port had listened on no other before
    looks_by_connecting: bool = False  # it takes its port for taken as long as somebody can connect there
    never_listened: bool = False  # the last process had its time to become ready, and nothing was on its port
    survivor: Cause = ""  # who is left after SIGKILL
    grace: float = 0.0  # seconds that the stop under way gives it, or gave it in vain; 0 if it is killed without

    @property
    def process(self) -> int:
        """The pid of its process; an `AssertionError` in a state without one."""
        if self.pid is None:
            raise AssertionError(f"{self} has no process")
        return self.pid

    @property
    def went_elsewhere(self) -> bool:
        """Whether its last process has listened on another port instead of its own."""
        why = self.reason.missing if isinstance(self.reason, NotReady) else self.reason
        return self.misses > 0 and isinstance(why, ListensElsewhere)

    @property
    def needs_empty_port(self) -> bool:
        """Whether its next process is to find nobody at its port, as it may connect there to see whether that is free.

        So it is once the last one has gone to another port, and from then on if that has helped; and where this is the
        last start before it leaves its port, unless the last one has got that.
        """
        is_last = self.misses > 0 and self.misses == max(1, self.rotate_after - 1) and not self.had_port
        return self.looks_by_connecting or self.went_elsewhere or is_last

    @property
    def waits_to_be_called(self) -> bool:
        """Whether it has no process until somebody needs it, or until it is time."""
        return self.on_connect or self.is_scheduled

    @property
    def next_deadline(self) -> float | None:
        """When something is due: for this service, its clients, its hook, or the process beside, whichever is first."""
        beside = None if self.beside is None else self.beside.deadline
        hook = None if self.hook is None else self.hook.deadline
        idle = self.idle_at if self.state is State.RUNNING else None
        return min(
            (each for each in (self.deadline, self.clients_until, idle, beside, hook) if each is not None), default=None
        )

    @property
    def can_idle(self) -> bool:
        """Whether it may wait for a client without a process."""
        return self.on_connect or self.timeouts.idle > 0

    @property
    def is_watched(self) -> bool:
        """Whether anybody has to know when its clients leave."""
        return self.can_make_room or self.timeouts.idle > 0

    @property
    def is_silent(self) -> bool:
        """Whether nothing is on its port as yet, and no probe that asks there has seen why."""
        is_unexplained = not self.trouble or self.printed is not None
        return is_unexplained and self.port is not None and self.reached < Milestone.LISTENING

    @property
    def missing(self) -> Cause:
        """What keeps it from being ready, as far as that can be seen."""
        if self.trouble and self.printed is not None:
            return LastLine(self.trouble, self.printed)
        return NothingListens(self.port) if self.is_silent and self.port is not None else self.trouble

    @property
    def status(self) -> Status:
        """The state, folded to five."""
        return STATUS[self.state]


def is_due(svc: Service, now: float) -> bool:
    """Whether the deadline of the service itself has passed."""
    return svc.deadline is not None and now >= svc.deadline


def note_exit(svc: Service, exit: ev.MainExited | ev.Exited) -> Service:
    """`svc` with how its process ended."""
    code = exit.code if exit.signal is None else -exit.signal
    return replace(svc, exit_code=svc.exit_code if code is None else code, had_port=exit.had_port)


def end_of(exit: ev.MainExited | ev.Exited) -> Reason:
    """How a process ended."""
    return EndedWithCode(exit.code or 0) if exit.signal is None else EndedBySignal(exit.signal)


def check(before: Service, event: ev.Event, after: Service) -> None:
    """Fails if the table does not allow this change."""
    if after.state is not before.state and after.state not in TRANSITIONS[before.state]:
        raise AssertionError(f"{before.state} -> {after.state} by {event} is not in the table")
