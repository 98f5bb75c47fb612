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


class LookFailed(Event):
    """The system had no descriptor or memory left for the look that portsup takes every ten seconds at locks, spare ports and listeners: `why` says what was short. The next look may have more luck"""  # noqa: E501

    event = "look failed"
    level = WARNING
    why: str


class LoopStalled(Event):
    """portsup served nobody for more than a second: `took` and `cpu`, in seconds, and `doing`, what most of the time went into; `service`, if that was about one. Where `cpu` is much less than `took`, portsup did not get to work: the machine was too busy, or a disk too slow"""  # noqa: E501

    event = "loop stalled"
    level = WARNING
    is_frequent = True
    service: str | None = None
    doing: str
    took: float
    cpu: float


class NoHandoff(Event):
    """ports cannot be [handed over](../explanation/handoff.md): `why`; told once"""

    event = "no handoff"
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
    exit_code: int


class Fatal(Event):
    """what ends the instance: `what`, `why`, `exit_code`, `hint`; where a pool has no port left `service`, `reasons`"""

    event = "fatal"
    level = ERROR
    what: str
    why: str
    exit_code: int
    hint: str = ""
    service: str | None = None
    reasons: dict[str, str] | None = None  # who has each port


class EndpointsNotWritten(Event):
    """the old one stays whole, and it is tried again every 10 s: `path`, `why`, `hint`"""

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
    """one of those could be written again: `path`"""

    event = "file written again"
    path: str


class FileRendered(Event):
    """a file of [`render`](services-yaml.md#render) has another content: `file`"""

    event = "file rendered"
    file: str


class FileNotRendered(Event):
    """it stays as it is: `file`, `why`; told again when the reason changes"""

    event = "file not rendered"
    level = WARNING
    file: str
    why: str


class OnChangeFailed(Event):
    """the command that is run after that: `program`, `why`"""

    event = "on_change failed"
    level = WARNING
    program: str
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
    """`error`"""

    event = "mistake in portsup"
    level = ERROR
    error: str


class DaemonHung(Event):
    """the guardian killed the daemon, which had done nothing for `silent_s` seconds: `pid`; in the file only, and without `seq`"""  # noqa: E501

    event = "daemon hung"
    level = ERROR
    pid: int
    silent_s: float


class EventsLost(Event):
    """the journal could not be written for a while: `count`; in the file only"""

    event = "events lost"
    level = WARNING
    count: int


class Gap(Event):
    """who follows was too slow: `dropped` events; told to that reader only"""

    event = "gap"
    level = WARNING
    dropped: int
