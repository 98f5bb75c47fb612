"""The states of a service, which of them may follow which, and how they fold to what most readers want to know.

All transitions live in TRANSITIONS; the diagram in the documentation is drawn from it.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType

from supervisor.core.reasons import Cause
from supervisor.dataclass import dataclass


class State(StrEnum):
    """Where a service is in its life."""

    STOPPED = "stopped"  # no process, and none wanted
    ACQUIRING = "acquiring"  # waiting for a port of its pool
    IDLE = "idle"  # without a process: its first client starts it, or the clock
    WAITING = "waiting"  # has its ports, waits for the services it depends on
    PREPARING = "preparing"  # has its ports, and its pre_start hook runs
    STARTING = "starting"  # spawned, not ready yet
    RUNNING = "running"  # ready
    TERMINATING = "terminating"  # asked to stop, within its grace period
    KILLING = "killing"  # its whole process tree is being killed
    CLEANING = "cleaning"  # its process tree is gone, and its post_stop hook runs
    BACKOFF = "backoff"  # waiting to be started again
    EXITED = "exited"  # ended by itself, and its policy leaves it so
    FAILED = "failed"  # given up; needs a person


class Status(StrEnum):
    """A State, folded to what most readers want to know."""

    INACTIVE = "inactive"
    ACTIVATING = "activating"
    ACTIVE = "active"
    DEACTIVATING = "deactivating"
    FAILED = "failed"


class Result(StrEnum):
    """Why a service is not running, or did not go on running."""

    NONE = ""
    SUCCESS = "success"
    EXIT_CODE = "exit-code"
    SIGNAL = "signal"
    TIMEOUT = "timeout"  # not ready in time, or alive after SIGKILL
    NO_PORT = "no-port"
    START_LIMIT = "start-limit"
    SPAWN_FAILED = "spawn-failed"
    HOOK_FAILED = "hook-failed"  # its pre_start
    UNHEALTHY = "unhealthy"
    WATCHDOG = "watchdog"  # it was silent for too long
    MEMORY_LIMIT = "memory-limit"  # it had more than it may have
    DEPENDENCY = "dependency"
    LOCK_LOST = "lock-lost"
    INTERNAL_ERROR = "internal-error"  # of portsup


class Health(StrEnum):
    """What the health check of a running service last said."""

    NONE = "none"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Milestone(IntEnum):
    """How far the present process has come."""

    NONE = 0
    STARTED = 1
    LISTENING = 2
    READY = 3


class Then(StrEnum):
    """What follows once the process that is being ended is gone."""

    STOP = "stop"
    RESTART = "restart"  # asked for: at once, and not counted
    RETRY = "retry"  # it went wrong: by the restart policy
    ROTATE = "rotate"  # the port is at fault: on the next one
    MOVE = "move"  # asked for: on the next port
    EXIT = "exit"  # its main process ended already; only what it left behind is being killed
    LEAVE = "leave"  # it said that it is stopping by itself
    IDLE = "idle"  # nobody uses it: it waits for its next client
    ABANDON = "abandon"  # it has survived SIGKILL once, and somebody wants the service to start all the same
    FAIL = "fail"


class Role(StrEnum):
    """What the second process of a service is there for, during a rolling restart."""

    SUCCESSOR = "starting"  # it takes over once it is ready
    LEAVING = "terminating"  # asked to stop, within its grace period
    DOOMED = "killing"  # its whole process tree is being killed


@dataclass(frozen=True, slots=True)
class Beside:
    """The second process of a service, beside the one in charge."""

    role: Role
    pid: int | None = None
    deadline: float | None = None  # None also for a process that survived SIGKILL
    grace: float = 0.0  # seconds that whoever has to go gets
    reached: Milestone = Milestone.NONE
    trouble: Cause = ""  # what its last readiness probe saw instead
    told: str = ""  # what it says it does
    watchdog: float = 0.0  # the longest silence that it may have once it is in charge


class Hook(StrEnum):
    """A command that is run at one point of a service's life."""

    PRE_START = "pre_start"  # before each start, with the port
    POST_START = "post_start"  # when it is ready; nobody waits for it
    PRE_STOP = "pre_stop"  # before a service that was ready is asked to stop
    STOP_COMMAND = "stop_command"  # asks it to stop, in the place of the signal
    POST_STOP = "post_stop"  # when its process tree is gone, however that came


