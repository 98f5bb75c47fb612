"""Have a program's bind and listen calls put before us: seccomp user notification, seccomp_unotify(2), Linux 5.9.

A filter that a child installs before it executes stops every bind(2) and listen(2) of it and of all that comes of it,
until we have answered through the descriptor that installing it gave (`BindFilter`).  We read the address that it asks
for from its memory, can put a socket of ours in the place of its own, and let the call succeed, fail, or go on.
That descriptor hangs up when the last process under the filter is gone, double forks and sessions of their own included
(poll(2) POLLHUP, "seccomp: notify about unused filter", Linux 5.9); until Linux 6.11 one that has ended counts as long
as it has not been waited for ("seccomp: release task filters when the task exits").  When it is closed, what waits gets
ENOSYS.

A filter needs CAP_SYS_ADMIN or no_new_privs (prctl(2)), and there can be one such descriptor above a process only:
installing a second one fails with EBUSY.  The numbers below are those of linux/seccomp.h, linux/filter.h,
linux/audit.h and asm/unistd.h.  io_uring can bind and listen beside the filter since Linux 6.11; nothing that was tried
does.
"""

import contextlib
import ctypes
import errno
import os
import socket
import struct
from collections.abc import Callable

from supervisor.dataclass import dataclass
from supervisor.system import libc

Call = tuple[str, tuple[int, ...]]  # a function of the C library and its arguments


@dataclass(frozen=True, slots=True)
class Numbers:
    """The system calls of one processor architecture."""

    audit: int
    bind: int
    listen: int
    seccomp: int


MACHINES = {"x86_64": Numbers(0xC000003E, 49, 50, 317), "aarch64": Numbers(0xC00000B7, 200, 201, 277)}
PIDFD_GETFD = 438  # on every architecture, Linux 5.6

_PR_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER, _GET_ACTION_AVAIL, _GET_NOTIF_SIZES = 1, 2, 3
_NEW_LISTENER = 1 << 3
_WAIT_KILLABLE_RECV = 1 << 5  # Linux 5.19: once we have received it, only a deadly signal ends the call
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_LOAD, _IF_EQUAL, _IF_ANY, _RETURN = 0x20, 0x15, 0x45, 0x06
_OFFSET_OF_CALL, _OFFSET_OF_ARCHITECTURE, _OFFSET_OF_ARGUMENTS = 0, 4, 16  # in struct seccomp_data, little-endian
_CAP_SYS_ADMIN = 21  # capability.h

_OF_THE_CHILD = 0  # the number that the descriptor has in the child

_NOTIFICATION_SIZE, _ANSWER_SIZE = 80, 24  # struct seccomp_notif, struct seccomp_notif_resp


def why_not() -> str:
    """What of this machine or container stands against it, "" if nothing is seen; asks without installing anything."""
    machine = os.uname().machine
    if machine not in MACHINES or struct.calcsize("P") != 8:
        return f"the system calls of {machine} are not known"
    number = MACHINES[machine].seccomp
    action, sizes = ctypes.c_uint32(_NOTIFY), (ctypes.c_uint16 * 3)()
    try:
        libc.syscall(number, _GET_ACTION_AVAIL, 0, ctypes.addressof(action))
        libc.syscall(number, _GET_NOTIF_SIZES, 0, ctypes.addressof(sizes))
    except OSError as error:
        if error.errno == errno.EPERM:
            return "this container does not allow seccomp"
        return "the kernel has no seccomp notification"
    if sizes[0] != _NOTIFICATION_SIZE or sizes[1] != _ANSWER_SIZE:
        return "the kernel's seccomp notifications have another form"
    if not _takes(_NEW_LISTENER):
        return "the kernel has no seccomp notification"
    try:
        _try_to_take_descriptor()
    except OSError as error:
        reason = "this container does not allow" if error.errno == errno.EPERM else "the kernel does not have"
        return f"{reason} pidfd_getfd"
    return ""


def _takes(flags: int) -> bool:
    # Known flags with a filter at NULL fail with EFAULT, unknown ones with EINVAL, seccomp(2).
    try:
        libc.syscall(MACHINES[os.uname().machine].seccomp, _SET_MODE_FILTER, flags, 0)
    except OSError as error:
        return error.errno == errno.EFAULT
    return False


def _try_to_take_descriptor() -> None:
    process = os.pidfd_open(os.getpid())
    try:
        os.close(libc.syscall(PIDFD_GETFD, process, process, 0))
    finally:
        os.close(process)


def needs_no_new_privs() -> bool:
    """Whether our children have to give up gaining privileges, as by sudo, to get a filter: we lack CAP_SYS_ADMIN."""
    with contextlib.suppress(OSError, ValueError), open("/proc/self/status") as status:
        effective = next(line for line in status if line.startswith("CapEff"))
        return not int(effective.split()[1], 16) >> _CAP_SYS_ADMIN & 1
    return True


