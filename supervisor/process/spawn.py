"""Start a program in a session of its own, so that it can be ended with all it starts and cannot outlive us."""

import contextlib
import ctypes
import errno
import functools
import os
from collections.abc import Callable, Mapping, Sequence

from supervisor import system
from supervisor.core.marks import mark
from supervisor.dataclass import dataclass
from supervisor.process import tree
from supervisor.process.account import Account
from supervisor.process.executable import explain, find, no_working_dir
from supervisor.process.limits import Limit
from supervisor.words import programs

if not system.HAS_JOBS:
    import fcntl

    from supervisor.process import fork, vfork
    from supervisor.process.image import Calls, Image


@dataclass(frozen=True, slots=True)
class Command:
    """What to run and how; `stdout`, `stderr` and those in `passed` are descriptors that stay the caller's.

    `environment` is all the program gets, and its PATH is where the program is looked up.  `pid_variables` come on top:
    each holds the pid of the program.  `passed` are its descriptors from 3 on.  `nofile_limit` is its soft limit of
    open files, None for ours.  `stdin` is empty if it is None.  Without `leads_session` it stays in our session and
    process group, and so at our terminal.  It runs as `account`, or as who we are, and `limits` hold for it.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    working_dir: str
    stdout: int
    stderr: int
    umask: int | None = None
    nofile_limit: int | None = None
    passed: Sequence[int] = ()
    pid_variables: Sequence[str] = ()
    stdin: int | None = None
    leads_session: bool = True
    account: Account | None = None
    limits: Sequence[Limit] = ()


def spawn(command: Command, first: "Callable[[], Calls] | None" = None) -> int:
    """The pid of the new process, which is killed by the kernel when we die.

    It has default signal handlers, no blocked signals and no descriptors but those that it is given, and the mark of
    the run and the start that its environment names (`core.marks`).  Returns once the program was executed.  Raises
    SpawnError where it could not be; nothing is left then.  `first` is what the child calls before anything else, see
    `Image`.
    """
    name = command.argv[0] if command.argv else ""
    path = find(name, command.environment, command.working_dir)
    if system.HAS_JOBS:
        return _start(path, name, command)
    image = Image(path, command.argv, command.environment, command.umask, command.nofile_limit, command.pid_variables)
    image.leads_session = command.leads_session
    _restrict(image, command, name)
    environment = command.environment
    mark_of_child = mark(environment.get(tree.RUN_ID, ""), environment.get(tree.INVOCATION, ""))
    if limit := system.mark_limit(mark_of_child):
        image.limit(*limit)
    if first is not None:
        image.first = first
    keep_descriptors_home()
    try:
        with contextlib.ExitStack() as opened:
            image.directory = _open_directory(name, command.working_dir)
            opened.callback(os.close, image.directory)
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            opened.callback(os.close, null)
            lowest = 3 + len(command.passed)
            stdin = null if command.stdin is None else command.stdin
            image.stdio = [_above(lowest, each, opened) for each in (stdin, command.stdout, command.stderr)]
            image.passed = [_above(lowest, each, opened) for each in command.passed]
            # The calls of a vfork have no branches: should the user not change, the program would run as root.
            is_ours = command.account is None
            return vfork.start(image) if is_ours and vfork.works() else fork.start(image)
    except OSError as error:
        if isinstance(error, fork.HeldUp):
            raise programs.held_up(name, "" if command.account is None else command.account.words) from error
        if command.account is not None and error.errno in (errno.EACCES, errno.EPERM):
            raise programs.account_refused(name, command.account.words, path) from error
        raise explain(error.errno or errno.EIO, name, path, image.size) from error


def _start(path: str, name: str, command: Command) -> int:
    if not os.path.isdir(command.working_dir):
        raise no_working_dir(name, command.working_dir)
    streams = (command.stdin, command.stdout, command.stderr)
    try:
        return system.start_in_job(path, command.argv, command.environment, command.working_dir, streams)
    except OSError as error:
        raise explain(error.errno or errno.EIO, name, path, 0) from error


def _restrict(image: "Image", command: Command, name: str) -> None:
    if command.account is not None:
        image.run_as(command.account.uid, command.account.gid, command.account.groups)
    for limit in command.limits:
        image.limit(*limit)
    if image.limits:  # whether they were set nobody asks in the child
        calls = [("setrlimit", (number, ctypes.addressof(pair))) for number, pair in image.limits]
        if code := rehearse(calls):
            raise programs.limits_refused(name, os.strerror(code).lower())


def rehearse(calls: "Calls") -> int:
    """The errno that these calls end with in a child of ours that does nothing else, 0 if none has failed."""
    return vfork.rehearse(calls) if vfork.works() else fork.rehearse(calls)


@functools.cache
def keep_descriptors_home() -> None:
    """Keep from every child what we inherited ourselves, such as the pipes of `make -j`; ours are close-on-exec."""
    for entry in os.listdir("/dev/fd" if os.path.isdir("/dev/fd") else "/proc/self/fd"):
        if int(entry) > 2:
            with contextlib.suppress(OSError):  # the one that listdir had open
                os.set_inheritable(int(entry), False)


def _open_directory(name: str, path: str) -> int:
    try:
        descriptor = os.open(path, getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise no_working_dir(name, path) from error
    try:
        os.stat(".", dir_fd=descriptor)  # O_PATH opens what may not be entered
    except PermissionError as error:
        os.close(descriptor)
        raise no_working_dir(name, path) from error
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _above(lowest: int, descriptor: int, opened: contextlib.ExitStack) -> int:
    # One that already is 0, 1 or 2, say, would be overwritten by dup2 of another, or stay close-on-exec.
    if descriptor >= lowest:
        return descriptor
    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, lowest)
    opened.callback(os.close, copy)
    return copy
