"""The calls of a process tree that wait for our answer, seccomp_unotify(2); how they got here stands in `seccomp`."""

import contextlib
import ctypes
import errno
import functools
import os
import select
import socket
import struct
import sys
from collections.abc import Iterator

from supervisor.dataclass import dataclass
from supervisor.files.closing import Closer
from supervisor.system import libc
from supervisor.system.beneath import MPTCP
from supervisor.system.seccomp import MACHINES, PIDFD_GETFD, Numbers

if sys.platform != "win32":  # it is imported everywhere, and used on Linux
    import fcntl

_NOTIFICATION = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif with its seccomp_data
_ANSWER = struct.Struct("=QqiI")  # struct seccomp_notif_resp: id, val, error, flags
_ADDFD = struct.Struct("=QIIII")  # struct seccomp_notif_addfd: id, flags, srcfd, newfd, newfd_flags
_ID = struct.Struct("=Q")
_CONTINUE, _SETFD = 1, 1
_PIDFD_THREAD = os.O_EXCL  # linux/pidfd.h, Linux 6.9
_NO_LEADER = (errno.EINVAL, errno.ENOENT)  # of pidfd_open(2), for a thread that does not lead its process


def _ioctl(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("!") << 8 | number


_WRITE, _READ_WRITE = 1, 3
_RECEIVE = _ioctl(_READ_WRITE, 0, _NOTIFICATION.size)
_SEND = _ioctl(_READ_WRITE, 1, _ANSWER.size)
_ID_VALID = _ioctl(_WRITE, 2, _ID.size)
_ADD = _ioctl(_WRITE, 3, _ADDFD.size)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that waits for our answer; `thread` made it on its descriptor `fd`."""

    id: int
    thread: int
    is_bind: bool  # else it is listen
    fd: int
    address: int  # bind: where the socket address is in its memory; listen: how long the queue may be
    length: int
    is_filter: bool = False  # it is neither: a filter with a descriptor of its own is about to fail with EBUSY

    @property
    def backlog(self) -> int:
        """What a call of listen asks for; a negative number is the longest that there may be, listen(2)."""
        return min(self.address & 0xFFFFFFFF, 0x7FFFFFFF)


class HeldCalls:
    """The calls of one process tree that wait for an answer; owns the descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._closer = Closer()
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def fileno(self) -> int:
        """Readable when a call waits, or when the tree is gone."""
        return self._descriptor

    def is_over(self) -> bool:
        """Whether the last process under the filter is gone."""
        return self._descriptor < 0 or bool(self._look() & select.POLLHUP)

    def receive(self) -> Asked | None:
        """The next call that waits; None if there is none."""
        # Only when poll says so: the kernel would let us wait, whatever O_NONBLOCK says.
        if self._descriptor < 0 or not self._look() & select.POLLIN:
            return None
        notification = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(self._descriptor, _RECEIVE, notification)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):  # whoever asked was killed or interrupted
                return None
            raise
        id, thread, _, call, _, _, first, second, third, *_ = _NOTIFICATION.unpack(notification)
        fd = ctypes.c_int(first & 0xFFFFFFFF).value
        numbers = _numbers()
        is_bind, is_filter = call == numbers.bind, call == numbers.seccomp
        return Asked(id, thread, is_bind, fd, second, third & 0xFFFFFFFF, is_filter)

    def is_valid(self, asked: Asked) -> bool:
        """Whether the call still waits, so that the thread is still the one that made it."""
        try:
            _ioctl_again(self._descriptor, _ID_VALID, _ID.pack(asked.id))
        except OSError:
            return False
        return True

    @contextlib.contextmanager
    def socket_of(self, asked: Asked) -> Iterator[socket.socket]:
        """The socket that a call is about, while the block lasts; raises OSError, also for what is no socket.

        To let go of it never waits for what the program has made of it.
        """
        if self._closer.is_full:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        with self.letting_go(socket_of(asked.thread, asked.fd, self._closer)) as theirs:
            yield theirs

    def letting_go(self, shared: socket.socket) -> contextlib.AbstractContextManager[socket.socket]:
        """The same for another copy of it."""
        return self._closer.letting_go(shared)

    def replace(self, asked: Asked, number: int, source: int, *, close_on_exec: bool) -> None:
        """Puts our descriptor `source` in the place of `number` of the thread that waits; raises OSError."""
        flags = os.O_CLOEXEC if close_on_exec else 0
        _ioctl_again(self._descriptor, _ADD, _ADDFD.pack(asked.id, _SETFD, source, number, flags))

    def let_through(self, asked: Asked) -> None:
        """The kernel carries out the call as if nobody had asked."""
        self._answer(asked, 0, _CONTINUE)

    def succeed(self, asked: Asked) -> bool:
        """The call gives 0; whether that was heard, see `_answer`."""
        return self._answer(asked, 0, 0)

    def fail(self, asked: Asked, number: int) -> None:
        """The call fails with this errno."""
        self._answer(asked, -number, 0)

    def close(self) -> None:
        """Who still waits gets ENOSYS."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._closer.end()

    def _answer(self, asked: Asked, error: int, flags: int) -> bool:
        try:
            _ioctl_again(self._descriptor, _SEND, _ANSWER.pack(asked.id, 0, error, flags))
        except FileNotFoundError:  # a signal took the call away from under us; it comes again, or its process is gone
            return False
        return True

    def _look(self) -> int:
        ready = self._poll.poll(0)
        return ready[0][1] if ready else 0


@functools.cache
def _numbers() -> Numbers:
    return MACHINES[os.uname().machine]


def _ioctl_again(descriptor: int, request: int, data: bytearray | bytes) -> int | bytes:
    """ioctl(2), once more whenever a signal to us came in between: whoever made the call still waits for an answer."""
    while True:
        try:
            return fcntl.ioctl(descriptor, request, data)
        except InterruptedError:
            continue


def memory_of(thread: int, address: int, size: int) -> bytes:
    """What is in the memory of a thread; raises OSError.  Needs the same rights as ptrace(2)."""
    descriptor = os.open(f"/proc/{thread}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, size, address)
    except OverflowError as error:
        raise OSError(errno.EFAULT, os.strerror(errno.EFAULT)) from error
    finally:
        os.close(descriptor)


def descriptor_of(thread: int, fd: int) -> int:
    """A descriptor of ours for the open file that is `fd` of a thread; raises OSError.  Needs what ptrace(2) needs."""
    process = _pidfd_of(thread)
    try:
        return libc.syscall(PIDFD_GETFD, process, fd, 0)
    finally:
        os.close(process)


def _pidfd_of(thread: int) -> int:
    """A pidfd of the thread itself where the kernel has that: its descriptors may not be those of its process."""
    try:
        return os.pidfd_open(thread, _PIDFD_THREAD)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    try:
        return os.pidfd_open(thread)
    except OSError as error:
        if error.errno not in _NO_LEADER:
            raise
    return os.pidfd_open(process_of(thread))


class NoSocket(OSError):
    """There is no such descriptor, or it is no socket: the kernel tells the program."""


def socket_of(thread: int, fd: int, closer: Closer | None = None) -> socket.socket:
    """The socket that is descriptor `fd` of a thread, shared with it; raises OSError, for what is no socket NoSocket.

    That is closed by `closer` then.
    """
    try:
        copy = descriptor_of(thread, fd)
    except OSError as error:
        # Before Linux 6.9 it is looked for in the process, and a thread may have descriptors of its own.
        if error.errno == errno.EBADF and not os.path.lexists(f"/proc/{thread}/fd/{fd}"):
            raise NoSocket(*error.args) from error
        raise
    try:
        return socket.socket(fileno=copy)
    except OSError as error:
        (closer or Closer()).close([copy])
        raise (NoSocket(*error.args) if error.errno == errno.ENOTSOCK else error) from None


def process_of(thread: int) -> int:
    """The pid of the process that a thread is of; raises OSError if it is gone."""
    try:
        os.close(os.pidfd_open(thread))
    except OSError as error:
        if error.errno not in _NO_LEADER:
            raise
    else:
        return thread  # most are the first thread of their process, and the file takes fifty times as long
    try:
        with open(f"/proc/{thread}/status") as status:
            return int(next(line for line in status if line.startswith("Tgid:")).split()[1])
    except StopIteration as error:
        raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH)) from error


def is_at_work(process: int) -> bool:
    """Whether its main thread runs, or would if it had a processor or the disk; False if it waits for others."""
    try:
        with open(f"/proc/{process}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[0] in (b"R", b"D")
    except (OSError, IndexError):  # it is gone
        return False


@functools.cache
def netns_cookie_of_ours() -> int:
    """What the kernel calls our network namespace, 0 where it does not tell (before Linux 5.14)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as ours:
        return netns_cookie(ours)


def netns_cookie(sock: socket.socket) -> int:
    """What the kernel calls the network namespace of a socket, socket(7), SO_NETNS_COOKIE; 0 where it does not tell."""
    so_netns_cookie = 71
    try:
        return int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, so_netns_cookie, 8), "little")
    except OSError:
        return 0


def is_tcp_of_ours(sock: socket.socket) -> bool:
    """Whether it is a TCP socket of our own network namespace."""
    return (
        sock.family in (socket.AF_INET, socket.AF_INET6)
        and sock.type == socket.SOCK_STREAM
        and sock.proto in (socket.IPPROTO_TCP, MPTCP)
        and netns_cookie(sock) == netns_cookie_of_ours()
    )
