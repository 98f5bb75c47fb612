"""What Linux and macOS have in common."""

import contextlib
import errno
import fcntl
import os

from supervisor.files.directory import user_name as user_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket


def exclusive(sock: "socket.socket") -> None:
    """Make the coming bind of `sock` exclusive: nothing to do here, it is as long as SO_REUSEADDR is off."""


def current_user_id() -> int:
    """The user whose files and processes are ours."""
    return os.geteuid()


def temporary_directory() -> str:
    """Where every process of this user puts what need not survive a reboot.

    Not $TMPDIR as long as there is /tmp: two shells with different ones would not see each other's locks.
    """
    return "/tmp" if os.path.isdir("/tmp") else os.environ.get("TMPDIR", "/var/tmp")


def is_flocked(descriptor: int) -> bool:
    """Whether another open file holds an exclusive flock on the file.

    It takes and drops a shared lock to find out, which can make an exclusive attempt of the same instant fail once:
    takers therefore try again (see `FileLock.acquire`).  Raises OSError where the file can not be locked at all.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return True
        raise
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def hold_directory(path: str) -> int:
    """A descriptor of the directory with a shared flock on it, which makes tmp cleaners leave it alone.

    systemd-tmpfiles skips directories that it can not lock itself (tmpfiles.d(5), since v246); sharing the lock lets
    several portsup use one directory.  Raises OSError, also where `path` is a symbolic link or no directory.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with contextlib.suppress(OSError):  # a cleaner has it for this moment, or the file system knows no locks
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return descriptor


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files to the hard one; gives the old soft limit, which children should get back."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS says RLIM_INFINITY and then refuses more than OPEN_MAX (setrlimit(2)).
    for limit in (hard, 10240):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            break
        except (OSError, ValueError):
            continue
    return soft


def descriptor_limit() -> int:
    """How many files a process of ours may have open when it asks for all it can get."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 1 << 30 if hard == resource.RLIM_INFINITY else hard
