"""macOS: psutil, and lsof where psutil needs root.  Read from documentation; not run in our tests."""

import os
import shutil
import socket
import subprocess
from collections.abc import Collection

from supervisor.system.contract import Listener, Watch
from supervisor.system.no_handoff import *
from supervisor.system.no_jobs import *
from supervisor.system.portable import *
from supervisor.system.portable import sockets_of_machine
from supervisor.system.posix import *
from supervisor.system.posix_processes import *

# A specific address can be bound beside a wildcard (bind(2) on BSD, SO_REUSEADDR), so both are covered.
COVERS: tuple[tuple[socket.AddressFamily, str], ...] = (
    (socket.AF_INET, "0.0.0.0"),
    (socket.AF_INET, "127.0.0.1"),
    (socket.AF_INET6, "::"),
    (socket.AF_INET6, "::1"),
)
SWAPS_UNDER_COVERS = False
SOCKET_PATH_MAX = 103  # bytes: sun_path has 104 with the closing NUL (unix(4))


def listening(ports: Collection[int] | None) -> list[Listener]:
    """Who listens on these TCP ports of this machine; None: on any port.  Needs root or lsof for other users' ones."""
    return [found for found in _sockets(ports) if found.listening]


def sockets_on(ports: Collection[int]) -> list[Listener]:
    """Every TCP socket with one of these local ports, in any state, as far as the system tells."""
    return _sockets(ports)


def _sockets(ports: Collection[int] | None) -> list[Listener]:
    try:
        found = sockets_of_machine()
    except OSError:
        found = _by_lsof()
    return [listener for listener in found if ports is None or listener.port in ports]


def _by_lsof() -> list[Listener]:
    lsof = shutil.which("lsof") or "/usr/sbin/lsof"
    try:
        done = subprocess.run([lsof, "-nP", "-iTCP", "-sTCP:LISTEN", "-FpLtn"], capture_output=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return _parse_lsof(os.fsdecode(done.stdout))


def _parse_lsof(output: str) -> list[Listener]:
    """One field a line, its kind in the first letter (lsof(8), OUTPUT FOR OTHER PROGRAMS); `p` is whose the rest is."""
    found: list[Listener] = []
    pid, family = 0, socket.AF_INET
    for line in output.splitlines():
        match line[:1], line[1:]:
            case "p", value:
                pid = int(value)
            case "t", value:
                family = socket.AF_INET6 if value == "IPv6" else socket.AF_INET
            case "n", value:
                address, _, port = value.rpartition(":")
                if port.isdigit():
                    found.append(Listener(int(port), family, address.strip("[]"), pid=pid))
    return found


def first_unprivileged_port() -> int:
    """The lowest port that an ordinary user may bind; since macOS 10.14 only for specific addresses."""
    return 1024


def reserved_ports() -> dict[int, str]:
    """Ports that a part of the system uses, and which one; AirPlay can be switched off in its settings."""
    return dict.fromkeys((5000, 7000), "the AirPlay Receiver of macOS (since version 12)")


def open_watch() -> Watch | None:
    """None: kqueue needs an open descriptor for every file, so the regular check does it here."""
    return None

