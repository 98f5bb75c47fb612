"""Code that nobody has read, run where it can do no harm: a box made by bubblewrap for each run, and gone after it.

Inside there are the workspace (writable), the programs of /usr (read only), an empty /tmp, and nothing else: no network
but its own loopback, no files, processes, environment or terminal of the host. What runs in it has no capabilities
over anything outside, is nicer than the service, and is the first to go when memory runs out. When its first process
ends, or the service does, or the time or the memory is used up, the kernel kills whatever is left in it, however it was
detached.
"""

import asyncio
import json
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from examples.forward import Slots
from examples.mcp_universal import filter, memory
from examples.mcp_universal.box import MEMORY, MIB, PATH, USERS_FD, box, is_root_of_the_machine, make_users, sealed
from examples.web import ServiceError

OUTPUT_KEPT = 256 * 1024  # of stdout and of stderr
OUTPUT_MOST = 16 * MIB  # what comes after that is not kept, and a run that goes on beyond this is ended
AT_ONCE = 4
LOOK = 0.05  # seconds between looks at the memory that a run uses; touching 100 MiB takes about as long
_TRY_AGAIN = 30.0  # seconds after which a sandbox that did not work is tried again

Told = Callable[[float, str], Awaitable[None]]


@dataclass
class Outcome:
    """How a run ended; both outputs are cut at 256 KiB."""

    exit_code: int | None  # 128 + N when signal N ended it; None when we did
    stdout: str
    stderr: str
    truncated: bool
    timed_out: bool
    out_of_memory: bool
    seconds: float


@dataclass
class _Stream:
    kept: bytearray = field(default_factory=bytearray)
    size: int = 0
    told: int = 0  # how much of what is kept was reported as progress

    def text(self) -> str:
        return self.kept.decode("utf-8", "replace")

    def news(self) -> str:
        piece = bytes(self.kept[self.told :])
        self.told = len(self.kept)
        return piece.decode("utf-8", "replace")


class Sandbox:
    """Runs programs in boxes that share one folder, a few at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._slots = Slots(AT_ONCE)
        self._bwrap = ""
        self._tried = asyncio.Lock()
        self._problem = "it was not tried yet"
        self._next_try = 0.0

    async def problem(self) -> str:
        """Why nothing can be run here, or an empty string. Found out by running something, and then remembered."""
        async with self._tried:
            if self._problem and time.monotonic() >= self._next_try:
                self._problem = await self._find_problem()
                self._next_try = time.monotonic() + _TRY_AGAIN
            return self._problem

    async def run(
        self,
        command: Sequence[str],
        *,
        seconds: float,
        files: Mapping[str, bytes] | None = None,
        told: Told | None = None,
    ) -> Outcome:
        """Runs a program to its end, at most so long; `files` are put where they say, read only.

        `told` hears now and then how many seconds have passed and what was written since. A ServiceError tells that
        there is no sandbox, or too much in it.
        """
        if problem := await self.problem():
            raise ServiceError("sandbox_unavailable", problem, retry_after=_TRY_AGAIN)
        await self._slots.take()
        try:
            return await self._run(command, seconds, files or {}, told)
        finally:
            self._slots.give_back()

    async def _find_problem(self) -> str:
        self._bwrap = shutil.which("bwrap") or ""
        if not self._bwrap:
            return "bubblewrap is not installed (Debian: apt install bubblewrap)"
        try:
            outcome = await self._run(["sh", "-c", _SELF_TEST], 5, {}, None)
        except (OSError, ServiceError) as error:
            return error.message if isinstance(error, ServiceError) else f"bubblewrap cannot be used: {error}"
        if outcome.exit_code != 0:
            return "bubblewrap does not work here: " + (outcome.stderr.strip() or f"exit code {outcome.exit_code}")
        return leak_in(outcome.stdout, os.readlink("/proc/self/ns/user"))

    async def _run(
        self, command: Sequence[str], seconds: float, files: Mapping[str, bytes], told: Told | None
    ) -> Outcome:
        started = time.monotonic()
        out, err = _Stream(), _Stream()
        with ExitStack() as stack:
            status, status_end = stack.enter_context(_pipe())
            rules = stack.enter_context(_in_memory(await asyncio.to_thread(filter.program)))
            passed = [status_end, rules]
            users = await make_users(self._root) if is_root_of_the_machine() else None
            if users is not None:
                stack.callback(os.close, users)
            command_line = box(self._bwrap, self._root, users=users is not None)
            command_line += ["--json-status-fd", str(status_end), "--seccomp", str(rules)]
            for place, content in files.items():
                passed.append(stack.enter_context(_in_memory(content)))
                command_line += ["--perms", "0444", "--ro-bind-data", str(passed[-1]), place]
            process = await asyncio.create_subprocess_exec(
                *(*command_line, *sealed(users=users is not None, seconds=seconds), *command),
                stdin=asyncio.subprocess.DEVNULL if users is None else users,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={"PATH": PATH},  # the first process in the box shows its own in /proc/1/environ
                pass_fds=passed,
            )
            handle = stack.enter_context(_handle_of(process.pid))
            assert process.stdout
            assert process.stderr
            reporting = asyncio.create_task(_report(told, started, out, err)) if told else None
            watching = asyncio.create_task(_until_too_much(process.pid, handle))
            try:
                async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                    group.create_task(_collect(process.stdout, out, handle))
                    group.create_task(_collect(process.stderr, err, handle))
                    group.create_task(process.wait())
                timed_out = False
            except TimeoutError:
                timed_out = True
            finally:
                if reporting:
                    reporting.cancel()
                out_of_memory = watching.done() and not watching.cancelled()
                watching.cancel()
                _kill(handle)
                await asyncio.shield(process.wait())
            exit_code = _exit_code_in(status)
        ended_by_us = timed_out or out_of_memory or max(out.size, err.size) > OUTPUT_MOST
        if exit_code is None and not ended_by_us:
            words = err.text().strip() or f"it ended with {process.returncode}"
            raise ServiceError("sandbox_unavailable", f"bubblewrap does not work here: {words[-500:]}")
        return Outcome(
            None if ended_by_us else exit_code,
            out.text(),
            err.text(),
            truncated=max(out.size, err.size) > OUTPUT_KEPT,
            timed_out=timed_out,
            out_of_memory=out_of_memory,
            seconds=round(time.monotonic() - started, 3),
        )


# What it prints is read by `leak_in`. A second process must be possible: before Linux 5.14 the limit counts all
# processes of the user.
_SELF_TEST = """
(exit 3); test $? = 3 || exit 1
readlink /proc/self/ns/user
grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status
if unshare --user true 2>/dev/null; then echo nested; fi
"""


def leak_in(told: str, ours: str) -> str:
    """What is not shut off in the box that printed this, by _SELF_TEST; `ours` is the service's user namespace."""
    lines = told.split("\n")
    if lines[0] == ours or not lines[0].startswith("user:["):
        return "bubblewrap made no user namespace of its own"
    facts = dict(line.split(":\t") for line in lines if ":\t" in line)
    if facts.get("NoNewPrivs") != "1":
        return "programs in it could get privileges"
    if facts.get("Seccomp") != "2":
        return "the filter of system calls is not in force"
    return "programs in it can make user namespaces" if "nested" in lines else ""


