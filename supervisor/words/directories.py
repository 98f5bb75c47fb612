"""What is wrong with the directories in which portsup keeps its own files, and with these files, in words."""

import errno

from supervisor.errors import PortsupError

RUNTIME, STATE = "PORTSUP_RUNTIME_DIR", "PORTSUP_STATE_DIR"
RUNTIME_ELSEWHERE = f"name another one in {RUNTIME}"
STATE_ELSEWHERE = f"name another one in {STATE}"
IN_THE_WAY = "remove what is there"

_WITH_LOCKS = f"{RUNTIME_ELSEWHERE}, on a file system that can lock"
_HINTS = {
    errno.ENOLCK: _WITH_LOCKS,
    errno.ENOSYS: _WITH_LOCKS,
    errno.EOPNOTSUPP: _WITH_LOCKS,
    errno.ENOSPC: f"make room there, or {RUNTIME_ELSEWHERE}",
    errno.EDQUOT: f"make room there, or {RUNTIME_ELSEWHERE}",
    errno.EFBIG: "raise the limit: `ulimit -f unlimited`",
    errno.EROFS: RUNTIME_ELSEWHERE,
}


def hint_for(number: int | None) -> str:
    """What to do about an error number of the runtime directory; empty where nothing is known."""
    return _HINTS.get(number or 0, "")


def runtime_unusable(path: str) -> str:
    """What could not be done."""
    return f"cannot use the runtime directory `{path}`"


def state_unusable(path: str) -> str:
    """What could not be done."""
    return f"cannot use the state directory `{path}`"


def path_too_long(path: str, length: int, most: int) -> PortsupError:
    """No socket can have the path of the control socket; lengths in bytes."""
    return PortsupError(
        f"cannot make the control socket `{path}`",
        f"its path has {length} bytes, and a unix socket can have {most}",
        f"set {RUNTIME} to a shorter path",
    )


def not_lockable(why: str) -> str:
    """What the system says of a lock, which is not that somebody else has it."""
    return f"the file system cannot lock: {why.lower()}"


def lock_stuck(path: str) -> str:
    """That somebody holds a lock that is held for an instant only."""
    return f"`{path}` is locked by somebody who does not go on"


def numbers_unreadable(path: str, why: str) -> str:
    """That the memory of instance numbers cannot be read."""
    return f"cannot read `{path}`: {why}"


def numbers_damaged(path: str) -> str:
    """That what is in the place of that memory is none."""
    return numbers_unreadable(path, "it is not a list of directories")


def numbers_left_out(path: str, count: int) -> str:
    """That a part of that memory makes no sense."""
    return f"{count} entries of `{path}` make no sense, and are left out"


def stays(trouble: str) -> str:
    """That nothing is written over what cannot be read."""
    return f"{trouble}, so it stays as it is"


def token_unusable(path: str) -> str:
    """What could not be done."""
    return f"cannot use the token in `{path}`"


def token_not_secret(path: str) -> PortsupError:
    """Others could have read or written the token."""
    hint = f"delete it, and portsup makes another one: `rm {path}`"
    return PortsupError(token_unusable(path), "others can read or write it", hint)


def of_others(owner: str) -> str:
    """That a file belongs to somebody else."""
    return f"it belongs to {owner}, not to you"
