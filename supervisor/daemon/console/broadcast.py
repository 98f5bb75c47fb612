"""Hands news to everybody who asked for a stream of them, and waits for none of them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from supervisor.annotations import Any, Protocol
from supervisor.core.naming import replica_name
from supervisor.daemon.console.foreground import Foreground
from supervisor.logs.line import rfc3339
from supervisor.process.output import Lines
from supervisor.process.output import Stream as Pipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.control.messages import News
    from supervisor.control.reply import Reply

LINES_AT_ONCE = 256  # of a service's output; more would make one line of the protocol too long for its reader


class Printer(Protocol):
    """Who prints."""

    @property
    def of(self) -> str:
        """The name of the service."""

    @property
    def replica(self) -> int | None:
        """Its number, where the service has several."""

    @property
    def label(self) -> str:
        """How it is called."""


class Stream:
    """One reader; what comes while it is behind is left out, and said once it has caught up."""

    def __init__(self, reply: "Reply", services: Collection[str]) -> None:
        self.services = frozenset(services)  # empty: all, and what is about none
        self._reply = reply
        self._left_out = 0

    def offer(self, message: "News", count: int = 1) -> None:
        """Sends one line, which tells of `count` things; or leaves it out."""
        if self._reply.is_behind:
            self._left_out += count
            self._reply.on_drained = self._catch_up
        else:
            self._reply.tell(message)

    def _catch_up(self) -> None:
        from supervisor.control.messages import News  # late, as all that answers requests

        self._reply.on_drained = None
        left_out, self._left_out = self._left_out, 0
        self._reply.tell(News(gap=left_out))


class Broadcast:
    """All readers of one kind of news."""

    def __init__(self) -> None:
        self._streams: dict[Stream, None] = {}

    def __bool__(self) -> bool:
        return bool(self._streams)

    def add(self, reply: "Reply", services: Collection[str]) -> None:
        """Somebody reads from now on, until the connection ends."""
        stream = Stream(reply, services)
        self._streams[stream] = None
        reply.on_close = lambda: self._streams.pop(stream, None)

    def tell(self, names: Collection[str], message: "Callable[[], Iterable[tuple[News, int]]]") -> None:
        """News about what has these names, or none; `message` makes the lines, each with how much it tells of."""
        streams = [each for each in self._streams if not each.services or not each.services.isdisjoint(names)]
        if streams:
            for line, count in message():
                for stream in streams:
                    stream.offer(line, count)


class Feed:
    """What the daemon tells as it happens: events, and what the services print."""

    def __init__(self, foreground: Foreground) -> None:
        self.events = Broadcast()
        self.logs = Broadcast()
        self._foreground = foreground
        self._followers: list[Callable[[Mapping[str, Any]], None]] = []

    def follow(self, follower: Callable[[Mapping[str, Any]], None]) -> None:
        """Tells this one of every event, too, from now on."""
        self._followers.append(follower)

    def event(self, event: Mapping[str, Any]) -> None:
        """Something was written to the journal."""
        if self.events:
            self.events.tell(_about(event), lambda: _as_news(event))
        for follower in self._followers:
            follower(event)

    def printed(self, who: Printer, pipe: Pipe, lines: Lines, now: float) -> None:
        """A service printed whole lines, or one of its replicas."""
        self._foreground.log(who.label, lines)
        if self.logs:
            self.logs.tell((who.of, who.label), lambda: _as_lines(who, pipe, bytes(lines), now))


def _as_news(event: Mapping[str, Any]) -> "list[tuple[News, int]]":
    from supervisor.control.json_form import read
    from supervisor.control.messages import Event, News

    return [(News(event=read(Event, event)), 1)]


def _about(event: Mapping[str, Any]) -> list[str]:
    """The names of the service that an event is about, and of its replica."""
    service, replica = event.get("service"), event.get("replica")
    names = [] if service is None else [str(service)]
    return names if replica is None else [*names, replica_name(str(service), replica)]


def _as_lines(who: Printer, pipe: Pipe, lines: bytes, now: float) -> "Iterator[tuple[News, int]]":
    from supervisor.control.messages import LogLine, News

    time, stream = rfc3339(now), str(pipe)
    messages = lines.removesuffix(b"\n").split(b"\n")
    for first in range(0, len(messages), LINES_AT_ONCE):
        part = messages[first : first + LINES_AT_ONCE]
        told = tuple(LogLine(time, who.of, stream, each.decode(errors="replace"), who.replica) for each in part)
        yield News(lines=told), len(told)