@dataclass(frozen=True, slots=True)
class HookRun:
    """One run of a hook."""

    hook: Hook
    number: int  # of the runs of this service, counted from 1
    began: float
    deadline: float
    pid: int | None = None  # the process that it is about
    is_alone: bool = False  # what it is about has ended meanwhile
    intruder: Cause = ""  # who has the port since then, if not we


S = State
# What is asked of states in more than one place.
ENDED = frozenset({S.EXITED, S.FAILED})  # by itself
AT_REST = frozenset({S.STOPPED, S.EXITED, S.FAILED})  # no process, nor one on its way, but for one SIGKILL cannot end
IS_LIVE = frozenset({S.STARTING, S.RUNNING})  # its process is there, and nobody has asked it to end
IS_ENDING = frozenset({S.TERMINATING, S.KILLING, S.CLEANING})  # what follows is decided already, `Then`
IS_AT_WORK = IS_LIVE | {S.PREPARING, S.BACKOFF}  # it runs, or will without anybody else
IS_PASSING = IS_ENDING | {S.PREPARING, S.STARTING}  # on its way to a state in which it can stay
SERVES = frozenset({S.IDLE, S.RUNNING})  # a client is answered, if need be after a start
IS_ASLEEP = AT_REST | {S.IDLE}  # nothing of it runs until a client, an order or the clock wants it
CAN_STAY = AT_REST | SERVES  # until something happens
IS_IN_TROUBLE = frozenset({S.BACKOFF, S.FAILED})
STATUS: Mapping[State, Status] = MappingProxyType({
    S.STOPPED: Status.INACTIVE,
    S.EXITED: Status.INACTIVE,
    S.ACQUIRING: Status.ACTIVATING,
    S.IDLE: Status.INACTIVE,
    S.WAITING: Status.ACTIVATING,
    S.PREPARING: Status.ACTIVATING,
    S.STARTING: Status.ACTIVATING,
    S.BACKOFF: Status.ACTIVATING,
    S.RUNNING: Status.ACTIVE,
    S.TERMINATING: Status.DEACTIVATING,
    S.KILLING: Status.DEACTIVATING,
    S.CLEANING: Status.DEACTIVATING,
    S.FAILED: Status.FAILED,
})  # fmt: skip

_AFTER_A_PROCESS = frozenset({S.STOPPED, S.ACQUIRING, S.IDLE, S.PREPARING, S.STARTING, S.BACKOFF, S.EXITED, S.FAILED})
_ENDS = frozenset({
    S.ACQUIRING, S.IDLE, S.PREPARING, S.TERMINATING, S.KILLING, S.CLEANING, S.BACKOFF, S.EXITED, S.FAILED
})  # fmt: skip
TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType({
    S.STOPPED: frozenset({S.ACQUIRING, S.FAILED}),
    S.ACQUIRING: frozenset({S.IDLE, S.WAITING, S.FAILED}),
    S.IDLE: frozenset({S.WAITING, S.STOPPED, S.FAILED}),
    S.WAITING: frozenset({S.IDLE, S.PREPARING, S.STARTING, S.STOPPED, S.FAILED}),
    S.PREPARING: frozenset({S.STARTING, S.CLEANING, S.STOPPED, S.BACKOFF, S.FAILED}),
    S.STARTING: _ENDS | {S.RUNNING},
    S.RUNNING: _ENDS | {S.STARTING},
    S.TERMINATING: _AFTER_A_PROCESS | {S.KILLING, S.CLEANING},
    S.KILLING: _AFTER_A_PROCESS | {S.TERMINATING, S.CLEANING},
    S.CLEANING: _AFTER_A_PROCESS,
    S.BACKOFF: frozenset({S.PREPARING, S.STARTING, S.STOPPED, S.FAILED}),
    S.EXITED: frozenset({S.ACQUIRING, S.STOPPED, S.FAILED}),
    S.FAILED: frozenset({S.ACQUIRING, S.IDLE, S.KILLING, S.PREPARING, S.STARTING, S.CLEANING, S.STOPPED}),
})  # fmt: skip
