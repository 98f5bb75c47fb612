"""What may be asked of the daemon: one class a request, its fields the arguments.

The line about an argument in the docstring goes into the reference and the JSON Schema.  An argument without a default
has to be given.
"""

from collections.abc import Mapping
from enum import StrEnum

from supervisor.control.messages import Addresses, Environment, News, Pong, Usage
from supervisor.control.progress import Progress
from supervisor.control.status import StackStatus
from supervisor.control.updates import PortEvents, Update, Usages
from supervisor.dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class Kind(StrEnum):
    """How an answer comes."""

    LINE = "one line"
    SLOW = "one line, after a while"
    NEWS = "lines, until the connection ends"
    PROGRESS = "a stream"


@dataclass(frozen=True, slots=True)
class Request:
    """One thing asked of the daemon."""

    kind: "ClassVar[Kind]" = Kind.LINE
    answer: "ClassVar[type]" = Pong  # what its lines are

    @property
    def do(self) -> str:
        """Its name in the protocol."""
        return type(self).__name__.lower()


@dataclass(frozen=True, slots=True)
class Ping(Request):
    """Who answers."""


@dataclass(frozen=True, slots=True)
class Status(Request):
    """How the services are.

    services: a list of names, empty or missing for all
    """

    answer = StackStatus
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resources(Request):
    """What the processes of the services use.

    services: a list of names, empty or missing for all
    """

    kind = Kind.SLOW
    answer = Usage
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watch(Request):
    """The line of `status` at once, and again after every change."""

    kind = Kind.NEWS
    answer = StackStatus


@dataclass(frozen=True, slots=True)
class Events(Request):
    """An empty line at once, then each event that is about these services, or every one.

    services: a list of names, empty or missing for all
    """

    kind = Kind.NEWS
    answer = News
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Logs(Request):
    """An empty line at once, then what these services print, as they print it.

    services: a list of names, empty or missing for all
    """

    kind = Kind.NEWS
    answer = News
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscribe(Request):
    """Everything at once, and then each change; or what has changed since one that is named.

    run: of the last line that was read, to go on behind it
    after: its `seq`
    events: true: also each event
    usage: true: also what the services use, now and every 10 s
    """

    kind = Kind.NEWS
    answer = Update
    run: str = ""
    after: int = 0
    events: bool = False
    usage: bool = False


@dataclass(frozen=True, slots=True)
class Trend(Request):
    """What the services used in the last hour, as far as somebody watched by a `subscribe` with `usage`.

    services: a list of names, empty or missing for all
    """

    kind = Kind.SLOW
    answer = Usages
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History(Request):
    """What the journal still knows of a port: who took it, who left it and why, who else had it.

    port: its number
    """

    kind = Kind.SLOW
    answer = PortEvents
    port: int


@dataclass(frozen=True, slots=True)
class Endpoints(Request):
    """Where the services are."""

    answer = Addresses


@dataclass(frozen=True, slots=True)
class Env(Request):
    """The environment of a service.

    service: its name; null or missing for the variables with the addresses of the services
    """

    answer = Environment
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Down(Request):
    """Stops everything and ends the instance.

    timeout: seconds, instead of `stop_grace_period`
    """

    kind = Kind.PROGRESS
    answer = Progress
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Start(Request):
    """Starts services, and those that they need.

    services: a list of names, empty for all
    """

    kind = Kind.PROGRESS
    answer = Progress
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop(Request):
    """Stops services.

    services: a list of names, empty for all
    timeout: seconds, instead of `stop_grace_period`
    """

    kind = Kind.PROGRESS
    answer = Progress
    services: tuple[str, ...]
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Restart(Request):
    """Stops services and starts them again.

    services: a list of names, empty for all
    timeout: seconds, instead of `stop_grace_period`
    rolling: true: one after another, each without a gap
    """

    kind = Kind.PROGRESS
    answer = Progress
    services: tuple[str, ...]
    timeout: float | None = None
    rolling: bool = False


@dataclass(frozen=True, slots=True)
class Rotate(Request):
    """Moves a service to the next port of its pool.

    service: its name
    """

    kind = Kind.PROGRESS
    answer = Progress
    service: str


@dataclass(frozen=True, slots=True)
class Scale(Request):
    """Runs another number of replicas of services, until the next `reload`.

    replicas: by service, how many
    """

    kind = Kind.PROGRESS
    answer = Progress
    replicas: dict[str, int]


@dataclass(frozen=True, slots=True)
class Reload(Request):
    """Applies what has changed in services.yaml; the first line has `difference`.

    dry_run: true: changes nothing
    files: absolute paths to run with; empty or missing for those that it runs with
    """

    kind = Kind.PROGRESS
    answer = Progress
    dry_run: bool = False
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kill(Request):
    """Sends a signal to the main processes of services.

    services: a list of names, empty for all
    signal: its number
    """

    answer = Progress
    services: tuple[str, ...]
    signal: int = 9


REQUESTS: Mapping[str, type[Request]] = {
    cls.__name__.lower(): cls
    for cls in (
        Ping, Status, Resources, Watch, Events, Logs, Subscribe, Trend, History, Endpoints, Env, Down, Start, Stop,
        Restart, Rotate, Scale, Reload, Kill,
    )
}  # fmt: skip
STREAMS = frozenset(
    do for do, cls in REQUESTS.items() if cls.kind is Kind.NEWS
)  # their answers end with the connection
TASKS = frozenset(do for do, cls in REQUESTS.items() if cls.kind in (Kind.SLOW, Kind.PROGRESS))
