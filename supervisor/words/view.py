"""What the terminal view says of a stack and its services, and before a stop the tools for agents too.  Pure."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from supervisor.errors import PortsupError
from supervisor.words.enumeration import counted, first_of


def head(stack: str, instance: int, fine: int, services: int) -> str:
    """The stack in one line."""
    return f"{stack}, instance {instance}: {fine} of {services} services are fine"


def ended(age: str, why: str) -> str:
    """That nobody tells of the stack any more, and since when."""
    return f"ended {age} ago: {why}; portsup saw this last"


def not_begun(why: str) -> str:
    """That nothing was seen of the stack yet."""
    return f"{why}: s starts it"


def is_needed(services: Sequence[str], others: Sequence[str]) -> str:
    """The question before a stop that others feel."""
    verb = "needs" if len(others) == 1 else "need"
    return f"Stop {first_of(services)}, although {first_of(others)} {verb} {'it' if len(services) == 1 else 'them'}?"


def stop_all(running: Sequence[str]) -> str:
    """The question before everything is stopped."""
    return f"Stop everything and end the instance? This stops {first_of(running) or 'no service: none runs'}."


def span(begin: str, name: str, end: str) -> tuple[str, str]:
    """What stands below the lanes: at their left, and at their right."""
    return f"{begin}  {name} (z: another span)", end


def just_became(service: str, state: str) -> str:
    """Why the key that starts or stops did neither."""
    return f"{service} has just become {state}; nothing was done: press it again if you still want it"


def just_came(service: str) -> str:
    """Why a key did nothing."""
    return f"{service} has just come under the cursor; nothing was done: press it again if you mean it"


def of_another(service: str) -> str:
    """Why a service is left alone."""
    return f"{service} is of another instance: open `portsup top` in its directory"


def was(word: str) -> str:
    """A state that nobody tells of any more."""
    return f"was {word}"


NOTHING_NEW = "services.yaml says nothing new"
NOTHING_CHANGED = "nothing had to be changed"
IS_UP = "the stack is up"
NO_START = "The journal has no start of this stack."
NOT_RUNNING = "It does not run."
NOTHING_WRONG = "Nothing has gone wrong in this run."
NO_FAILURE = "No failure in this run so far."
NO_ENVIRONMENT = "  none: it does not run"
SETTINGS = "settings (where each is written; nothing: a default)"
# What a key has begun.
DOING: Mapping[str, str] = MappingProxyType({
    "start": "starting", "stop": "stopping", "restart": "restarting", "roll": "restarting without a gap",
    "rotate": "rotating", "kill": "killing", "reload": "reloading", "down": "stopping",
})  # fmt: skip
GRAPH = "who needs whom"
STACK = "(the stack)"  # the lane of what is about no service
# From when on lanes begin, with the name of it.
SPANS: Mapping[str, float | None] = MappingProxyType({
    "since the last start": None, "the last 10 minutes": 600.0, "the last hour": 3600.0, "all that is known": -1.0,
})  # fmt: skip


def started(pid: object) -> str:
    """The line between those of two processes in a log."""
    return f"--- started, pid {pid} ---"


def left_out(count: int) -> str:
    """The line that stands in place of others."""
    return f"--- {counted(count, 'line is', 'lines are')} not shown ---"


LINES_GONE = "--- lines may be missing here: the log was rotated faster than it was read ---"
LINES_PASSED = "--- lines are not shown here: more is printed than can be read ---"
LINES_LEFT_OUT = "--- earlier lines may be missing: to read them took too long ---"


def too_slow() -> PortsupError:
    """That nothing of the logs could be read in the time there is for it."""
    return PortsupError("cannot read the logs", "it takes too long; trying again")


def failed(why: str) -> str:
    """That something could not be read or done, for a reason that nobody has foreseen."""
    return f"this did not work: {why}"


def doing(what: str, services: Sequence[str]) -> str:
    """That something was begun."""
    return f"{what} {', '.join(services) or 'the stack'} …"


def no_page(service: str) -> str:
    """That there is nothing to open."""
    return f"{service} has no URL"


def no_history(port: int) -> str:
    """That nothing became of a port."""
    return f"Nothing happened to port {port} in this run."


def all_there(seconds: float, missing: Sequence[str] = ()) -> str:
    """How long the last start took, and who is not there."""
    who = f"all but {first_of(missing, 3)} were" if missing else "all were"
    return f"{seconds:.2f} s until {who} there; * made it that long"


def not_up(service: str) -> str:
    """One that the last start did not bring up, as a row with the bars."""
    return f"{service} has not come up"


def replica(name: str, state: str, pid: int | None, restarts: int) -> str:
    """One of several processes of a service."""
    return f"  {name:<12}{state}" + ("" if pid is None else f", pid {pid}") + f", {counted(restarts, 'restart')}"


def process(pid: int, restarts: int, handoff: str | None) -> str:
    """The process of a service, and how it has its port."""
    return f"process       pid {pid}, {counted(restarts, 'restart')}, handoff: {handoff or 'none'}"


def by_name(url: str) -> str:
    """Where the proxy of names has a service."""
    return f"by name       {url}"


def next_run(when: str) -> str:
    """When a job with a schedule runs."""
    return f"runs next     {when}"


def because(why: str) -> str:
    """Why a service is as it is."""
    return f"because       {why}"


def difference(change: str, what: str, keys: Sequence[str] = ()) -> str:
    """One thing that a reload would do: `start`, `stop`, `restart` or `change` of a service, by which keys."""
    return f"{change} {what}" + (f": {', '.join(keys)}" if keys else "")


def of_stack(key: str) -> str:
    """A key of the stack that a reload would change."""
    return f"{key} of the stack"