async def _collect(reader: asyncio.StreamReader, stream: _Stream, handle: int | None) -> None:
    while piece := await reader.read(65536):
        stream.kept += piece[: OUTPUT_KEPT - len(stream.kept)]
        stream.size += len(piece)
        if stream.size > OUTPUT_MOST:
            _kill(handle)


@contextmanager
def _handle_of(pid: int) -> Iterator[int | None]:
    """What `_kill` takes; Process.kill would call waitpid, which the event loop's own watcher does already."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:  # it ended at once
        yield None
        return
    try:
        yield handle
    finally:
        os.close(handle)


def _kill(handle: int | None) -> None:
    """Kills bwrap, if it still runs, and the kernel kills the box with it: --die-with-parent."""
    if handle is None:
        return
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        pass


async def _until_too_much(pid: int, handle: int | None) -> None:
    """Ends a box whose programs use more than they may together; returns then, and only then."""
    while await asyncio.to_thread(memory.used, pid, MEMORY) <= MEMORY:
        await asyncio.sleep(LOOK)
    _kill(handle)


async def _report(told: Told, started: float, out: _Stream, err: _Stream) -> None:
    last = started
    while True:
        await asyncio.sleep(0.25)
        news = out.news() + err.news()
        now = time.monotonic()
        if news or now - last >= 1:
            last = now
            await told(round(now - started, 2), news[-2000:])


def _exit_code_in(status: int) -> int | None:
    """What bwrap says that the program ended with; nothing when it never came to run it."""
    try:
        lines = os.read(status, 65536).splitlines()
    except BlockingIOError:
        return None
    for line in lines:
        code = json.loads(line).get("exit-code")
        if isinstance(code, int):
            return code
    return None


def _above_users(fd: int) -> int:
    """A descriptor moved out of the way of USERS_FD, which is put over whatever is there."""
    import fcntl  # not on Windows, where there is no sandbox and the other tools work

    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, USERS_FD + 1)
    os.close(fd)
    return moved


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    reads, low = os.pipe()
    os.set_blocking(reads, False)
    writes = _above_users(low)
    try:
        yield reads, writes
    finally:
        os.close(reads)
        os.close(writes)


@contextmanager
def _in_memory(content: bytes) -> Iterator[int]:
    fd = _above_users(os.memfd_create("file"))
    try:
        with os.fdopen(os.dup(fd), "wb") as file:
            file.write(content)
        os.lseek(fd, 0, os.SEEK_SET)
        yield fd
    finally:
        os.close(fd)
