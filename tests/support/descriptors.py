"""What another process has open, in words; Linux only.

The kernel's tables leave out sockets that are bound and do not listen, so each is fetched and asked itself, for which
one has to be root or the other's parent, pidfd_getfd(2).
"""

import contextlib
import ctypes
import os
import re
import socket
import struct
from collections import Counter
from pathlib import Path

LOG = re.compile(r"\.log(\.idx)?$")  # the daemon opens one when its service has printed something
_PIDFD_GETFD = 438  # on every architecture


def descriptors(pid: int) -> Counter[str]:
    """What the process has open, and how often; sockets say of what kind they are, and who is at the other end."""
    found: Counter[str] = Counter()
    process = os.pidfd_open(pid)
    try:
        for path in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                target = os.readlink(path)
                if target.startswith("socket:"):
                    target = _told(process, int(path.name))
                found[re.sub(r"\[\d+\]", "", target)] += 1
    finally:
        os.close(process)
    return found


def _told(process: int, number: int) -> str:
    copy = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, process, number, 0)
    if copy < 0:
        return "socket"
    with socket.socket(fileno=copy) as sock:
        words = [sock.family.name, sock.type.name]
        with contextlib.suppress(OSError):
            words += [str(sock.getsockname())]
        with contextlib.suppress(OSError):
            words += ["listens"] if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) else []
        with contextlib.suppress(OSError):
            words += [f"to {sock.getpeername()!r}"]
            if sock.family == socket.AF_UNIX:
                (pid,) = struct.unpack("i8x", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                words += [f"of pid {pid}"]
        return " ".join(words)
