"""Holding a TCP port in the kernel without listening on it.

A socket bound to the wildcard address with SO_REUSEADDR off makes every other bind of that port fail with EADDRINUSE:
IPv4 and IPv6, loopback, other local addresses and wildcard, with and without SO_REUSEADDR and SO_REUSEPORT.  It need
not listen, so clients are refused as if nobody was there.  Two such *covers* hold a port, one for each family.

Connections of an earlier server that linger in TIME_WAIT make the plain bind fail for a minute.  SO_REUSEADDR passes
them, and it can be cleared again once the socket is bound: listening for an instant settles the port (a socket that
was only bound beside others with SO_REUSEADDR may be joined), shutdown makes it silent again.
All of it was tried on Linux 6.18; macOS lets a specific address be bound beside a wildcard, hence its more covers.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Collection, Sequence

from supervisor import system
from supervisor.dataclass import dataclass

# The family is missing on this machine, or switched off: nobody can bind it either.
_NO_SUCH_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}
Place = tuple[str, int] | tuple[str, int, int, int]  # as bind takes it, ip(7) and ipv6(7)

_SO_REUSEPORT = getattr(socket, "SO_REUSEPORT", 0)  # none on Windows, where nothing slips beneath covers
_NOT_THE_PORT = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


@dataclass(frozen=True, slots=True)
class Refused:
    """The port could not be held; `errno` tells why."""

    errno: int


class Reservation:
    """A held port; made by `reserve`."""

    __slots__ = ("_covers", "_gave_way", "port")

    def __init__(self, port: int, covers: Sequence[socket.socket]) -> None:
        self.port = port
        self._covers = tuple(covers)
        self._gave_way = False

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

        The port is never free in between, but for a few microseconds its covers can be joined by who tries just then.
        That is looked for at the end, so a socket that is given back is alone on the port, and stays it.
        `host` "::" serves both families.  Raises OSError: EADDRNOTAVAIL for an address that is not of this machine,
        EADDRINUSE if somebody joined; nobody can from then on, and who did must be waited for or avoided.
        """
        family, address = resolve(host)
        if not system.SWAPS_UNDER_COVERS:
            self.close()
            self._gave_way = True
            return _listener(family, address, self.port)
        service = socket.socket(family, socket.SOCK_STREAM)
        try:
            if family == socket.AF_INET6:
                service.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address != "::"))
            self.listen(service, address)
        except BaseException:
            service.close()
            raise
        return service

    def listen(
        self, service: socket.socket, address: str, scope: int = 0, beside: Collection[socket.socket] = ()
    ) -> None:
        """Have `service` listen on `address` beneath the covers, as `open_service_socket` does.

        `beside` are other sockets of ours on the port.  Raises OSError; then the caller closes `service`.
        """
        place = _place(service, address, self.port, scope)

        def act() -> None:
            service.bind(place)
            service.listen(socket.SOMAXCONN)

        self._slip(service, address, place, beside, act)

    def bind(
        self, service: socket.socket, address: str, scope: int = 0, beside: Collection[socket.socket] = ()
    ) -> None:
        """The same, but clients are refused until `begin_listening`."""
        place = _place(service, address, self.port, scope)
        self._slip(service, address, place, beside, lambda: service.bind(place))

    def begin_listening(self, service: socket.socket, beside: Collection[socket.socket] = ()) -> None:
        """Have a `service` that is bound listen; raises OSError."""
        place = service.getsockname()
        self._slip(service, place[0], place, beside, lambda: service.listen(socket.SOMAXCONN))

    def _slip(
        self, service: socket.socket, address: str, place: Place, beside: Collection[socket.socket],
        act: Callable[[], None],
    ) -> None:  # fmt: skip
        families = _families(service, address)
        beneath = [cover for cover in self._covers if cover.family in families]
        others = [cover for cover in self._covers if cover not in beneath]
        # It stays on: accepted sockets inherit it, and without it their TIME_WAIT would block the next bind.
        service.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        shared = [each for each in (service, *beside) if each.getsockopt(socket.SOL_SOCKET, _SO_REUSEPORT)]
        for each in shared:  # or else it could be joined as well
            each.setsockopt(socket.SOL_SOCKET, _SO_REUSEPORT, 0)
        try:
            if not system.slip_beneath(beneath, service, address, act):
                _let_join(beneath, True)
                try:
                    act()
                finally:
                    _let_join(beneath, False)
                    _seal(others)
            if not _is_alone((service, *beside), self.port) or _is_joinable(service.family, place):
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        finally:
            for each in shared:
                each.setsockopt(socket.SOL_SOCKET, _SO_REUSEPORT, 1)


