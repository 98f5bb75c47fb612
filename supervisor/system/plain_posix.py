"""A POSIX system of which nothing more is known: psutil, sessions and signals.

macOS is this and what `darwin` adds.  On Linux PORTSUP_SYSTEM=posix asks for it: so the tests run what they share.
"""

# What is defined here takes the place of what is imported.
# mypy: disable-error-code="no-redef"

import os
import socket
import sys
from collections.abc import Collection

from supervisor.system.contract import Listener, Watch
from supervisor.system.no_handoff import *
from supervisor.system.no_jobs import *
from supervisor.system.portable import *
from supervisor.system.portable import sockets_of_machine
from supervisor.system.portable_signals import open_signals as open_signals
from supervisor.system.posix import *
from supervisor.system.posix_processes import *
from supervisor.system.posix_processes import SIGKILL

COVERS: tuple[tuple[socket.AddressFamily, str], ...] = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))
SWAPS_UNDER_COVERS = False
SOCKET_PATH_MAX = 103  # bytes: the least of the systems with unix sockets, sun_path of 104 with the closing NUL


def listening(ports: Collection[int] | None, but: Collection[int] = ()) -> list[Listener]:
    """Who listens on these TCP ports of this machine; None: on any port.

    Inodes to leave out, `but`, there are none: no socket has one here.
    """
    return [found for found in sockets_on_any(ports) if found.listening]


def has_many_sockets() -> bool:
    """No: the system does not tell how many there are."""
    return False


def sockets_on(ports: Collection[int]) -> list[Listener]:
    """Every TCP socket with one of these local ports, in any state, as far as the system tells."""
    return sockets_on_any(ports)


def sockets_on_any(ports: Collection[int] | None) -> list[Listener]:
    """Every TCP socket with one of these local ports, None: with any."""
    if ports is not None and not ports:
        return []
    return [found for found in sockets_of_machine() if ports is None or found.port in ports]


def kill_exactly(pid: int, end: int | None) -> None:
    """SIGKILL to the process of `open_end_of`; raises ProcessLookupError and PermissionError."""
    os.kill(pid, SIGKILL)


def peer_of(connection: socket.socket) -> tuple[int, int]:
    """0 and ourselves: nobody tells who is at the other end, and the mode of the socket lets nobody else connect."""
    return 0, os.geteuid()


def first_unprivileged_port() -> int:
    """The lowest port that an ordinary user may bind."""
    return 1024


def highest_limit(number: int) -> int:
    """The highest limit of this resource that a child may get: our own hard limit, any for root but of open files."""
    import resource

    if os.geteuid() == 0 and number != resource.RLIMIT_NOFILE:
        return resource.RLIM_INFINITY
    return resource.getrlimit(number)[1]


def room_for_words(stack: int) -> int:
    """How many bytes the arguments and the environment of a program may take together, whatever its stack: ARG_MAX."""
    return os.sysconf("SC_ARG_MAX")


def reserved_ports() -> dict[int, str]:
    """Ports that a part of the system uses, and which one: nobody tells."""
    return {}


def open_watch() -> Watch | None:
    """None: the regular check does it here."""
    return None


def handoff_support() -> str:
    """Why ports cannot be handed over to programs here."""
    return "PORTSUP_SYSTEM is set to posix" if sys.platform == "linux" else "it needs Linux"
