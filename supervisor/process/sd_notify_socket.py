"""The socket on which a service says how it is, sd_notify(3): datagrams with the pid of who sent them."""

import array
import contextlib
import os
import socket
import struct

from supervisor import system
from supervisor.core.sd_notify import LONGEST
from supervisor.dataclass import dataclass
from supervisor.files.closing import Closer

_CREDENTIALS = struct.Struct("=iII")  # struct ucred, unix(7)
_MOST_DESCRIPTORS = 253  # of one datagram, SCM_MAX_FD
_PASSCRED = getattr(socket, "SO_PASSCRED", None)  # Linux only
_CREDENTIALS_TYPE = getattr(socket, "SCM_CREDENTIALS", None)
_CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class Datagram:
    """What came; `sender` is 0 where its namespace hides it, None where the system does not tell."""

    data: bytes
    sender: int | None


class NotifySocket:
    """One such socket; `address` is what its service finds in NOTIFY_SOCKET."""

    def __init__(self, path: str, *, is_abstract: bool = False) -> None:
        """At `path`, or under a name that is no file; raises OSError.

        A name that is no file can be reached from everywhere in the network namespace, by any user and whatever the
        file system looks like; it is also taken where the path would be too long.
        """
        self._path = ""
        self._closer = Closer()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            if _PASSCRED is not None:
                self._socket.setsockopt(socket.SOL_SOCKET, _PASSCRED, 1)
                if is_abstract or len(os.fsencode(path)) > system.SOCKET_PATH_MAX:
                    name = f"portsup-{os.urandom(8).hex()}"
                    self._socket.bind(f"\0{name}")
                    self.address = f"@{name}"
                    return
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)  # of an instance that was killed: ours alone, by the lock of its number
            self._socket.bind(path)
            self.address = self._path = path
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Readable when something came."""
        return self._socket.fileno()

    @property
    def has_many_to_close(self) -> bool:
        """Whether so many descriptors came along that are not closed yet that nothing is to be received now."""
        return self._closer.is_full

    def is_in_place(self) -> bool:
        """Whether a service still gets there."""
        return not self._path or os.path.exists(self._path)

    def receive(self) -> Datagram | None:
        """The next datagram, None if there is none.

        Descriptors that came along are closed, which ends a BARRIER=1: pipes at once, others without waiting for that.
        """
        space = socket.CMSG_SPACE(_CREDENTIALS.size) + socket.CMSG_SPACE(4 * _MOST_DESCRIPTORS)
        try:
            data, more, _, _ = self._socket.recvmsg(LONGEST + 1, space, socket.MSG_DONTWAIT | _CLOSE_ON_EXEC)
        except OSError:  # nothing there, or no memory for it just now
            return None
        sender: int | None = None if _PASSCRED is None else 0
        for level, kind, content in more:
            if level != socket.SOL_SOCKET:
                continue
            if kind == socket.SCM_RIGHTS:
                descriptors = array.array("i")
                descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
                self._closer.close(descriptors)
            elif kind == _CREDENTIALS_TYPE:
                sender = _CREDENTIALS.unpack_from(content)[0]
        return Datagram(data, sender)

    def close(self) -> None:
        """Nothing comes any more."""
        self._closer.end()
        self._socket.close()
        if self._path:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
