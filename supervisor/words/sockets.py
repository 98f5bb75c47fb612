"""What becomes of the sockets of a service, in words."""

import errno
import os
from collections.abc import Iterable

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


def named_by(path: str) -> str:
    """How the process that stands for a service was found: by its pid file."""
    return f"named by `{path}`"


def listens_on(port: int) -> str:
    """The same: by its port."""
    return f"it listens on port {port}"