def filter_program(machine: Numbers) -> bytes:
    """The filter as an array of struct sock_filter, linux/filter.h: `bind` and `listen` of that machine are notified.

    So is who installs a filter with a descriptor like ours, which the kernel refuses to have beneath it; not who gives
    it none, to see from EFAULT that the kernel knows such descriptors, as libseccomp does at its start.  What comes by
    the numbers of another architecture, such as the calls of a 32-bit program, is let through.
    """
    return b"".join(
        struct.pack("=HBBI", *instruction)
        for instruction in (
            (_LOAD, 0, 0, _OFFSET_OF_ARCHITECTURE),
            (_IF_EQUAL, 0, 12, machine.audit),
            (_LOAD, 0, 0, _OFFSET_OF_CALL),
            (_IF_EQUAL, 11, 0, machine.bind),
            (_IF_EQUAL, 10, 0, machine.listen),
            (_IF_EQUAL, 0, 8, machine.seccomp),
            (_LOAD, 0, 0, _OFFSET_OF_ARGUMENTS),
            (_IF_EQUAL, 0, 6, _SET_MODE_FILTER),
            (_LOAD, 0, 0, _OFFSET_OF_ARGUMENTS + 8),
            (_IF_ANY, 0, 4, _NEW_LISTENER),
            (_LOAD, 0, 0, _OFFSET_OF_ARGUMENTS + 16),
            (_IF_EQUAL, 0, 3, 0),
            (_LOAD, 0, 0, _OFFSET_OF_ARGUMENTS + 20),
            (_IF_EQUAL, 0, 1, 0),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _NOTIFY),
        )
    )


class BindFilter:
    """The filter and the letterbox through which a child hands us the descriptor of its own copy of it.

    The child makes plain C calls and cannot look at what they give (process/vfork.py), so the number that its
    descriptor will have is made sure of: the child closes its standard input, which it is about to get anew, and then 0
    is the lowest that is free, as open(2) says of all descriptors.  What other threads of ours open does not matter.
    """

    def __init__(self, keep: Callable[[int], int] = int) -> None:
        """`keep` moves a descriptor that each child needs, and tells its new number."""
        machine = MACHINES[os.uname().machine]
        program = filter_program(machine)
        self._program = ctypes.create_string_buffer(program, len(program))
        head = struct.pack("@HP", len(program) // 8, ctypes.addressof(self._program))  # struct sock_fprog
        self._head = ctypes.create_string_buffer(head, len(head))
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._theirs = socket.socket(fileno=keep(theirs.detach()))
        self._byte = ctypes.create_string_buffer(1)
        vector = struct.pack("@PN", ctypes.addressof(self._byte), 1)  # struct iovec
        self._vector = ctypes.create_string_buffer(vector, len(vector))
        rights = struct.pack("@Niii", socket.CMSG_LEN(4), socket.SOL_SOCKET, socket.SCM_RIGHTS, _OF_THE_CHILD)
        self._rights = ctypes.create_string_buffer(rights, socket.CMSG_SPACE(4))
        message = struct.pack(  # struct msghdr
            "@PI4xPNPNi4x", 0, 0, ctypes.addressof(self._vector), 1, ctypes.addressof(self._rights),
            len(self._rights), 0,
        )  # fmt: skip
        self._message = ctypes.create_string_buffer(message, len(message))
        patient = _NEW_LISTENER | _WAIT_KILLABLE_RECV  # the kernel does not know the second without the first
        self._flags = patient if _takes(patient) else _NEW_LISTENER
        privs: Call = ("prctl", (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        install: Call = ("syscall", (machine.seccomp, _SET_MODE_FILTER, self._flags, ctypes.addressof(self._head)))
        self.installation: tuple[Call, ...] = (privs, install) if needs_no_new_privs() else (install,)

    def calls(self) -> tuple[Call, ...]:
        """What the child has to do first, before it has its standard input."""
        self._forget()
        flags = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
        tell: Call = ("sendmsg", (self._theirs.fileno(), ctypes.addressof(self._message), flags))
        return (("close", (_OF_THE_CHILD,)), *self.installation, tell)

    def take(self) -> int:
        """The descriptor that the child which was just started has sent; raises OSError if it could not."""
        descriptor = self._receive()
        if descriptor is None:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        if "seccomp notify" not in os.readlink(f"/proc/self/fd/{descriptor}"):
            os.close(descriptor)
            raise OSError(errno.EBADF, "what the child has sent is no seccomp descriptor")
        return descriptor

    def _forget(self) -> None:
        """Drop what a child has sent that then could not execute its program: the next one would get it for its own."""
        with contextlib.suppress(OSError):
            while True:
                descriptor = self._receive()
                if descriptor is not None:
                    os.close(descriptor)

    def _receive(self) -> int | None:
        """What waits in the letterbox, None if we had no descriptor free for it; raises OSError if nothing does."""
        flags = socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
        _, rights, _, _ = self._ours.recvmsg(1, socket.CMSG_SPACE(4), flags)
        return struct.unpack("=i", rights[0][2][:4])[0] if rights else None

    def close(self) -> None:
        """Start no child with it any more."""
        self._ours.close()
        self._theirs.close()
