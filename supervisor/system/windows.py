"""Windows: psutil, job objects and named pipes.  It runs under wine in our tests; it was not run on Windows."""

# What is defined here takes the place of what is imported.
# mypy: disable-error-code="no-redef"

import errno
import getpass
import msvcrt
import os
import socket
import subprocess
from collections.abc import Collection
from pathlib import Path

import psutil

from supervisor.system.contract import Listener, Watch
from supervisor.system.no_handoff import *
from supervisor.system.portable import *
from supervisor.system.windows_control import ControlListener, control_address
from supervisor.system.windows_control import connect_control as connect_control
from supervisor.system.windows_processes import *
from supervisor.system.windows_sockets import sockets
from supervisor.system.windows_streams import answer_of as answer_of
from supervisor.system.windows_streams import open_signals as open_signals
from supervisor.system.windows_streams import open_writer as open_writer

COVERS: tuple[tuple[socket.AddressFamily, str], ...] = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))
SWAPS_UNDER_COVERS = False  # an exclusive wildcard socket keeps our own service socket out too
SOCKET_PATH_MAX = 32000  # bytes: the control socket is a named pipe, see `windows_control`
HAS_JOBS = True


def exclusive(sock: "socket.socket") -> None:
    """Make the coming bind of `sock` exclusive: without it any program can bind beside us with SO_REUSEADDR.

    Source: "Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE", Windows Sockets documentation.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)


def serve_alone(sock: "socket.socket") -> None:
    """Have the coming bind of `sock`, which will listen, pass connections that linger, and no listener: the same."""
    exclusive(sock)


def bind_past_lingering(cover: "socket.socket", place: tuple[str, int]) -> None:
    """Refused: connections that linger do not keep a port here, so it is somebody who does."""
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def listening(ports: Collection[int] | None, but: Collection[int] = ()) -> list[Listener]:
    """Who listens on these TCP ports of this machine; None: on any port.

    Inodes to leave out, `but`, there are none: no socket has one here.
    """
    return _sockets(ports, only_listening=True)


def has_many_sockets() -> bool:
    """No: the system does not tell how many there are."""
    return False


def sockets_on(ports: Collection[int]) -> list[Listener]:
    """Every TCP socket with one of these local ports, in any state."""
    return _sockets(ports)


def _sockets(ports: Collection[int] | None, *, only_listening: bool = False) -> list[Listener]:
    try:
        return sockets(ports, only_listening=only_listening)
    except OSError:
        return []


def listening_ports_of(pids: Collection[int]) -> set[int]:
    """The TCP ports that these processes listen on."""
    return {found.port for found in listening(None) if found.pid in pids}


def first_unprivileged_port() -> int:
    """Every port is open to every user here."""
    return 0


def open_watch() -> Watch | None:
    """None: what ReadDirectoryChangesW tells cannot be waited for beside sockets; the regular check does it here."""
    return None


def user_name(uid: int) -> str:
    """The name of the current user: numbers mean nothing here."""
    return getpass.getuser()


def current_user_id() -> int:
    """-1: files have access lists, not owners by number."""
    return -1


def listen_for_control(path: Path, backlog: int) -> ControlListener:
    """A named pipe that takes the part of a socket at `path`, for its user alone; raises OSError."""
    return ControlListener(control_address(os.fspath(path)))


def peer_of(connection: socket.socket) -> tuple[int, int]:
    """0 and ourselves: the access list of a pipe lets nobody else connect."""
    return 0, current_user_id()


def runtime_directory() -> str:
    r"""Where locks and records are: `%LOCALAPPDATA%\portsup\run`, closed to other users by its access list."""
    return os.path.join(_local_data(), "portsup", "run")


def usual_state_directory() -> str:
    r"""Where logs are: `%LOCALAPPDATA%\portsup\state`."""
    return os.path.join(_local_data(), "portsup", "state")


def _local_data() -> str:
    return os.environ.get("LOCALAPPDATA") or os.path.expanduser(r"~\AppData\Local")


def process_name(pid: int) -> str:
    """What people call the process, such as `python.exe`; empty if it is gone."""
    try:
        return str(psutil.Process(pid).name())
    except (psutil.Error, OSError):  # what wine has no answer to
        return ""


def try_lock(descriptor: int) -> bool:
    """Take the lock by LockFile, for which portalocker has several ways."""
    from portalocker import AlreadyLocked, LockException, LockFlags, portalocker  # late: `status` takes no lock

    try:
        portalocker.lock(descriptor, LockFlags.EXCLUSIVE | LockFlags.NON_BLOCKING)
    except AlreadyLocked:
        return False
    except LockException as error:
        causes = (error, *error.args, error.__cause__, error.__context__)
        refusals = [each for each in causes if isinstance(each, OSError)]
        if any(each.errno == 0 for each in refusals):  # the C runtime of wine says no and leaves errno as it was
            return False
        raise refusals[0] if refusals else OSError(errno.ENOLCK, str(error)) from error
    return True


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


def highest_limit(number: int) -> int:
    """-1: there are no such limits."""
    return -1


def room_for_words(stack: int) -> int:
    """So many that it does not matter: CreateProcessW sets no limit on an environment in Unicode."""
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
