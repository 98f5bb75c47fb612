"""What the terminal view says of a stack and its services.  Pure."""

from collections.abc import Sequence


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
    return f"Stop {', '.join(services)}? It is needed by {', '.join(others)}."


STOP_ALL = "Stop every service and end the instance?"
NOTHING_NEW = "services.yaml says nothing new"
NOTHING_CHANGED = "nothing had to be changed"
IS_UP = "the stack is up"
NO_START = "The journal has no start of this stack."
NOT_RUNNING = "It does not run."
NOTHING_WRONG = "Nothing has gone wrong in this run."


def started(pid: object) -> str:
    """The line between those of two processes in a log."""
    return f"--- started, pid {pid} ---"


def doing(what: str, services: Sequence[str]) -> str:
    """That something was begun."""
    return f"{what} {', '.join(services) or 'the stack'} …"


def no_page(service: str) -> str:
    """That there is nothing to open."""
    return f"{service} has no URL"


def no_history(port: int) -> str:
    """That nothing became of a port."""
    return f"Nothing happened to port {port} in this run."


def all_there(seconds: float) -> str:
    """How long the last start took."""
    return f"{seconds:.2f} s until all were there; * made it that long"


def not_up(service: str) -> str:
    """One that the last start did not bring up, as a row beside the bars."""
    return f"  {service[:18]:18} has not come up"


def replica(name: str, state: str, pid: int | None, restarts: int) -> str:
    """One of several processes of a service."""
    return f"  {name:<12}{state}" + ("" if pid is None else f", pid {pid}") + f", {restarts} restarts"


def process(pid: int, restarts: int, handoff: str | None) -> str:
    """The process of a service, and how it has its port."""
    return f"process       pid {pid}, {restarts} restarts, handoff: {handoff or 'none'}"
