"""What becomes of the sockets of a service, in words."""

import errno
import os
from collections.abc import Iterable, Sequence

from supervisor.errors import PoolExhausted, PortsupError
from supervisor.words.enumeration import counted

HANDOFF_IS_OFF = "the handoff is off"
_NO_FILTER = {
    errno.EBUSY: "a program above portsup answers its system calls already",
    errno.EACCES: "the system does not let us have a filter",
    errno.EPERM: "this container does not allow seccomp",
}


def no_filter(number: int) -> str:
    """Why no program can be started under the filter of the handoff, by the errno of seccomp(2)."""
    return _NO_FILTER.get(number, os.strerror(number).lower())


def shared_with(name: str | None, pid: int) -> str:
    """That another process keeps a socket from being exchanged."""
    return f"`{name}` (pid {pid}) has its socket, too"


def listens_at_another(waiting: Iterable[str], address: str) -> str:
    """Why clients that wait at some addresses cannot be served."""
    return f"they wait at {', '.join(waiting)}, and it listens at {address}"


def cut_off(far: int, anothers: int, left: int) -> str:
    """Why clients that waited at the socket of a process that is gone were cut off, and how many; "" if none was."""
    every = ((far, "from a network"), (anothers, "of another user"), (left, "for whom there was no room"))
    return ", ".join(f"{counted(count, 'client')} {why}" for count, why in every if count)


def named_by(path: str) -> str:
    """How the process that stands for a service was found: by its pid file."""
    return f"named by `{path}`"


def listens_on(port: int) -> str:
    """The same: by its port."""
    return f"it listens on port {port}"


SLIPPED = "another program bound it in the same instant"


def no_port(name: str, reasons: Sequence[tuple[int, str]]) -> PoolExhausted:
    """No port of the pool of a program can be had; why, port by port."""
    why = "; ".join(f"{port}: {reason}" for port, reason in reasons)
    return PoolExhausted(f"cannot get a port for `{name}`", reasons, why, "end one of those, or add ports")


def cannot_listen(host: str, why: str | None) -> PortsupError:
    """A program cannot listen at an address; `why` may be missing for a name that nobody knows."""
    return PortsupError(f"cannot listen on `{host}`", why or "no such host")


def no_page(host: str) -> str:
    """What could not be done."""
    return f"cannot serve the page on `{host}`"


BEYOND = "say so with --beyond-loopback, or forward a port: `ssh -L 7080:127.0.0.1:7080 …`"
