"""The events that a service causes by what its processes do, say and bind."""

from supervisor.core.journal.event import WARNING, OfService, OfState


class ServiceSays(OfState):
    """the status that it sent: `says`, `pid`; at most five times a second"""

    event = "service says"
    pid: int | None
    says: str


class ServiceReloads(OfState):
    """it said that it reloads: `pid`"""

    event = "service reloads"
    pid: int | None


class ServiceReloaded(OfState):
    """it said that it is ready again: `pid`"""

    event = "service reloaded"
    pid: int | None


class StopsItself(OfState):
    """it said that it is stopping: `pid`"""

    event = "service stops itself"
    pid: int | None


class MainTold(OfService):
    """it has another main process: `pid`, and `why` if no `MAINPID=` named it"""

    event = "main process told"
    is_frequent = True
    pid: int
    why: str | None = None


class Abandoned(OfService):
    """portsup starts it although these processes survived SIGKILL: `pids`"""

    event = "processes abandoned"
    level = WARNING
    pids: list[int]


class MainRefused(OfService):
    """it named a process outside its tree: `pid`; once for each process of the service"""

    event = "main process refused"
    level = WARNING
    is_frequent = True
    pid: int


class NoticeRefused(OfService):
    """a process outside its tree sent a message in its name: `pid` (0 if another namespace hides it), `name`; once, too"""  # noqa: E501

    event = "notice refused"
    level = WARNING
    is_frequent = True
    pid: int
    name: str


class NoticeUnreadable(OfService):
    """it sent a message that portsup cannot read: `bytes`; once, too"""

    event = "notice unreadable"
    level = WARNING
    is_frequent = True
    bytes: int


class PortSkipped(OfService):
    """it got `port`, because the ports before it are taken: `skipped`, reasons by port in words, and `causes`, the same for programs"""  # noqa: E501

    event = "port skipped"
    level = WARNING
    port: int
    skipped: dict[int, str]
    causes: dict[int, dict[str, object]] | None = None


class OrphansReaped(OfService):
    """portsup ended processes that an earlier run had left on its ports: `pids`"""

    event = "orphans reaped"
    level = WARNING
    pids: list[int]


class SparesLeased(OfService):
    """portsup now holds ports of its pool that strangers had: `ports`"""

    event = "spare ports leased"
    is_frequent = True
    is_quiet = True
    ports: list[int]


class SparesNotLeased(OfService):
    """`why`"""

    event = "spare ports not leased"
    level = WARNING
    is_frequent = True
    why: str


class PortsNotLeased(OfService):
    """the stack is up, and the system refuses what it needs to have any of its ports (a full disk, no descriptor): `why`. The others go on, and portsup tries again every 10 s"""  # noqa: E501

    event = "ports not leased"
    level = WARNING
    is_frequent = True
    why: str


class WrongPort(OfService):
    """it listens on `elsewhere` (the first 20 ports, `count` of them in all) instead of `port`, which its `variable` tells it"""  # noqa: E501

    event = "wrong port"
    level = WARNING
    is_frequent = True
    port: int
    elsewhere: list[int]
    count: int
    variable: str


class PortMoved(OfService):
    """it bound `port`, and portsup moved it to its assigned port: `to` (`bind: move`)"""

    event = "port moved"
    is_frequent = True
    port: int
    to: int | None


class OtherPortBound(OfService):
    """it bound `port` in addition to its assigned port; of several at once `port` is the first, `others` are the next ones, up to 20 in all, of `count`"""  # noqa: E501

    event = "other port bound"
    is_frequent = True
    port: int
    others: list[int] | None = None
    count: int | None = None


class BindRefused(OfService):
    """portsup refused its bind of `port` (`bind: strict`)"""

    event = "bind refused"
    level = WARNING
    is_frequent = True
    port: int


class FilterRefused(OfService):
    """it installs a filter that notifies it of system calls, and the kernel refuses that below portsup's own (EBUSY): `why`, and a `hint`"""  # noqa: E501

    event = "seccomp listener refused"
    level = WARNING
    is_failure = True
    why: str
    hint: str


class BindNotSeen(OfService):
    """it binds in a process that portsup may not access, and so cannot get its port: `why`; set `handoff: off`. Once"""

    event = "bind not seen"
    level = WARNING
    is_frequent = True
    why: str


class QueueRelayed(OfService):
    """a process ended while clients waited at its socket, and portsup leads `count` of them to another one ([HANDOFF `swap`](../explanation/handoff.md#what-swap-does-for-clients-of-a-process-that-is-gone))"""  # noqa: E501

    event = "queue relayed"
    is_frequent = True
    count: int


class QueueDropped(OfService):
    """clients that waited were refused: `why`. Either the new socket of the next process cannot be replaced everywhere, or listens on another address; or they waited at the socket of a process that is gone, and portsup may not lead them to another one ([HANDOFF `swap`](../explanation/handoff.md#how-the-queue-moves))"""  # noqa: E501

    event = "queue dropped"
    level = WARNING
    why: str


class EventsLeftOut(OfService):
    """`of`, the event that came too often, and `count`, how many of them are missing since the last such line"""

    event = "events left out"
    level = WARNING
    of: str
    count: int
