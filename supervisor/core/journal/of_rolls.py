"""The events of a rolling restart."""

from supervisor.core.journal.event import WARNING, OfState


class RollBegins(OfState):
    """a [rolling restart](../how-to/restart-without-a-gap.md): `pid` is the new process, `beside` the one in charge"""

    event = "roll begins"
    pid: int | None
    beside: int | None


class RollHandsOn(OfState):
    """the new process is ready and has taken over: `port`, `pid`; `leaving` stops"""

    event = "roll hands on"
    port: int | None
    pid: int | None
    leaving: int | None


class RollFailed(OfState):
    """the new process failed, and `pid` goes on: `why`"""

    event = "roll failed"
    level = WARNING
    why: str
    cause: dict[str, object] | None = None
    pid: int | None


class LeftOver(OfState):
    """the old process is alive after SIGKILL: `pid`"""

    event = "process left over"
    level = WARNING
    pid: int | None
