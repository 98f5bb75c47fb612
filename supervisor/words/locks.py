"""What became of a lock, in words."""

from supervisor.core.reasons import LockGone
from supervisor.errors import PortsupError, refusal


def lock_gone(gone: LockGone) -> str:
    """Why it no longer keeps others out."""
    path = gone.path
    match gone.how:
        case "unreadable":
            return f"the lock file `{path}` cannot be read: {gone.detail}"
        case "no-directory":
            return f"the directory `{path}` of the lock file is gone"
        case "deleted":
            return f"the lock file `{path}` was deleted"
        case "replaced":
            return f"the lock file `{path}` was replaced"
        case "unlocked":
            return f"the lock on `{path}` is gone, others can take it"
        case "taken-over":
            by = f"`{gone.service}` of stack `{gone.stack}` instance {gone.instance} ({gone.detail})"
            return f"the record `{path}` was taken over by {by if gone.service else gone.detail}"
    return "the lock was given back"


def gone_but_locked(owner: str) -> str:
    """That the owner of a record has ended, and its lock has not."""
    return f"{owner} is gone, but something has its lock open"


def not_kept(port: int, name: str) -> str:
    """What could not be done: the port or, if it is 0, the number is lost."""
    return f"cannot keep {f'port {port}' if port else 'the instance number'}" + (f" of `{name}`" if name else "")


def not_watched(port: int, name: str, error: Exception) -> PortsupError:
    """The locks of a lease cannot be watched."""
    what = not_kept(port, name)
    return refusal(error, what) or PortsupError(what, str(error), "close files and threads that are not needed")


def not_leased(port: int, service: str) -> str:
    """What could not be done."""
    return f"cannot lease port {port} for `{service}`"


TOO_MANY_FILES = ("too many open files", "every port takes three: raise the limit, as in `ulimit -n 8192`")


def not_locked(port: int) -> str:
    """What could not be done."""
    return f"cannot lock port {port}"
