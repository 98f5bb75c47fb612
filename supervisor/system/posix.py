"""What Linux and macOS have in common."""

import contextlib
import errno
import fcntl
import os

from supervisor.files.directory import user_name as user_name

TYPE_CHECKING = False  # what costs the quick commands milliseconds
if TYPE_CHECKING:
    import socket
    from pathlib import Path


def exclusive(sock: "socket.socket") -> None:
    """Make the coming bind of `sock` exclusive: nothing to do here, it is as long as SO_REUSEADDR is off."""


def serve_alone(sock: "socket.socket") -> None:
    """Have the coming bind of `sock`, which will listen, pass connections that linger, and no listener."""
    import socket

    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def bind_past_lingering(cover: "socket.socket", place: tuple[str, int]) -> None:
    """Bind a cover where connections of an earlier server linger in TIME_WAIT; raises OSError if that is not all.

    SO_REUSEADDR passes them, and it can be cleared again once the socket is bound: listening for an instant settles the
    port (a socket that was only bound beside others with SO_REUSEADDR may be joined), shutdown makes it silent again.
    """
    import socket

    cover.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    cover.bind(place)
    cover.listen(1)  # from here on nobody can join, SO_REUSEADDR or not
    cover.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    with contextlib.suppress(OSError):
        cover.shutdown(socket.SHUT_RD)


def try_lock(descriptor: int) -> bool:
    """Take the lock by flock(2), which is what portalocker does on Unix: to load that would take a start 4 ms."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    return True


def current_user_id() -> int:
    """The user whose files and processes are ours."""
    return os.geteuid()


def temporary_directory() -> str:
    """Where every process of this user puts what need not survive a reboot.

    Not $TMPDIR as long as there is /tmp: two shells with different ones would not see each other's locks.
    """
    return "/tmp" if os.path.isdir("/tmp") else os.environ.get("TMPDIR", "/var/tmp")


def listen_for_control(path: "Path", backlog: int) -> "socket.socket":
    """A socket at `path` that listens, for its user alone, in the place of a dead one; raises OSError."""
    import socket

    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | getattr(socket, "SOCK_CLOEXEC", 0))
    try:
        listening.setblocking(False)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        listening.bind(os.fspath(path))
        try:
            path.chmod(0o600)
            listening.listen(backlog)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
    except BaseException:
        listening.close()
        raise
    return listening


def runtime_directory() -> str:
    """Where locks and records are: `/run/portsup` for root and `<temp>/portsup-<uid>` for others.

    Not $XDG_RUNTIME_DIR: it vanishes at logout, and with it every lock of a daemon.
    """
    user = current_user_id()
    return "/run/portsup" if user == 0 else os.path.join(temporary_directory(), f"portsup-{user}")


def usual_state_directory() -> str:
    """Where logs are: `/var/lib/portsup` for root, and what the XDG base directory specification says for others."""
    if current_user_id() == 0:
        return "/var/lib/portsup"
    # A relative path there is to be ignored.
    home = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(home):
        home = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(home, "portsup")


def is_flocked(descriptor: int) -> bool:
    """Whether another open file holds an exclusive flock on the file.

    It takes and drops a shared lock to find out, which can make an exclusive attempt of the same instant fail once:
    takers therefore try again (see `FileLock.acquire`).  Raises OSError where the file cannot be locked at all.
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

    systemd-tmpfiles skips directories that it cannot lock itself (tmpfiles.d(5), since v246); sharing the lock lets
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
