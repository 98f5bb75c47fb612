"""The events of a service's life."""

from supervisor.core.journal.event import ERROR, WARNING, OfService, OfState


class OfPassing(OfState):
    """A state on the way to another one."""

    port: int | None
    pid: int | None
    why: str
    cause: dict[str, object] | None = None


class ServiceAcquiring(OfPassing):
    """it waits for a port: `why`"""

    event = "service acquiring"


class ServiceIdle(OfState):
    """portsup listens for its first client ([`start: on-connect`](services-yaml.md#start)): `port`; without one, it is a job that waits for its time"""  # noqa: E501

    event = "service idle"
    port: int | None


class ServiceCalled(OfState):
    """a client waits for it, and portsup starts it: `port`"""

    event = "service called"
    port: int | None


class ClientsRefused(OfService):
    """portsup refused the clients that waited for it, because it was not ready `within` its [`start_timeout`](services-yaml.md#start), in seconds"""  # noqa: E501

    event = "clients refused"
    level = WARNING
    is_failure = True
    within: float


class ClientsUnseen(OfService):
    """the system does not tell when its clients leave, `why`, so `idle_stop` does not stop it"""

    event = "clients unseen"
    level = WARNING
    why: str


class ServiceWaiting(OfPassing):
    """it has its ports and waits for its dependencies: `port`"""

    event = "service waiting"
    is_quiet = True


class RoomAwaited(OfState):
    """it would start, and the [`budget`](services-yaml.md#budget) has no room for it: `why`; again if that changes"""

    event = "service waits for room"
    why: str
    cause: dict[str, object] | None = None


class ServicePreparing(OfPassing):
    """its `pre_start` is about to run: `port`, `why`"""

    event = "service preparing"
    is_quiet = True


class ServiceCleaning(OfPassing):
    """its process is gone, and its `post_stop` is about to run: `port`, `why`"""

    event = "service cleaning"
    is_quiet = True


class HookRuns(OfService):
    """one of its [hooks](services-yaml.md#hooks): `hook`, `pid`"""

    event = "hook runs"
    hook: str
    pid: int


class HookDone(OfService):
    """it has exited with 0: `hook`, `took` in seconds"""

    event = "hook done"
    is_quiet = True
    hook: str
    took: float


class HookFailed(OfState):
    """a hook other than `pre_start` has failed or took too long, and the service goes on: `why`, which begins with its name"""  # noqa: E501

    event = "hook failed"
    level = WARNING
    is_failure = True
    why: str
    cause: dict[str, object] | None = None


class HookLeft(OfService):
    """it ended, and portsup kills the processes that it left: `hook`, `pids`"""

    event = "hook left processes behind"
    level = WARNING
    hook: str
    pids: list[int]


class StartFailed(OfState):
    """its `pre_start` has failed, and its `post_stop` is about to run: `why`"""

    event = "start failed"
    level = WARNING
    why: str
    cause: dict[str, object] | None = None


class ServiceStarting(OfPassing):
    """portsup is about to start its process: `port`, `why`"""

    event = "service starting"


class ServiceSpawned(OfState):
    """`port`, `pid`"""

    event = "service spawned"
    port: int | None
    pid: int | None


class ServiceListens(OfState):
    """`port`, `pid`"""

    event = "service listens"
    port: int | None
    pid: int | None


class NotReadyYet(OfState):
    """what the readiness probe saw, whenever that changes: `why`, `pid`; for a missing line or notification, after a second"""  # noqa: E501

    event = "service not ready yet"
    pid: int | None
    why: str
    cause: dict[str, object] | None = None


class ServiceReady(OfState):
    """`port`, `pid`, and `took`, the age of its process in seconds"""

    event = "service ready"
    port: int | None
    pid: int | None
    took: float | None = None


class ServiceHealthy(OfState):
    """its health check succeeded, for the first time or again: `pid`"""

    event = "service healthy"
    pid: int | None


class ServiceUnhealthy(OfState):
    """`why`, `pid`"""

    event = "service unhealthy"
    level = WARNING
    is_failure = True
    pid: int | None
    why: str
    cause: dict[str, object] | None = None


class ServiceTerminating(OfPassing):
    """portsup has asked it to stop: `why`, `pid`"""

    event = "service terminating"


class ServiceIsEnded(OfState):
    """the same, because of a problem with it or with its port: `why`, `pid`"""

    event = "service is ended"
    level = WARNING
    pid: int | None
    why: str
    cause: dict[str, object] | None = None


class GraceOver(OfState):
    """it was still there after its `grace` period, in seconds, and is killed: `pid`; `is_replaced` if that is the process which a rolling restart has replaced"""  # noqa: E501

    event = "grace period over"
    level = WARNING
    pid: int | None
    grace: float
    is_replaced: bool = False


class ServiceIsKilled(OfState):
    """portsup kills it without a grace period: `pid`"""

    event = "service is killed"
    level = WARNING
    pid: int | None


class ServiceKilling(OfPassing):
    """portsup kills its whole process tree: `why`, `pid`"""

    event = "service killing"


class LeftBehind(OfState):
    """its main process ended, `why`, and left others, which are killed: `pid`"""

    event = "processes left behind"
    level = WARNING
    is_failure = True
    pid: int | None
    why: str
    cause: dict[str, object] | None = None


class ServiceRestarts(OfState):
    """it ended by itself, and portsup restarts it: `why`, `exit_code` (negative: by that signal), `restarts` so far; `waits`, if there is a delay; `takes_over`, in a rolling restart the new process, which takes its place"""  # noqa: E501

    event = "service restarts"
    level = WARNING
    is_failure = True
    why: str
    cause: dict[str, object] | None = None
    exit_code: int | None
    restarts: int
    waits: bool = False
    takes_over: int | None = None


class ServiceBackoff(OfPassing):
    """it waits for its restart: `why`"""

    event = "service backoff"


class PortLeft(OfState):
    """it leaves `port` for the next one of its pool: `why`; `is_requested` if somebody asked for it"""

    event = "port left"
    level = WARNING
    is_failure = True
    port: int | None
    why: str
    cause: dict[str, object] | None = None
    is_requested: bool = False


class ServiceExited(OfState):
    """it ended, and portsup does not restart it: `exit_code`, `why`; `hint`, if that is not what anybody wants"""

    event = "service exited"
    exit_code: int | None
    why: str
    cause: dict[str, object] | None = None
    hint: str | None = None


class ServiceStopped(OfState):
    """nothing of it is left, as somebody wanted; `why`, if it had ended before that"""

    event = "service stopped"
    why: str | None = None
    cause: dict[str, object] | None = None


class ServiceFailed(OfState):
    """portsup does not restart it any more: `result`, `why`, `exit_code`, and `words`, the same as text, with what to do next"""  # noqa: E501

    event = "service failed"
    level = ERROR
    is_failure = True
    result: str
    why: str
    cause: dict[str, object] | None = None
    exit_code: int | None
    words: str
