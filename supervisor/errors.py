"""What can go wrong, in words for the person who has to act on it, and the exit code that goes with it."""

import errno
import sys
from collections.abc import Sequence
from enum import IntEnum

from supervisor.dataclass import dataclass


class ExitCode(IntEnum):
    """What `portsup` returns to the shell; docs/reference/exit-codes.md tells when."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    NOT_RUNNING = 3
    NOT_FOUND = 4
    GAVE_UP = 10
    UNHEALTHY = 11
    POOL_EXHAUSTED = 12
    LOCK_LOST = 13
    INSTANCE_TAKEN = 14
    HUNG = 15
    BUG = 70
    WAIT_TIMEOUT = 124
    INTERRUPTED = 130
    TERMINATED = 143


def shell_code(returned: int) -> int:
    """What a shell would see of a process that returned this: 128 and the number for a signal, which is negative."""
    return returned if returned >= 0 else 128 - returned


class PortsupError(Exception):
    """Something the user can act on: what could not be done, why, and what to do next."""

    exit_code: ExitCode = ExitCode.FAILURE

    def __init__(self, what: str, why: str = "", hint: str = "") -> None:
        super().__init__(f"{what}: {why}" if why else what)
        self.what = what
        self.why = why
        self.hint = hint


class InternalError(PortsupError):
    """A request could not be answered, and that is the fault of portsup."""

    exit_code = ExitCode.BUG


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration file; `line` and `column` count from 1, 0 means unknown."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.message}"


class ConfigError(PortsupError):
    """The configuration cannot be used; `problems` has every mistake that was found."""

    exit_code = ExitCode.USAGE

    def __init__(self, what: str, problems: Sequence[Problem] = (), why: str = "", hint: str = "") -> None:
        super().__init__(what, why, hint)
        self.problems = tuple(problems)


class UsageError(PortsupError):
    """The command line asks for something that does not go together."""

    exit_code = ExitCode.USAGE


class NotFound(PortsupError):
    """No such service, or no running instance."""

    exit_code = ExitCode.NOT_FOUND


class SpawnError(PortsupError):
    """A program could not be started; no process is left of the attempt."""


class PoolExhausted(PortsupError):
    """No port of a pool can be used; `reasons` tells why, port by port; `service` is whose pool it is, if one's."""

    service = ""
    exit_code = ExitCode.POOL_EXHAUSTED

    def __init__(self, what: str, reasons: Sequence[tuple[int, str]], why: str = "", hint: str = "") -> None:
        super().__init__(what, why, hint)
        self.reasons = tuple(reasons)


class LockLost(PortsupError):
    """A port's lock is no longer ours."""

    exit_code = ExitCode.LOCK_LOST


class InstanceTaken(PortsupError):
    """The instance asked for is running already, or cannot exist beside the others."""

    exit_code = ExitCode.INSTANCE_TAKEN


class WaitTimedOut(PortsupError):
    """What was waited for did not happen in time."""

    exit_code = ExitCode.WAIT_TIMEOUT


class Missing(PortsupError):
    """Something asks for a package that only an extra of portsup brings, and that is not installed."""

    def __init__(self, extra: str, error: ImportError, what: str = "cannot go on") -> None:
        package = f"the package `{error.name}`" if error.name else f"what the extra `{extra}` brings"
        super().__init__(what, f"{package} is not installed", f"`{install(extra)}`")


def install(extra: str) -> str:
    """The command that adds an extra to the environment of this portsup."""
    return f"{sys.executable or 'python3'} -m pip install 'portsup[{extra}]'"


_LIMIT = "raise the limit before portsup starts, as in `ulimit -n 8192`"
_MEMORY = "end some programs, or give the machine more memory"
_ROOM = "make room on that disk"
# What the system refuses whoever asks, and what to do about it: no mistake of ours, nor of the user.
REFUSALS = {
    errno.EMFILE: _LIMIT,
    errno.ENFILE: "end some programs, or raise the limit of the whole system, `sysctl fs.file-max`",
    errno.ENOMEM: _MEMORY,
    errno.ENOBUFS: _MEMORY,
    errno.ENOLCK: "let portsup have its files on a file system with locks",
    errno.EAGAIN: "end some processes, or raise the limit with `ulimit -u`",
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EROFS: "mount it so that it can be written, or set PORTSUP_RUNTIME_DIR and PORTSUP_STATE_DIR to other places",
    errno.EIO: "look into the log of the system, `dmesg`: a disk may be failing",
}


def refusal(error: BaseException, what: str = "cannot go on") -> PortsupError | None:
    """The error in words where the system had none left of what we asked for, or its disk failed; None if it is
    anything else.
    """
    if isinstance(error, MemoryError):
        return PortsupError(what, "not enough memory", _MEMORY)
    if isinstance(error, OSError) and error.errno in REFUSALS:
        why = (error.strerror or str(error)).lower()
        if isinstance(error.filename, str) and error.filename:
            why = f"`{error.filename}`: {why}"
        return PortsupError(what, why, REFUSALS[error.errno])
    return None
