"""Windows: psutil and msvcrt.  Read from documentation; not run in our tests."""

import getpass
import msvcrt
import os
import socket
import subprocess
import tempfile
from collections.abc import Collection

from supervisor.system.contract import Listener, Watch
from supervisor.system.no_handoff import (
    can_be_joined,
    connections_on,
    handoff_support,
    have_queue_moved,
    keeps_own,
    lead_anywhere,
    lead_to,
    moves_queues,
    open_departures,
    slip_beneath,
    waiting_in,
)
from supervisor.system.portable import (
    age_of,
    bound_only,
    children_of,
    descendants_of,
    environ_of,
    flocked_by_us,
    identity_of,
    is_alive,
    is_alone_within,
    is_between_images,
    is_ending,
    is_opaque,
    is_traced,
    listening_ports_of,
    mark_limit,
    mark_room,
    marks_of,
    memory_above,
    open_signals,
    owners_of,
    parent_of,
    pid_namespace,
    pids_with_environ,
    pids_with_marks,
    prepare_spawning,
    process_command,
    process_name,
    process_trouble,
    process_user,
    set_child_subreaper,
    set_parent_death_signal,
    sockets_of_machine,
    usage_of,
    would_see,
)

COVERS: tuple[tuple[socket.AddressFamily, str], ...] = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))
SWAPS_UNDER_COVERS = False  # an exclusive wildcard socket keeps our own service socket out too
SOCKET_PATH_MAX = 107  # bytes, as on Linux (afunix.h)


def exclusive(sock: "socket.socket") -> None:
    """Make the coming bind of `sock` exclusive: without it any program can bind beside us with SO_REUSEADDR.

    Source: "Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE", Windows Sockets documentation.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)


def listening(ports: Collection[int] | None) -> list[Listener]:
    """Who listens on these TCP ports of this machine; None: on any port."""
    return [found for found in _sockets(ports) if found.listening]


def sockets_on(ports: Collection[int]) -> list[Listener]:
    """Every TCP socket with one of these local ports, in any state."""
    return _sockets(ports)


def _sockets(ports: Collection[int] | None) -> list[Listener]:
    try:
        return [found for found in sockets_of_machine() if ports is None or found.port in ports]
    except OSError:
        return []


def first_unprivileged_port() -> int:
    """Every port is open to every user here."""
    return 0


def open_watch() -> Watch | None:
    """None: what ReadDirectoryChangesW tells can not be waited for beside sockets; the regular check does it here."""
    return None


def user_name(uid: int) -> str:
    """The name of the current user: numbers mean nothing here."""
    return getpass.getuser()


def current_user_id() -> int:
    """-1: files have access lists, not owners by number."""
    return -1


def temporary_directory() -> str:
    """Where every process of this user puts what need not survive a reboot: `%TEMP%`, closed to other users."""
    return tempfile.gettempdir()


def is_flocked(descriptor: int) -> bool:
    """Whether another open file holds the lock: portalocker's MsvcrtLocker locks the first 64 KiB."""
    size = 0x10000
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, size)
    except OSError:
        return True
    os.lseek(descriptor, 0, os.SEEK_SET)
    msvcrt.locking(descriptor, msvcrt.LK_UNLCK, size)
    return False


def hold_directory(path: str) -> int:
    """-1: directories can be neither opened nor locked here, and nothing cleans `%TEMP%` of open files."""
    if not os.path.isdir(path):
        raise NotADirectoryError(20, "Not a directory", path)
    return -1


def raise_descriptor_limit() -> int:
    """-1: there is no such limit on sockets and handles."""
    return -1


def descriptor_limit() -> int:
    """So many that it does not matter: there is no such limit on sockets and handles."""
    return 1 << 30


def reserved_ports() -> dict[int, str]:
    """Ports that Windows keeps for itself, mostly for Hyper-V; binding one gives error 10013."""
    command = ["netsh", "int", "ipv4", "show", "excludedportrange", "protocol=tcp"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=5, errors="replace").stdout
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found: dict[int, str] = {}
    for line in told.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0].isdigit() and words[1].isdigit():
            found |= dict.fromkeys(
                range(int(words[0]), int(words[1]) + 1), "an excluded port range of Windows (Hyper-V)"
            )
    return found


__all__ = [
    "COVERS",
    "SOCKET_PATH_MAX",
    "SWAPS_UNDER_COVERS",
    "age_of",
    "bound_only",
    "can_be_joined",
    "children_of",
    "connections_on",
    "current_user_id",
    "descendants_of",
    "descriptor_limit",
    "environ_of",
    "exclusive",
    "first_unprivileged_port",
    "flocked_by_us",
    "handoff_support",
    "have_queue_moved",
    "hold_directory",
    "identity_of",
    "is_alive",
    "is_alone_within",
    "is_between_images",
    "is_ending",
    "is_flocked",
    "is_opaque",
    "is_traced",
    "keeps_own",
    "lead_anywhere",
    "lead_to",
    "listening",
    "listening_ports_of",
    "mark_limit",
    "mark_room",
    "marks_of",
    "memory_above",
    "moves_queues",
    "open_departures",
    "open_signals",
    "open_watch",
    "owners_of",
    "parent_of",
    "pid_namespace",
    "pids_with_environ",
    "pids_with_marks",
    "prepare_spawning",
    "process_command",
    "process_name",
    "process_trouble",
    "process_user",
    "raise_descriptor_limit",
    "reserved_ports",
    "set_child_subreaper",
    "set_parent_death_signal",
    "slip_beneath",
    "sockets_on",
    "temporary_directory",
    "usage_of",
    "user_name",
    "waiting_in",
    "would_see",
]
