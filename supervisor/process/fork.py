"""The way to start a program that works on every Unix: fork, then exec.

`os.fork` runs the interpreter's at-fork hooks in the child, which copies some 200 pages of the daemon and doubles what
a start costs (2.9 against 1.4 ms for 20 MB, measured).  So fork(2) of the C library is called with the GIL held.  The
child then makes a few C calls whose arguments were built before, and ends in execve or _exit: nothing else of Python
runs in it.

Only while other threads run is it `os.fork` all the same. One of them may just be asking for the GIL, and a child that
does not know that it is alone would wait without end for it to be taken (drop_gil in CPython's Python/ceval_gil.h).
"""

import _thread
import contextlib
import ctypes
import errno
import fcntl
import os
import resource
import select
import signal
import struct
import warnings

from supervisor.annotations import Any, NoReturn
from supervisor.process.image import LAST_SIGNAL, Calls, Image, SignalMask, libc
from supervisor.system import prepare_spawning, set_parent_death_signal

_NUMBER = struct.Struct("i")
_LOOK_AFTER = 10  # milliseconds until we look whether somebody has stopped the child
_MOST_STOPS = 3


class HeldUp(OSError):
    """The child was stopped again and again before it could execute the program."""


def start(image: Image) -> int:
    """The pid of the program, which runs already; raises OSError, and leaves nothing behind then.

    Once the child is somebody else, every process of that user can stop it, and we would wait for it without end.
    """
    prepare_spawning()
    library = libc()
    with contextlib.ExitStack() as ours:
        listen, tell = os.pipe2(os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        ours.callback(os.close, listen)
        with contextlib.ExitStack() as theirs:
            theirs.callback(os.close, tell)
            lowest = len(image.stdio) + len(image.passed)  # out of the way of the child's 0, 1, 2 and so on
            tell = fcntl.fcntl(tell, fcntl.F_DUPFD_CLOEXEC, lowest)
            theirs.callback(os.close, tell)
            pid = _fork(library, image, tell)
        _keep_going(pid, listen)
        report = os.read(listen, _NUMBER.size)  # empty when execve closed the other end
    if report:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        code = _NUMBER.unpack(report)[0]
        raise OSError(code, os.strerror(code))
    return pid


def _keep_going(pid: int, listen: int) -> None:
    waitid = getattr(os, "waitid", None)  # Python has it on macOS since 3.13
    ready = select.poll()
    ready.register(listen, select.POLLIN)
    stops = 0
    while waitid is not None and not ready.poll(_LOOK_AFTER):
        try:
            if waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG) is None:
                continue
        except ChildProcessError:  # it has ended since: its program was executed, or the pipe says why not
            return
        stops += 1
        os.kill(pid, signal.SIGCONT if stops < _MOST_STOPS else signal.SIGKILL)
        if stops == _MOST_STOPS:
            os.waitpid(pid, 0)
            raise HeldUp(errno.EAGAIN, os.strerror(errno.EAGAIN))


def rehearse(calls: Calls) -> int:
    """The errno that these calls end with in a child that does nothing else, 0 if none has failed."""
    library = libc()
    pid = _split(library)
    if pid == 0:
        ctypes.set_errno(0)
        make(library, calls)
        library._exit(ctypes.get_errno())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def make(library: Any, calls: Calls) -> None:
    """Make these calls of the C library, whatever they give."""
    for name, arguments in calls:
        getattr(library, name)(*map(ctypes.c_long, arguments))


def _fork(library: Any, image: Image, tell: int) -> int:
    parent = os.getpid()
    nothing = SignalMask.none()
    first = image.first()
    # Until the child has default handlers no signal may reach it: Python's would write to the wakeup pipe we share.
    before = SignalMask.every().apply()
    try:
        pid = _split(library)
        if pid == 0:
            _become(library, image, first, nothing, tell, parent)
    finally:
        before.apply()
    return pid


def _split(library: Any) -> int:
    """The pid of the child, 0 in it; raises OSError."""
    if _thread._count():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # since Python 3.12: the child might take a lock
            return os.fork()
    pid = int(library.fork())
    if pid < 0:
        raise OSError(code := ctypes.get_errno(), os.strerror(code))
    return pid


def _change_user(library: Any, image: Image) -> bool:
    """Whether the process is who it has to be: nothing may be executed otherwise."""
    if image.gid is not None and (library.setgroups(len(image.groups), image.groups) or library.setgid(image.gid)):
        return False
    return image.uid is None or library.setuid(image.uid) == 0


def _become(library: Any, image: Image, first: Calls, nothing: SignalMask, tell: int, parent: int) -> NoReturn:
    code = errno.EIO
    try:
        make(library, first)
        if image.leads_session:
            library.setsid()
        for limit, pair in image.room:
            library.setrlimit(limit, pair)
        if not _change_user(library, image):  # the kernel forgets the parent-death signal over this, prctl(2)
            code = ctypes.get_errno()
            raise PermissionError(code)
        set_parent_death_signal(signal.SIGKILL)
        if library.getppid() != parent:  # it died before the kernel knew that we want to die with it
            library._exit(1)
        if image.umask is not None:
            library.umask(image.umask)
        if image.nofile is not None:
            library.setrlimit(resource.RLIMIT_NOFILE, image.nofile)
        if library.fchdir(image.directory) == 0:
            for number, descriptor in enumerate((*image.stdio, *image.passed)):
                library.dup2(descriptor, number)
            for slot in image.pid_slots:
                own = b"%d" % library.getpid()
                ctypes.memmove(slot, own, len(own))
            for number in range(1, LAST_SIGNAL + 1):  # what is ignored stays so across execve, handlers do not
                library.signal(number, None)
            library.pthread_sigmask(int(signal.SIG_SETMASK), nothing.value, None)
            for limit, pair in image.limits:
                library.setrlimit(limit, pair)
            library.execve(image.path, image.argv, image.environment)
        code = ctypes.get_errno()
    finally:  # nothing of Python's may run any more, not even the report of a mistake of ours
        os.write(tell, _NUMBER.pack(code))
        library._exit(127)
    raise AssertionError("_exit came back")