def reserve(port: int) -> Reservation | Refused:
    """Hold `port` against every other bind on this machine, or the errno that says why it can not be held.

    Raises OSError only for what is no fault of the port, such as too many open files.
    """
    covers: list[socket.socket] = []
    try:
        lingering = [_add_cover(covers, family, address, port) for family, address in system.COVERS]
        if any(lingering) and _is_shared(port, covers):
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    except OSError as error:
        for cover in covers:
            cover.close()
        if error.errno in _NOT_THE_PORT:
            raise
        return Refused(error.errno or errno.EADDRINUSE)
    if not covers:
        return Refused(errno.EADDRNOTAVAIL)
    return Reservation(port, covers)


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
        if error.errno != errno.EADDRINUSE or not system.SWAPS_UNDER_COVERS:
            raise
    else:
        return False
    _let_join((cover,), True)
    cover.bind((address, port))
    cover.listen(1)  # from here on nobody can join, SO_REUSEADDR or not
    _let_join((cover,), False)
    with contextlib.suppress(OSError):
        cover.shutdown(socket.SHUT_RD)
    return True


def _is_shared(port: int, covers: Sequence[socket.socket]) -> bool:
    """Whether somebody had bound the port with SO_REUSEADDR and not listened yet: our bind has just joined it."""
    own = {os.fstat(cover.fileno()).st_ino for cover in covers}
    return any(other.inode not in own for other in system.bound_only((port,)))


def _place(service: socket.socket, address: str, port: int, scope: int) -> Place:
    return (address, port) if service.family == socket.AF_INET else (address, port, 0, scope)


def _families(service: socket.socket, address: str) -> tuple[int, ...]:
    """Of which families a socket of ours would keep `service` from `address`."""
    if service.family != socket.AF_INET6:
        return (socket.AF_INET,)
    if address == "::" and not service.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
        return socket.AF_INET, socket.AF_INET6
    return (socket.AF_INET,) if address.startswith("::ffff:") else (socket.AF_INET6,)


def _is_alone(services: Collection[socket.socket], port: int) -> bool:
    own = {os.fstat(service.fileno()).st_ino for service in services}
    return all(listener.inode in own for listener in system.listening((port,)))


def _is_joinable(family: int, place: Place) -> bool:
    """Whether the kernel still remembers somebody who joined with SO_REUSEPORT, see `_seal`; asking cures it, too."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, _SO_REUSEPORT, 1)
        try:
            probe.bind(place)
        except OSError:
            return False
    return True


def _seal(covers: Sequence[socket.socket]) -> None:
    """Make the kernel forget that anybody joined the port while its other covers could be joined.

    Linux keeps for each port, of both families together, what the last bind said about SO_REUSEPORT, and lets a bind
    with the same user and address pass without looking for conflicts (inet_csk_update_fastreuse in
    net/ipv4/inet_connection_sock.c).  A bind or listen without that option clears it, so a cover of the other family,
    which has no conflict with what was just bound, listens for an instant.
    """
    for cover in covers:
        try:
            cover.listen(1)
        except OSError:  # TIME_WAIT of its own family
            _let_join((cover,), True)
            with contextlib.suppress(OSError):
                cover.listen(1)
            _let_join((cover,), False)
        with contextlib.suppress(OSError):
            cover.shutdown(socket.SHUT_RD)


def _let_join(covers: Sequence[socket.socket], joinable: bool) -> None:
    for cover in covers:
        cover.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(joinable))


def _listener(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        system.exclusive(listener)
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
