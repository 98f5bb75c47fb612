"""The names under which services answer, all of them below `.localhost`.  Pure.

`localhost` and all below it lead to this machine, RFC 6761: browsers, curl and systemd-resolved ask nobody for them.
"""

import re

from supervisor.dataclass import dataclass

DOMAIN = "localhost"
_LAST_CALLERS = 0.1  # seconds in which the proxy has connected whomever it led to an address that is no more


@dataclass(frozen=True, slots=True)
class Names:
    """The proxy that answers for the names of a stack: its port, and whether it speaks HTTPS."""

    port: int = 1355
    https: bool = False


def label(name: str) -> str:
    """A name of a service or stack as one part of a host name, which has neither dots nor underscores."""
    return re.sub(r"[._]", "-", name).rstrip("-")


def domain_of(stack: str, instance: int) -> str:
    """What the names of all services of an instance end with; the first one has no number."""
    below = f"{label(stack)}.{DOMAIN}"
    return below if instance == 1 else f"{instance}.{below}"


def host_of(service: str, stack: str, instance: int) -> str:
    """The name of a service."""
    return f"{label(service)}.{domain_of(stack, instance)}"


def name_url(host: str, port: int, *, https: bool) -> str:
    """Where a browser finds what has that name."""
    return f"{'https' if https else 'http'}://{host}:{port}"


def pause_before_stop(deadline: float | None, now: float) -> float:
    """Seconds from the moment when a name leads to a process no longer until that is asked to end.

    Meanwhile it accepts those who were on their way: a connection that nobody has accepted breaks with its socket.
    0 where the grace period that ends at `deadline` is short.
    """
    return _LAST_CALLERS if deadline is not None and deadline - now > 10 * _LAST_CALLERS else 0.0
