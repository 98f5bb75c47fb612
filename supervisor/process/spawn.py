"""Start a program in a session of its own, so that it can be ended with all it starts and can not outlive us.

`os.fork` runs the interpreter's at-fork hooks in the child, which copies some 200 pages of the daemon and doubles what
a start costs (2.9 against 1.4 ms for 20 MB, measured).  So fork(2) of the C library is called with the GIL held.  The
child then makes a few C calls whose arguments were built before, and ends in execve or _exit: nothing else of Python
runs in it.  It must therefore be called from a process without threads, as the daemon is.
"""

import contextlib
import ctypes
import errno
import fcntl
import functools
import os
import resource
import signal
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from supervisor.process.executable import SpawnError as SpawnError
from supervisor.process.executable import explain, find, no_working_dir
from supervisor.system import prepare_spawning, set_parent_death_signal

_LAST_SIGNAL = 64
_FIRST_FREE_DESCRIPTOR = 3
_REPORT = struct.Struct("ii")  # the step that went wrong, and its errno
_CHDIR, _EXECVE, _OTHER = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Command:
    """What to run and how; `stdout` and `stderr` are descriptors that stay the caller's.

    `nofile_limit` is the soft limit of open files the child gets, None for ours.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    working_dir: str
    stdout: int
    stderr: int
    umask: int | None = None
    nofile_limit: int | None = None


def spawn(command: Command) -> int:
    """The pid of the new process: leader of its own session, its stdin empty, killed by the kernel when we die.

    Returns once the program was executed.  Raises SpawnError where it could not be; nothing is left then.
    """
    name = command.argv[0] if command.argv else ""
    path = find(name, command.environment, command.working_dir)
    image = _Image(command, path)
    _keep_descriptors_home()
    try:
        with contextlib.ExitStack() as ours:
            listen, tell = os.pipe2(os.O_CLOEXEC)
            ours.callback(os.close, listen)
            with contextlib.ExitStack() as theirs:
                theirs.callback(os.close, tell)
                null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
                theirs.callback(os.close, null)
                above = [_above_stdio(each, theirs) for each in (null, command.stdout, command.stderr, tell)]
                pid = _fork(image, above[:3], above[3])
            report = os.read(listen, _REPORT.size)
    except OSError as error:
        raise explain(error.errno or errno.EIO, name, path, image.size) from error
    if not report:
        return pid
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    step, code = _REPORT.unpack(report)
    if step == _CHDIR:
        raise no_working_dir(name, command.working_dir)
    raise explain(code, name, path, image.size)


class _Image:
    """What execve gets, as C has it, so that the child has nothing left to convert."""

    def __init__(self, command: Command, path: str) -> None:
        self.path = _c_string(path, "the path of the program")
        self.working_dir = _c_string(command.working_dir, "the working directory")
        self.umask = command.umask
        self.nofile: tuple[int, int] | None = None
        if command.nofile_limit is not None:
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            self.nofile = (command.nofile_limit, hard)
        words = [_c_string(word, f"argument {number}") for number, word in enumerate(command.argv)]
        pairs = [_c_string(f"{key}={value}", f"the variable {key!r}") for key, value in command.environment.items()]
        self.argv = (ctypes.c_char_p * (len(words) + 1))(*words)
        self.environment = (ctypes.c_char_p * (len(pairs) + 1))(*pairs)
        self.size = sum(map(len, words)) + sum(map(len, pairs))


def _c_string(text: str, what: str) -> bytes:
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        raise SpawnError(f"cannot pass on {what}", "it has characters that can not be encoded") from None
    if 0 in encoded:
        raise SpawnError(f"cannot pass on {what}", "it has a NUL character")
    return encoded


def _above_stdio(descriptor: int, opened: contextlib.ExitStack) -> int:
    # One that already is 0, 1 or 2 would be overwritten by dup2 of another, or stay close-on-exec.
    if descriptor >= _FIRST_FREE_DESCRIPTOR:
        return descriptor
    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_DESCRIPTOR)
    opened.callback(os.close, copy)
    return copy


@functools.cache
def _keep_descriptors_home() -> None:
    """Keep from every child what we inherited ourselves, such as the pipes of `make -j`; ours are close-on-exec."""
    for entry in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):
            if int(entry) >= _FIRST_FREE_DESCRIPTOR:
                os.set_inheritable(int(entry), False)


@functools.cache
def _libc() -> Any:
    libc = ctypes.PyDLL(None, use_errno=True)  # PyDLL: the GIL stays held, fork would copy it in between
    for name in ("getppid", "setsid", "dup2", "umask", "chdir", "pthread_sigmask", "_exit"):
        getattr(libc, name)  # looked up now: each look-up in the child would copy pages
    prepare_spawning()
    libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    libc.signal.restype = ctypes.c_void_p
    libc.execve.argtypes = (ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p)
    return libc


def _fork(image: _Image, stdio: Sequence[int], tell: int) -> int:
    libc = _libc()
    every, old = ctypes.create_string_buffer(128), ctypes.create_string_buffer(128)  # sigset_t has 128 bytes at most
    libc.sigfillset(every)
    parent = os.getpid()
    # Until the child has default handlers no signal may reach it: Python's would write to the wakeup pipe we share.
    libc.pthread_sigmask(signal.SIG_SETMASK, every, old)
    try:
        pid = int(libc.fork())
        if pid == 0:
            _become(libc, image, stdio, tell, parent)
    finally:
        libc.pthread_sigmask(signal.SIG_SETMASK, old, None)
    if pid < 0:
        raise OSError(ctypes.get_errno(), "fork")
    return pid


def _become(libc: Any, image: _Image, stdio: Sequence[int], tell: int, parent: int) -> NoReturn:
    """The child's way from fork to execve; all signals are blocked."""
    step = _OTHER
    try:
        libc.setsid()
        set_parent_death_signal(signal.SIGKILL)
        if libc.getppid() != parent:  # it died before the kernel knew that we want to die with it
            libc._exit(1)
        for number, descriptor in enumerate(stdio):
            libc.dup2(descriptor, number)
        if image.umask is not None:
            libc.umask(image.umask)
        if image.nofile is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, image.nofile)
        for number in range(1, _LAST_SIGNAL + 1):  # what is ignored stays so across execve, handlers do not
            libc.signal(number, None)
        step = _CHDIR
        if libc.chdir(image.working_dir) == 0:
            nothing = ctypes.create_string_buffer(128)
            libc.pthread_sigmask(signal.SIG_SETMASK, nothing, None)
            step = _EXECVE
            libc.execve(image.path, image.argv, image.environment)
        os.write(tell, _REPORT.pack(step, ctypes.get_errno()))
    except BaseException:  # nothing of Python's may run in the child, not even the report of our own mistake
        os.write(tell, _REPORT.pack(step, errno.EIO))
    finally:
        libc._exit(127)
    raise AssertionError("_exit came back")
