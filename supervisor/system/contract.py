"""The values that the functions of `supervisor.system` exchange; the same on every operating system."""

from enum import StrEnum

from supervisor.dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

FOREVER = float("inf")  # seconds; `math`, which has the same, is a file of its own to import


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP socket that uses a local port.

    `uid` is -1 and `inode` 0 where the system does not tell (TIME_WAIT sockets have no inode anywhere).
    `pid` is 0 unless the system names the owner together with the socket (macOS and Windows do, Linux does not).
    """

    port: int
    family: "socket.AddressFamily"
    address: str
    uid: int = -1
    inode: int = 0
    listening: bool = True
    pid: int = 0
    v6_only: bool = False  # of `::`: IPv4 clients do not get there, as far as the system tells

    @property
    def is_untold(self) -> bool:
        """Whether the system tells nothing of whose it is: it may be anybody's."""
        return not (self.pid or self.inode)


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection of a client to a local port; `inode` is 0 until a program has accepted it."""

    peer_port: int
    inode: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What processes use together: processor time in seconds since they began, bytes of memory, how many they are.

    Memory that they share counts once where the system tells.
    """

    cpu_s: float
    memory: int
    processes: int


class WatchKind(StrEnum):
    """What happened to a watched path."""

    CREATED = "created"
    DELETED = "deleted"
    MOVED_AWAY = "moved-away"
    MOVED_HERE = "moved-here"
    WRITTEN = "written"  # closed by somebody who had it open for writing
    MODIFIED = "modified"
    GONE = "gone"  # the watched path itself was removed, moved or unmounted
    OVERFLOW = "overflow"  # events were dropped: look at everything


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change; `path` is the entry in a watched directory, or the watched path itself."""

    path: str
    kind: WatchKind


class Watch:
    """Tells of changes in directories and files without polling; made by `open_watch`.

    `misses_nothing`: of each change of what it watches it tells, whoever made it, but for times and modes.
    """

    misses_nothing = False

    def fileno(self) -> int:
        """The descriptor that becomes readable when something happened."""
        raise NotImplementedError

    def add(self, path: str, *, entries: bool = True, modified: bool = False) -> None:
        """Watch `path`; its own end is always told.

        `entries`: what comes, goes or is rewritten in the directory.  `modified`: every write to the file.
        Changed times and modes are never told, so that touching a watched file wakes nobody.
        Raises OSError where it cannot be watched.
        """
        raise NotImplementedError

    def read(self) -> list[WatchEvent]:
        """What happened since the last call, or the first part of it where that is much; never waits."""
        raise NotImplementedError

    def stop(self) -> None:
        """Watch nothing any more; `close` some milliseconds later takes no time then.

        The descriptor may be closed at once, and is negative then.
        """

    def close(self) -> None:
        """Stop watching, and give the descriptor back."""
        raise NotImplementedError


class SignalQueue:
    """Signals as something to read, one after the other; made by `open_signals`."""

    def fileno(self) -> int:
        """The descriptor that becomes readable when one came."""
        raise NotImplementedError

    def read(self) -> list[tuple[int, bool]]:
        """The numbers of those that came, each with whether the terminal sent it, to our whole process group."""
        raise NotImplementedError

    def close(self) -> None:
        """Reads no more; what comes from now on does nothing."""
        raise NotImplementedError


class Departures:
    """Tells of connections that are gone, of one local port; made by `open_departures`."""

    def fileno(self) -> int:
        """The descriptor that becomes readable when one is gone."""
        raise NotImplementedError

    def read(self) -> list[int]:
        """The ports of the clients that have left since the last call, 0 for one that is not known; never waits."""
        raise NotImplementedError

    def close(self) -> None:
        """Tell no more."""
        raise NotImplementedError
