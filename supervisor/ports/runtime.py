"""The directory where locks, records and control sockets are."""

import contextlib
import errno
import os
import stat

from supervisor import system
from supervisor.errors import PortsupError

_ENVIRONMENT = "PORTSUP_RUNTIME_DIR"
_REASONS = {
    errno.EROFS: ("its file system is read-only", ""),
    errno.ENOSPC: ("its disk is full", ""),
    errno.EDQUOT: ("your quota on its disk is used up", ""),
    errno.EACCES: ("permission denied", ""),
    errno.EPERM: ("not permitted", ""),
    errno.ENOTDIR: ("part of the path is not a directory", ""),
    errno.ELOOP: ("it is a symbolic link, which could lead anywhere", "remove the link"),
    errno.ENAMETOOLONG: ("the path is too long", ""),
}
_ELSEWHERE = f"name another one in {_ENVIRONMENT}"


class RuntimeDir:
    """A directory that only its user can enter, so that nobody else can hold or fake a lock.

    `open` makes it and keeps a shared flock on it, which tmp cleaners respect; `find` only looks.
    """

    def __init__(self, path: str, descriptor: int = -1) -> None:
        self.path = path
        self.ports = os.path.join(path, "ports")
        self.instances = os.path.join(path, "instances")
        self._descriptor = descriptor

    @classmethod
    def find(cls, path: str | None = None) -> "RuntimeDir":
        """The runtime directory as it is, for readers: it may be missing, nothing is made or locked.

        Raises PortsupError if somebody else could have put things there.
        """
        path = os.path.abspath(path or default_path())
        try:
            _check(path, os.lstat(path))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise _error("use", path, error) from error
        return cls(path)

    @classmethod
    def open(cls, path: str | None = None) -> "RuntimeDir":
        """The runtime directory, made if need be, checked and held; raises PortsupError if it can not be used."""
        path = os.path.abspath(path or default_path())
        try:
            _make(path, parents=True)
            descriptor = system.hold_directory(path)
        except OSError as error:
            raise _error("use", path, error) from error
        try:
            runtime = cls(path, descriptor)
            for directory in (runtime.ports, runtime.instances):
                _make(directory)
        except OSError as error:
            os.close(descriptor)
            raise _error("use", path, error) from error
        except BaseException:
            os.close(descriptor)
            raise
        return runtime

    def port_lock(self, port: int) -> str:
        """Path of the lock file of a port."""
        return f"{self.ports}/{port}.lock"

    def port_record(self, port: int) -> str:
        """Path of the record that tells who has the port."""
        return f"{self.ports}/{port}.json"

    def instance_lock(self, stack: str, instance: int) -> str:
        """Path of the lock file of an instance number."""
        return f"{self.instances}/{stack}-{instance}.lock"

    def instance_record(self, stack: str, instance: int) -> str:
        """Path of the record that tells who has the instance number."""
        return f"{self.instances}/{stack}-{instance}.json"

    def endpoints(self, stack: str, instance: int) -> str:
        """Path of the file with the live address of every service."""
        return f"{self.path}/{stack}-{instance}.endpoints.json"

    def socket(self, stack: str, instance: int) -> str:
        """Path of the control socket; raises PortsupError if no socket can have so long a path."""
        path = f"{self.path}/{stack}-{instance}.sock"
        length = len(os.fsencode(path))
        if length > system.SOCKET_PATH_MAX:
            raise PortsupError(
                f"cannot make the control socket `{path}`",
                f"its path has {length} bytes, and a unix socket can have {system.SOCKET_PATH_MAX}",
                f"set {_ENVIRONMENT} to a shorter path",
            )
        return path

    def notify_socket(self, stack: str, instance: int, service: str) -> str:
        """Path of the socket on which a service says how it is."""
        return f"{self.path}/{stack}-{instance}@{service}.notify.sock"

    def touch_all(self) -> None:
        """Make the directories look fresh, so that no tmp cleaner takes them for forgotten."""
        for directory in (self.path, self.ports, self.instances):
            with contextlib.suppress(OSError):
                os.utime(directory)

    def close(self) -> None:
        """Let the directory go; it stays where it is."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def default_path() -> str:
    """$PORTSUP_RUNTIME_DIR, else `/run/portsup` for root and `<temp>/portsup-<uid>` for others.

    Not $XDG_RUNTIME_DIR: it vanishes at logout, and with it every lock of a daemon.
    """
    given = os.environ.get(_ENVIRONMENT)
    if given:
        return given
    user = system.current_user_id()
    if user == 0:
        return "/run/portsup"
    return os.path.join(system.temporary_directory(), f"portsup-{user}")


def error_in(what: str, path: str, error: OSError) -> PortsupError:
    """An OS error about a file of the runtime directory, in words; `what` starts with "cannot"."""
    why, hint = _REASONS.get(error.errno or 0, (error.strerror or str(error), ""))
    return PortsupError(what, f"`{path}`: {why}", hint)


def _make(path: str, *, parents: bool = False) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        if parents:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            os.mkdir(path, 0o700)
            os.chmod(path, 0o700)  # whatever the umask took away
        except FileExistsError:
            pass  # somebody was faster: look at what it is
        found = os.lstat(path)
    _check(path, found)


def _check(path: str, found: os.stat_result) -> None:
    what = f"cannot use the runtime directory `{path}`"
    if stat.S_ISLNK(found.st_mode):
        raise PortsupError(what, *_REASONS[errno.ELOOP])
    if not stat.S_ISDIR(found.st_mode):
        raise PortsupError(what, "it is a file, not a directory", f"remove it, or {_ELSEWHERE}")
    user = system.current_user_id()
    if user < 0:
        return  # Windows: the user's own temp directory is closed to others by its access list
    if found.st_uid != user:
        raise PortsupError(what, f"it belongs to {system.user_name(found.st_uid)}, not to you", _ELSEWHERE)
    if found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        raise PortsupError(what, f"others may enter it (mode {mode:04o})", f"chmod 700 {path}, or {_ELSEWHERE}")


def _error(verb: str, path: str, error: OSError) -> PortsupError:
    why, hint = _REASONS.get(error.errno or 0, (error.strerror or str(error), ""))
    return PortsupError(f"cannot {verb} the runtime directory `{path}`", why, hint or _ELSEWHERE)
