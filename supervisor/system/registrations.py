"""Put another open file in the place of a program's socket, wherever its process names it.  Linux.

A descriptor is replaced through the notification of a call (`notifications`).  What epoll(7) knows of the old file goes
with that, so it is told again of the new one: entries are read from /proc/PID/fdinfo, and made through a copy of the
epoll descriptor, by a thread with a descriptor table of its own, because an entry is known by file *and* number, and
the program will name its own number in EPOLL_CTL_MOD.
"""

import contextlib
import ctypes
import errno
import os
import re
import socket
import struct
import sys
from functools import partial

from supervisor.dataclass import dataclass
from supervisor.system import libc
from supervisor.system.held_calls import Asked, HeldCalls, descriptor_of
from supervisor.system.threads import done_in_thread

if sys.platform != "win32":  # it is imported everywhere, and used on Linux
    import fcntl

_ENTRY = re.compile(rb"tfd:\s*(\d+) events:\s*([0-9a-f]+) data:\s*([0-9a-f]+)(?:.*? ino:([0-9a-f]+))?")
# struct epoll_event is packed on x86-64 alone, linux/eventpoll.h.
_EVENT = struct.Struct("=IQ" if hasattr(os, "uname") and os.uname().machine == "x86_64" else "=IxxxxQ")
_EPOLL_CTL = {"x86_64": 233, "aarch64": 21}  # asm/unistd.h
_EPOLL_ADD, _EPOLL_DEL = 1, 2
_UNSHARE = {"x86_64": 272, "aarch64": 97}
_CLONE_FILES = 0x400  # unshare(2)
_HIGH = 4096  # the lowest number for our own descriptors in that thread: those below are the program's to name


@dataclass(frozen=True, slots=True)
class Entry:
    """What one epoll descriptor of the process knows of descriptor `number`."""

    epoll: int  # its number in the process
    number: int
    events: int
    data: int


@dataclass(frozen=True, slots=True)
class Uses:
    """Where a process names a socket: its descriptors, with whether each is close-on-exec, and what epoll knows."""

    descriptors: dict[int, bool]
    entries: tuple[Entry, ...]
    obstacle: str = ""  # why it cannot be replaced everywhere


def uses_of(thread: int, sock: socket.socket) -> Uses:
    """Where the process of a thread names the open file `sock`; raises OSError where nobody may look."""
    inode = os.fstat(sock.fileno()).st_ino
    name = f"socket:[{inode}]"
    descriptors: dict[int, bool] = {}
    entries: list[Entry] = []
    obstacle = "it asked for signals from its socket (O_ASYNC)" if _wants_signals(sock) else ""
    for entry in os.listdir(f"/proc/{thread}/fd"):
        number = int(entry)
        with contextlib.suppress(FileNotFoundError):
            target = os.readlink(f"/proc/{thread}/fd/{entry}")
            if target == name:
                descriptors[number] = is_close_on_exec(thread, number)
            elif target == "anon_inode:[eventpoll]":
                entries += _entries(thread, number, inode)
            elif target == "anon_inode:[io_uring]" and _may_know(thread, number, name):
                obstacle = obstacle or "it uses io_uring"
    return Uses(descriptors, tuple(entries), obstacle)


def is_close_on_exec(thread: int, fd: int) -> bool:
    """Whether descriptor `fd` of a thread is closed when it executes; proc_pid_fdinfo(5)."""
    with open(f"/proc/{thread}/fdinfo/{fd}") as info:
        flags = next(line for line in info if line.startswith("flags:"))
    return bool(int(flags.split()[1], 8) & os.O_CLOEXEC)


def _wants_signals(sock: socket.socket) -> bool:
    return bool(fcntl.fcntl(sock.fileno(), fcntl.F_GETFL) & os.O_ASYNC)


def _may_know(thread: int, ring: int, name: str) -> bool:
    """Whether an io_uring(7) may name the socket: it is registered there, or something is waited for, of which all that
    is told is its kind.

    libuv (Node.js, uvloop) has a ring that never waits for anything: it fills its epoll descriptor through that.
    """
    with open(f"/proc/{thread}/fdinfo/{ring}") as info:
        lines = [line.strip() for line in info]
    if not any(line.startswith("PollList:") for line in lines):  # an old kernel tells less
        return True
    return any(line.endswith(name) or line.startswith("op=") for line in lines)


def _entries(thread: int, epoll: int, inode: int) -> list[Entry]:
    with open(f"/proc/{thread}/fdinfo/{epoll}", "rb") as info:
        found = [_ENTRY.match(line) for line in info]
    return [
        Entry(epoll, int(each[1]), int(each[2], 16), int(each[3], 16))
        for each in found
        if each is not None and (each[4] is None or int(each[4], 16) == inode)
    ]


def put_in_place(calls: HeldCalls, asked: Asked, uses: Uses, before: socket.socket, after: socket.socket) -> None:
    """Put `after` wherever the process of a call that waits names `before`; raises OSError."""
    for number, close_on_exec in uses.descriptors.items():
        calls.replace(asked, number, after.fileno(), close_on_exec=close_on_exec)
    register_again(asked.thread, uses, before, after)


def register_again(thread: int, uses: Uses, before: socket.socket, after: socket.socket) -> None:
    """Have every epoll descriptor of `uses` watch `after` as it has watched `before`; raises OSError."""
    if not uses.entries:
        return
    epolls: dict[int, int] = {}
    trouble: list[OSError] = []
    try:
        for entry in uses.entries:
            if entry.epoll not in epolls:
                epolls[entry.epoll] = descriptor_of(thread, entry.epoll)
        if not done_in_thread(partial(_register, uses, epolls, before.fileno(), after.fileno(), trouble)):
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    finally:
        for descriptor in epolls.values():
            os.close(descriptor)
    if trouble:
        raise trouble[0]


def _register(uses: Uses, epolls: dict[int, int], before: int, after: int, trouble: list[OSError]) -> None:
    machine = os.uname().machine
    control = _EPOLL_CTL[machine]
    try:
        libc.syscall(_UNSHARE[machine], _CLONE_FILES)
        high = max(_HIGH, *(entry.number + 1 for entry in uses.entries))
        old, new = (fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, high) for each in (before, after))
        ours = {name: fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, high) for name, each in epolls.items()}
        for entry in uses.entries:
            event = ctypes.create_string_buffer(_EVENT.pack(entry.events, entry.data))
            os.dup2(old, entry.number, inheritable=False)
            with contextlib.suppress(OSError):  # it went by itself with the last descriptor of the old file
                libc.syscall(control, ours[entry.epoll], _EPOLL_DEL, entry.number, ctypes.addressof(event))
            os.dup2(new, entry.number, inheritable=False)
            with contextlib.suppress(FileExistsError):  # it has this epoll descriptor under another number, too
                libc.syscall(control, ours[entry.epoll], _EPOLL_ADD, entry.number, ctypes.addressof(event))
    except OSError as error:
        trouble.append(error)
