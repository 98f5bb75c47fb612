"""Holding a TCP port in the kernel without listening on it.

A socket bound to the wildcard address with SO_REUSEADDR off makes every other bind of that port fail with EADDRINUSE:
IPv4 and IPv6, loopback, other local addresses and wildcard, with and without SO_REUSEADDR and SO_REUSEPORT.  It need
not listen, so clients are refused as if nobody was there.  Two such *covers* hold a port, one for each family.

Connections of an earlier server that linger in TIME_WAIT make the plain bind fail for a minute: see
`system.bind_past_lingering`.
All of it was tried on Linux 6.18; macOS lets a specific address be bound beside a wildcard, hence its more covers.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Collection, Iterable, Sequence

from supervisor import system
from supervisor.dataclass import dataclass

# The family is missing on this machine, or switched off: nobody can bind it either.
_NO_SUCH_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}
Place = tuple[str, int] | tuple[str, int, int, int]  # as bind takes it, ip(7) and ipv6(7)

_NOT_THE_PORT = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


@dataclass(frozen=True, slots=True)
class Refused:
    """The port could not be held; `errno` tells why."""

    errno: int


class Reservation:
    """A held port; made by `reserve`, or by `hold`: then it may be doubtful, until `joined` was asked."""

    __slots__ = ("_covers", "_gave_way", "is_doubtful", "port")

    def __init__(self, port: int, covers: Sequence[socket.socket], *, is_doubtful: bool = False) -> None:
        self.port = port
        self.is_doubtful = is_doubtful
        self._covers = tuple(covers)
        self._gave_way = False

    def inodes(self) -> set[int]:
        """The covers, as the kernel's tables name them."""
        return {os.fstat(cover.fileno()).st_ino for cover in self._covers}

    def close(self) -> None:
        """Let the port go; may be called twice."""
        for cover in self._covers:
            cover.close()
        self._covers = ()

    def cover_again(self) -> None:
        """Hold the port again, if possible, where the covers had to give way to a service socket that is closed now."""
        if self._gave_way and isinstance(again := reserve(self.port), Reservation):
            self._covers, self._gave_way = again._covers, False

    def open_service_socket(self, host: str = "127.0.0.1") -> socket.socket:
        """A socket that listens on `host` (an IP address or a name of this machine) and this port; the covers stay.

        The port is never free in between.  For an ordinary user its covers can be joined for a few microseconds (see
        `slip_beneath`), which is looked for at the end: a socket that is given back is alone on the port, and stays it.
        `host` "::" serves both families.  Raises OSError: EADDRNOTAVAIL for an address that is not of this machine,
        EADDRINUSE if somebody joined; nobody can from then on, and who did must be waited for or avoided.
        """
        family, address = resolve(host)
        if not system.SWAPS_UNDER_COVERS:
            self.close()
            self._gave_way = True
            return _listener(family, address, self.port)
        # By name: asyncio sets TCP_NODELAY only on the connections of sockets that say which protocol they are of.
        service = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if family == socket.AF_INET6:
                service.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address != "::"))
            self.listen(service, address)
        except BaseException:
            service.close()
            raise
        return service

    def listen(self, service: socket.socket, address: str) -> None:
        """Have `service` listen on `address` beneath the covers, as `open_service_socket` does.

        Raises OSError; then the caller closes `service`.
        """
        place = _place(service, address, self.port, 0)

        def act() -> None:
            service.bind(place)
            service.listen(socket.SOMAXCONN)

        if system.slip_beneath(self._covers, (), service, address, self.port, act):
            self._insist((service,))

    def bind(
        self, service: socket.socket, address: str, scope: int = 0, beside: Collection[socket.socket] = (),
        others: Collection[socket.socket] = (),
    ) -> None:  # fmt: skip
        """Bind `service`, which listens only after `begin_listening`; `beside` are those that listen there already.

        `others` are those at other addresses of the port.  Raises OSError.  Somebody who came in with it is seen when
        it begins to listen.
        """
        place = _place(service, address, self.port, scope)
        system.slip_beneath(self._covers, beside, service, address, self.port, lambda: service.bind(place), others)

    def begin_listening(
        self, service: socket.socket, backlog: int, beside: Collection[socket.socket] = (),
        known: Collection[int] = (), others: Collection[socket.socket] = (),
    ) -> None:  # fmt: skip
        """Have a `service` that is bound listen; raises OSError, and then it does not.

        `beside` are those that listen there already, `known` the inodes of all that may listen on the port.
        """
        address = service.getsockname()[0]
        covers, port = self._covers, self.port
        if system.slip_beneath(covers, beside, service, address, port, lambda: service.listen(backlog), others):
            self._insist((service, *beside), known)

    def _insist(self, services: Sequence[socket.socket], known: Collection[int] = ()) -> None:
        """Raises OSError, and has the first of `services` listen no more, if somebody else listens on the port.

        So it does where that cannot be found out.
        """
        try:
            own = {*known, *(os.fstat(service.fileno()).st_ino for service in services)}
            if not all(listener.inode in own for listener in system.listening((self.port,))):
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        except OSError:
            with contextlib.suppress(OSError):
                services[0].shutdown(socket.SHUT_RD)
            raise


