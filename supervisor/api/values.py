"""What a running stack tells, as frozen values.  Keys that a newer portsup adds are left alone."""

from supervisor.control.json_form import as_json, line_of
from supervisor.control.messages import Address, Environment, Event, LogLine, Resources, Socket
from supervisor.control.progress import Changes, Outcome, Progress
from supervisor.control.status import PortStatus, SecondProcess, ServiceStatus, StackStatus
from supervisor.control.updates import Load, Update, Usages
from supervisor.dataclass import dataclass

__all__ = [
    "Address",
    "Came",
    "Changes",
    "Environment",
    "Event",
    "EventPage",
    "FoundLine",
    "Gap",
    "Load",
    "LogLine",
    "LogPage",
    "LogQuery",
    "Outcome",
    "PortStatus",
    "Progress",
    "Resources",
    "SecondProcess",
    "ServiceStatus",
    "Socket",
    "StackStatus",
    "Update",
    "Usages",
    "Why",
    "as_json",
    "line_of",
]


@dataclass(frozen=True, slots=True)
class Gap:
    """So many events or log lines were left out, because whoever reads them was too slow."""

    missed: int


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What is looked for in logs; all of it must be true of a line.

    grep: a regular expression of Python; control codes do not count
    ignore_case: do not tell a from A in it
    level: as bad as this, or worse: trace, debug, info, warning, error or critical
    fields: of lines of JSON, each as `a.b` or `a.b=value`
    since: seconds since 1970
    until: seconds since 1970
    since_restart: only what the last process of each service wrote
    context: lines around each match
    count: how many matches of each service, the last ones; None for all
    cursor: of an earlier search, to go on behind it
    """

    grep: str | None = None
    ignore_case: bool = False
    level: str | None = None
    fields: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    since_restart: bool = False
    context: int = 0
    count: int | None = 100
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line that was looked for, or stands beside one that was.

    time: RFC 3339, UTC
    service: its name
    stream: `stdout`, `stderr`, or `portsup` for a remark of ours
    message: the line, without its newline
    is_match: whether it was looked for
    goes_on: whether it stands right behind the line of its service that came before it
    """

    time: str
    service: str
    stream: str
    message: str
    is_match: bool = True
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class LogPage:
    """What a search has found.

    lines: in the order of time
    cursor: for a search that goes on behind the last line that was looked at
    is_cut: whether the time was over before everything had been looked at
    has_gap: whether rotation has taken lines away since the cursor
    """

    lines: tuple[FoundLine, ...]
    cursor: str
    is_cut: bool = False
    has_gap: bool = False


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events of the journal, oldest first; `cursor` is for those that come after them."""

    events: tuple[Event, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Why:
    """What went wrong with a service in the last run.

    service: its name
    state: what it is now; None where nothing runs
    failures: how often it went wrong
    chapters: the events of the last of these failures, oldest first
    since: the events after the last
    output: its last output before its next process
    advice: what to do next
    """

    service: str
    state: str | None
    failures: int
    chapters: tuple[tuple[Event, ...], ...]
    since: tuple[Event, ...]
    output: tuple[str, ...]
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Came:
    """How bringing up a stack went.

    ok: whether it is up
    words: what portsup said
    exit_code: of `portsup up -d`; None while it is still coming up
    """

    ok: bool
    words: str
    exit_code: int | None
