"""macOS: what `plain_posix` has, and what this system tells beyond that.  Read from documentation; nobody has run it.

Who listens psutil finds out by libproc (proc_pidinfo with PROC_PIDLISTFDS, proc_pidfdinfo with PROC_PIDFDSOCKETINFO):
of the processes that we may look into, which are those of our user, or all for root.
"""

# What is defined here takes the place of what is imported.
# mypy: disable-error-code="no-redef"

import contextlib
import errno
import os
import select
import socket
import struct
import sys
from collections.abc import Collection

import psutil

from supervisor.system.contract import Listener
from supervisor.system.plain_posix import *
from supervisor.system.portable import sockets_of

# A specific address can be bound beside a wildcard (bind(2) on BSD, SO_REUSEADDR), so both are covered.
COVERS: tuple[tuple[socket.AddressFamily, str], ...] = (
    (socket.AF_INET, "0.0.0.0"),
    (socket.AF_INET, "127.0.0.1"),
    (socket.AF_INET6, "::"),
    (socket.AF_INET6, "::1"),
)

# sys/un.h of XNU: options of unix sockets, and struct xucred: version, user, number of groups, groups.
_SOL_LOCAL, _LOCAL_PEERCRED, _LOCAL_PEERPID = 0, 0x001, 0x002
_XUCRED = struct.Struct("@IIh16I")


def listening(ports: Collection[int] | None, but: Collection[int] = ()) -> list[Listener]:
    """Who listens on these TCP ports of this machine, None: on any port; of processes that we may look into.

    Inodes to leave out, `but`, there are none: no socket has one here.
    """
    return [found for found in _sockets(ports) if found.listening]


def has_many_sockets() -> bool:
    """No: the system does not tell how many there are."""
    return False


def sockets_on(ports: Collection[int]) -> list[Listener]:
    """Every TCP socket with one of these local ports, in any state, of processes that we may look into."""
    return _sockets(ports)


def _sockets(ports: Collection[int] | None) -> list[Listener]:
    if ports is not None and not ports:
        return []
    return [found for found in sockets_of(psutil.pids()) if ports is None or found.port in ports]


def bind_past_lingering(cover: socket.socket, place: tuple[str, int]) -> None:
    """Bind a cover where connections of an earlier server linger in TIME_WAIT; raises OSError if that is not all.

    With SO_REUSEADDR only sockets without a peer at the very address are in the way (in_pcbbind of XNU), so whoever
    listens at another address of the port has to be looked for.
    """
    cover.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    cover.bind(place)
    cover.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    if listening((place[1],)):
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def peer_of(connection: socket.socket) -> tuple[int, int]:
    """The pid and the user at the other end of a unix socket, unix(4)."""
    (pid,) = struct.unpack("@i", connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID, 4))
    _, user, *_ = _XUCRED.unpack(connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED.size))
    return pid, user


if sys.platform == "darwin":

    def open_end_of(pid: int) -> int | None:
        """A descriptor that becomes readable when this process ends, kqueue(2) with NOTE_EXIT; None if it is gone."""
        queue = select.kqueue()
        with contextlib.closing(queue), contextlib.suppress(OSError):
            exit_of = select.kevent(
                pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD | select.KQ_EV_ONESHOT, select.KQ_NOTE_EXIT
            )
            queue.control([exit_of], 0)
            return os.dup(queue.fileno())
        return None


def first_unprivileged_port() -> int:
    """The lowest port that an ordinary user may bind; since macOS 10.14 only for specific addresses."""
    return 1024


def reserved_ports() -> dict[int, str]:
    """Ports that a part of the system uses, and which one; AirPlay can be switched off in its settings."""
    return dict.fromkeys((5000, 7000), "the AirPlay Receiver of macOS (since version 12)")
