"""What `up` and `exec` say before they start anything."""

import errno
from collections.abc import Iterable, Sequence

from supervisor.core.reasons import Cause
from supervisor.words.reasons import text_of

NO_PORTS = "no ports"
NONE_USABLE = "no port can be used"
CANNOT_TELL_PORTS = "cannot tell which ports are free"
_ELSEWHERE = "name another directory in PORTSUP_STATE_DIR"
_TO_KEEP_IT = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EACCES: "give yourself write permission",
    errno.EPERM: "give yourself write permission",
}


def reaped(pids: Iterable[int]) -> str:
    """That processes of an earlier run were ended."""
    return f"ended what an earlier run left behind (pid {', '.join(map(str, pids))})"


def no_logs(folder: object, why: str | None) -> str:
    """That nothing is written down."""
    return f"portsup keeps no logs: cannot make `{folder}`: {why}"


def number_not_kept(path: str, trouble: str, why: str, number: int | None, is_in_the_way: bool) -> str:
    """That a folder may get another number the next time: `trouble` with the file, or `why` it cannot be written, with
    the errno of that.
    """
    if trouble:
        return f"cannot remember the number of this directory: {trouble}; move `{path}` away"
    hint = "remove what is there" if is_in_the_way else _TO_KEEP_IT.get(number or 0, _ELSEWHERE)
    return f"cannot remember the number of this directory: cannot write `{path}`: {why}; {hint}"


def waiting_for_instance(number: int, whose: str) -> str:
    """That an instance that ends is waited for."""
    return f"waiting for instance {number} ({whose}), which is stopping"


def of_files(files: str) -> str:
    """Which files are read."""
    return f"this is {files}"


def of_instance(stack: str, number: int, shift: int) -> str:
    """Which instance this is, if it is not the first."""
    return f"this is instance {number} of stack `{stack}`: every port is moved by {shift}"


def other_instance(number: int, folder: str, whose: str) -> str:
    """That another one runs, and how to use it."""
    return f"instance {number} runs already, from {folder} ({whose}); to use it, write `portsup --instance {number} …`"


def dry_run(stack: str, number: int, file: object) -> str:
    """What would be started."""
    return f"stack `{stack}` instance {number}, from {file}"


def skipped(reasons: Iterable[tuple[int, Cause]]) -> list[str]:
    """Why ports are not used, one by one."""
    return [f"{port}: {text_of(why)}" for port, why in reasons]


def uses(port: int, reasons: Sequence[tuple[int, Cause]]) -> str:
    """Which port a program got, and why not one before it."""
    return f"uses port {port} ({', '.join(skipped(reasons))})"


def leaves(port: int, why: str) -> str:
    """That a program goes to another port."""
    return f"leaves port {port}: {why}"


def bind_not_seen(why: str) -> str:
    """That portsup may not look into a process of it that binds."""
    return f"cannot look into the process that binds its port ({why}); use `--handoff off` for it"


def stranger(name: str | None, pid: int, user: str) -> str:
    """Who listens on its port."""
    return f"`{name}` (pid {pid}, user {user}) listens there"


def cannot_run(program: str) -> str:
    """What cannot be done, where the machine lacks something for it."""
    return f"cannot run `{program}`"
