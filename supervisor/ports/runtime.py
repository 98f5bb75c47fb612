"""The directory where locks, records and control sockets are."""

import contextlib
import os

from supervisor import system
from supervisor.errors import PortsupError
from supervisor.files.directory import check, make
from supervisor.files.opening import Refused, close, explained
from supervisor.words import directories as words


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
            _check(path)
        except OSError as error:
            raise _error(path, error) from error
        return cls(path)

    @classmethod
    def open(cls, path: str | None = None) -> "RuntimeDir":
        """The runtime directory, made if need be, checked and held; raises PortsupError if it cannot be used."""
        path = os.path.abspath(path or default_path())
        try:
            _make(path)
            descriptor = system.hold_directory(path)
        except OSError as error:
            raise _error(path, error) from error
        try:
            runtime = cls(path, descriptor)
            for directory in (runtime.ports, runtime.instances):
                _make(directory)
        except OSError as error:
            close(descriptor)
            raise _error(path, error) from error
        except BaseException:
            close(descriptor)
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
            raise words.path_too_long(path, length, system.SOCKET_PATH_MAX)
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
    """$PORTSUP_RUNTIME_DIR, else what is usual on this system."""
    return os.environ.get(words.RUNTIME) or system.runtime_directory()


def error_in(what: str, path: str, error: OSError) -> PortsupError:
    """An OS error about a file of the runtime directory, in words; `what` starts with "cannot"."""
    return PortsupError(what, f"`{error.filename or path}`: {explained(error)}", _hint(error))


def _make(path: str) -> None:
    if not os.path.lexists(path):
        make(path)
    _check(path)


def _check(path: str) -> None:
    check(path, words.runtime_unusable(path), is_closed=True, elsewhere=words.RUNTIME_ELSEWHERE)


def _error(path: str, error: OSError) -> PortsupError:
    return PortsupError(words.runtime_unusable(path), explained(error), _hint(error) or words.RUNTIME_ELSEWHERE)


def _hint(error: OSError) -> str:
    if isinstance(error, Refused):
        return words.IN_THE_WAY
    return words.hint_for(error.errno)
