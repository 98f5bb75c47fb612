"""The events of an instance as a whole."""

from supervisor.core.journal.event import ERROR, WARNING, Event


class InstanceStarts(Event):
    """`instance`, `directory`"""

    event = "instance starts"
    instance: int
    directory: str


class InstanceEnded(Event):
    """`instance`; the last one"""

    event = "instance ended"
    instance: int


class Reloaded(Event):
    """`added`, `removed`, `changed` (keys by service), `top`"""

    event = "reloaded"
    added: list[str]
    removed: list[str]
    changed: dict[str, list[str]]
    top: list[str]


class ReloadRefused(Event):
    """SIGHUP asked for it: `what`, `why`, `problems`"""

    event = "reload refused"
    level = WARNING
    what: str
    why: str
    problems: list[str]


class NamesServed(Event):
    """the services have their [names](services-yaml.md#names): `url`, what the names look like"""

    event = "names served"
    url: str


class NamesFailed(Event):
    """the services have no [names](services-yaml.md#names): `why`, and `hint`; portsup tries again, less and less often"""  # noqa: E501

    event = "names failed"
    level = WARNING
    why: str
    hint: str | None = None


class LookFailed(Event):
    """the system had no descriptor or memory left for the check of locks, spare ports and listeners every ten seconds: `why`. The next check may succeed"""  # noqa: E501

    event = "look failed"
    level = WARNING
    why: str


class LoopStalled(Event):
    """portsup did not answer for more than a second: `took` and `cpu`, in seconds, and `doing`, what took most of the time; `service`, if that was about one. If `cpu` is much less than `took`, the machine was too busy, or a disk too slow"""  # noqa: E501

    event = "loop stalled"
    level = WARNING
    is_frequent = True
    service: str | None = None
    doing: str
    took: float
    cpu: float


class NoHandoff(Event):
    """there is no [handoff](../explanation/handoff.md): `why`; once"""

    event = "no handoff"
    level = WARNING
    why: str


class GpuMemoryUnknown(Event):
    """the driver of NVIDIA does not say how much graphics memory there is for the [`budget`](services-yaml.md#budget), `why`, so portsup does not limit it; once for each reason"""  # noqa: E501

    event = "gpu memory unknown"
    level = WARNING
    why: str


class LockLost(Event):
    """`port`, `why`"""

    event = "lock lost"
    level = ERROR
    port: int
    why: str


class EndOfAll(Event):
    """everything stops because `service` has ended ([`on_end`](services-yaml.md#on_end), `up --abort-on-exit`): `why`, `exit_code` of `up`"""  # noqa: E501

    event = "end of all"
    service: str
    why: str
    cause: dict[str, object] | None = None
    exit_code: int


class Fatal(Event):
    """the reason why the instance ends: `what`, `why`, `exit_code`, `hint`; where no port of a pool can be used, also `service`, and `reasons`: who holds each port"""  # noqa: E501

    event = "fatal"
    level = ERROR
    what: str
    why: str
    exit_code: int
    hint: str = ""
    service: str | None = None
    reasons: dict[str, str] | None = None  # who has each port


class EndpointsNotWritten(Event):
    """the old file stays, and portsup tries again every 10 s: `path`, `why`, `hint`"""

    event = "endpoints file not written"
    level = WARNING
    path: str
    why: str
    hint: str


class LogNotWritten(Event):
    """the log of a service, or the journal, once for each reason: `path`, `why`, `hint`"""

    event = "log not written"
    level = WARNING
    path: str
    why: str
    hint: str


class WrittenAgain(Event):
    """portsup could write one of those again: `path`"""

    event = "file written again"
    path: str


class FileRendered(Event):
    """portsup wrote new content into a file of [`render`](services-yaml.md#render): `file`"""

    event = "file rendered"
    file: str


class FileNotRendered(Event):
    """the file stays unchanged: `file`, `why`; again if the reason changes"""

    event = "file not rendered"
    level = WARNING
    file: str
    why: str


class OnChangeFailed(Event):
    """the command of `on_change` failed: `program`, `why`"""

    event = "on_change failed"
    level = WARNING
    program: str
    why: str


class NoticeNotSent(Event):
    """a notice of [`notify`](services-yaml.md#notify) did not reach `to`: `why`; once for each reason, until it does"""

    event = "notice not sent"
    level = WARNING
    to: str
    why: str


class ControlRefuses(Event):
    """`why`"""

    event = "control socket refuses connections"
    level = WARNING
    why: str


class ControlMadeAgain(Event):
    """`path`"""

    event = "control socket is gone: made again"
    level = WARNING
    path: str


class Mistake(Event):
    """an internal error of portsup: `error`, and `where` it happened. The instance goes on if that only kept portsup from answering a client, or if it was about one `service`"""  # noqa: E501

    event = "mistake in portsup"
    level = ERROR
    error: str
    where: str = ""
    service: str | None = None


class Refused(Event):
    """the system refused something that portsup does for a `service`: `why`, and `where` that was; portsup tries again, or restarts the service by its policy"""  # noqa: E501

    event = "system refused"
    level = WARNING
    is_frequent = True
    why: str
    where: str = ""
    service: str | None = None


class DaemonHung(Event):
    """the guardian killed the daemon, which had hung for `silent_s` seconds: `pid`; only in the file, without `seq`"""

    event = "daemon hung"
    level = ERROR
    pid: int
    silent_s: float


class EventsLost(Event):
    """portsup could not write the journal for a while: `count`; only in the file"""

    event = "events lost"
    level = WARNING
    count: int


class Gap(Event):
    """the reader was too slow: `dropped` events are missing; only for that reader"""

    event = "gap"
    level = WARNING
    dropped: int
