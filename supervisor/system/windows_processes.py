"""The processes of services on Windows: each in a job of its own, and told of by a thread that waits for its end.

There is neither fork nor SIGCHLD, and a process outlives its parent: the job takes the place of both, see
`windows_jobs`.  A program is asked to end by CTRL_BREAK, which reaches the process group that it leads.  By kernel32
and not by `os.kill`, which in CPython 3.11 goes on to TerminateProcess where GenerateConsoleCtrlEvent fails.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psutil

from supervisor.dataclass import dataclass
from supervisor.system.windows_jobs import Job

assert sys.platform == "win32"

SIGKILL = 9
SIGCONT = 18
SIGCHLD = 17
KILLED = 0xE0000009  # exit code of what we end; no program has it by itself
_CREATE_SUSPENDED = 0x4
_WAIT_STACK = 1 << 16  # bytes of a thread that only waits

_kernel = ctypes.WinDLL("kernel32", use_last_error=True)


@dataclass(slots=True, eq=False)
class _Child:
    process: "subprocess.Popen[bytes]"
    job: Job
    is_reaped: bool = False


_children: dict[int, _Child] = {}
_ended: deque[tuple[int, int]] = deque()
_tell: list[Callable[[], object]] = []
_ours: list[Job] = []


def start_in_job(
    path: str, argv: Sequence[str], environment: Mapping[str, str], directory: str, streams: tuple[int | None, int, int]
) -> int:
    """The pid of a new process in a job and a process group of its own; raises OSError.

    `streams` are descriptors for its stdin (None: empty), stdout and stderr.
    """
    stdin, stdout, stderr = streams
    job = Job()
    try:
        process = subprocess.Popen(
            [path, *argv[1:]], env=dict(environment), cwd=directory,
            stdin=subprocess.DEVNULL if stdin is None else stdin, stdout=stdout, stderr=stderr,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP | _CREATE_SUSPENDED,
        )  # fmt: skip
        try:
            job.add(int(getattr(process, "_handle")))  # noqa: B009
            psutil.Process(process.pid).resume()
        except (OSError, psutil.Error) as error:
            process.kill()
            raise error if isinstance(error, OSError) else OSError(str(error)) from error
    except BaseException:
        job.close()
        raise
    _children[process.pid] = _Child(process, job)
    _wait_for(process)
    return process.pid


def _wait_for(process: "subprocess.Popen[bytes]") -> None:
    def wait() -> None:
        code = process.wait()
        _ended.append((process.pid, -SIGKILL if code & 0xFFFFFFFF == KILLED else code))
        for tell in tuple(_tell):
            with contextlib.suppress(RuntimeError):  # the loop is closed
                tell()

    before = threading.stack_size(_WAIT_STACK)
    try:
        threading.Thread(target=wait, daemon=True).start()
    finally:
        threading.stack_size(before)


def follow_ends(tell: Callable[[], object]) -> None:
    """Has `tell` called, in another thread, whenever a child has ended."""
    _tell.append(tell)


def follow_children(loop: Any, tell: Callable[[], object]) -> None:
    """Has `tell` called in the loop whenever a child has ended."""
    _tell.append(lambda: loop.call_soon_threadsafe(tell))


def unfollow_children(loop: Any) -> None:
    """Tells nobody any more."""
    _tell.clear()


def collect_child() -> tuple[int, int] | None:
    """A child that has ended, and its exit code, -9 if we have ended it; None where nobody has.

    Raises ChildProcessError where there are no children.
    """
    try:
        pid, status = _ended.popleft()
    except IndexError:
        if not _children:
            raise ChildProcessError from None
        return None
    if pid in _children:
        _children[pid].is_reaped = True
    return pid, status


def exit_code_of(status: int) -> int:
    """The exit code that a status of `collect_child` tells of; less than 0 for a signal."""
    return status


def job_members(main: int) -> set[int]:
    """The living processes of the job that was made for this child."""
    child = _children.get(main)
    if child is None:
        return set()
    found = child.job.pids()
    if not found and child.is_reaped:
        _children.pop(main, None)
        child.job.close()
    return found


def is_ours(pid: int) -> bool:
    """Whether a child of ours with this pid has not been collected."""
    child = _children.get(pid)
    return child is not None and not child.is_reaped


def end_job(main: int) -> set[int]:
    """End all processes of the job of this child at once; who they were."""
    found = job_members(main)
    child = _children.get(main)
    if found and child is not None:
        child.job.terminate(KILLED)
    return found


def send_signal(pid: int, number: int) -> None:
    """End a process by SIGKILL, or ask the process group that it leads to end, by CTRL_BREAK, with what else ends one.

    Raises ProcessLookupError where it is gone, PermissionError where it cannot be asked: nobody can be without a
    console, and nothing else can be told to a program here.
    """
    if number in (0, SIGCONT):
        return
    if number == SIGKILL:
        if pid in _children:
            end_job(pid)
            return
        try:
            psutil.Process(pid).kill()
        except psutil.NoSuchProcess:
            raise ProcessLookupError(pid) from None
        except psutil.Error as error:
            raise PermissionError(pid) from error
        return
    if not is_ours(pid):
        raise ProcessLookupError(pid)
    asks_to_end = number in (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK, signal.SIGABRT)
    if not asks_to_end or not _kernel.GenerateConsoleCtrlEvent(signal.CTRL_BREAK_EVENT, pid):
        raise PermissionError(pid)


def kill_exactly(pid: int, end: int | None) -> None:
    """End this process; raises ProcessLookupError and PermissionError."""
    send_signal(pid, SIGKILL)


def on_signal(loop: Any, number: int, tell: Callable[[], object]) -> None:
    """Has `tell` called in the loop whenever this signal comes."""
    signal.signal(number, lambda *_: loop.call_soon_threadsafe(tell))
    signal.set_wakeup_fd(loop._csock.fileno())  # select does not end for a signal here


def guard_ourselves() -> None:
    """From now on all that we start ends with us, however we end."""
    for stream in (0, 1, 2):
        with contextlib.suppress(OSError):  # what we were started with is not for those that we start
            os.set_inheritable(stream, False)
    if not _ours:
        job = Job()
        with contextlib.suppress(OSError):  # a job above us forbids it: those of the services do it, too
            job.add_us()
        _ours.append(job)


def start_in_background(argv: Sequence[str], variables: Mapping[str, str]) -> Any:
    """A process with a console that nobody sees, outside of our jobs if those let it out; raises OSError.

    Its stdout and stderr are pipes.
    """
    usual = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    for flags in (usual | subprocess.CREATE_BREAKAWAY_FROM_JOB, usual):
        with contextlib.suppress(PermissionError):
            return subprocess.Popen(
                argv, env={**os.environ, **variables}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, creationflags=flags,
            )  # fmt: skip
    raise PermissionError(5, "the system lets nothing run in the background", argv[0])