def reserve(port: int) -> Reservation | Refused:
    """Hold `port` against every other bind on this machine, or the errno that says why it cannot be held.

    Raises OSError only for what is no fault of the port, such as too many open files.
    """
    got = hold(port)
    if isinstance(got, Reservation) and joined((got,)):
        got.close()
        return Refused(errno.EADDRINUSE)
    return got


def hold(port: int) -> Reservation | Refused:
    """The same before it is known whether we have joined somebody, for who asks `joined` of many ports at once."""
    covers: list[socket.socket] = []
    try:
        lingering = [_add_cover(covers, family, address, port) for family, address in system.COVERS]
    except OSError as error:
        for cover in covers:
            cover.close()
        if error.errno in _NOT_THE_PORT:
            raise
        return Refused(error.errno or errno.EADDRINUSE)
    if not covers:
        return Refused(errno.EADDRNOTAVAIL)
    return Reservation(port, covers, is_doubtful=any(lingering))


def joined(held: Iterable[Reservation]) -> set[int]:
    """The ports that somebody had bound with SO_REUSEADDR and not listened yet: our bind past what lingers joined them.

    Asks the kernel at most once: it goes through all bound sockets of the machine for it, which takes 1.3 ms.
    """
    doubtful = [each for each in held if each.is_doubtful]
    if not doubtful:
        return set()
    own = {inode for each in doubtful for inode in each.inodes()}
    return {other.port for other in system.bound_only({each.port for each in doubtful}) if other.inode not in own}


def _add_cover(covers: list[socket.socket], family: socket.AddressFamily, address: str, port: int) -> bool:
    """Bind one cover; whether something lingered on the port that a plain bind could not pass."""
    try:
        cover = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        if error.errno in _NO_SUCH_FAMILY:
            return False
        raise
    covers.append(cover)
    system.exclusive(cover)
    if family == socket.AF_INET6:
        cover.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        cover.bind((address, port))
    except OSError as error:
        if error.errno in _NO_SUCH_FAMILY:
            covers.remove(cover)
            cover.close()
            return False
        if error.errno != errno.EADDRINUSE:
            raise
    else:
        return False
    system.bind_past_lingering(cover, (address, port))
    return True


def _place(service: socket.socket, address: str, port: int, scope: int) -> Place:
    return (address, port) if service.family == socket.AF_INET else (address, port, 0, scope)


def _listener(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        system.serve_alone(listener)
        listener.bind((address, port))
        listener.listen(socket.SOMAXCONN)
    except BaseException:
        listener.close()
        raise
    return listener


def resolve(host: str) -> tuple[socket.AddressFamily, str]:
    """The address that `host` stands for, and its family; raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return family, str(address[0])
