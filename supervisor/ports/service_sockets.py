"""The sockets that a service listens on, held beside the service so that they outlive its process.

A service gets each of them in the place of its own when it binds, daemon/handoff.py.  Once the first process has
listened they listen for good: who connects while no process accepts waits in the queue, and is served by the next one.
"""

import contextlib
import errno
import functools
import os
import socket
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from supervisor import system
from supervisor.core.handoff import Place
from supervisor.ports.reservation import Reservation, resolve

T = TypeVar("T")
SWAPS = 20  # attempts to get beneath the covers, each a few microseconds long, while others try to get there too

_SOCKET, _TCP, _IP, _IPV6 = socket.SOL_SOCKET, socket.IPPROTO_TCP, socket.IPPROTO_IP, socket.IPPROTO_IPV6
_TIME_SIZE = 16  # bytes of a struct timeval
# What a program sets before it binds and expects of the connections that it accepts: socket(7), tcp(7), ip(7), ipv6(7).
_OPTIONS = (
    (_SOCKET, "SO_KEEPALIVE"), (_SOCKET, "SO_OOBINLINE"), (_SOCKET, "SO_PRIORITY"), (_SOCKET, "SO_MARK"),
    (_SOCKET, "SO_RCVLOWAT"), (_SOCKET, "SO_DONTROUTE"), (_SOCKET, "SO_INCOMING_CPU"),
    (_TCP, "TCP_NODELAY"), (_TCP, "TCP_KEEPIDLE"), (_TCP, "TCP_KEEPINTVL"), (_TCP, "TCP_KEEPCNT"),
    (_TCP, "TCP_DEFER_ACCEPT"), (_TCP, "TCP_USER_TIMEOUT"), (_TCP, "TCP_FASTOPEN"), (_TCP, "TCP_LINGER2"),
    (_TCP, "TCP_SYNCNT"), (_TCP, "TCP_WINDOW_CLAMP"), (_TCP, "TCP_NOTSENT_LOWAT"),
    (_IP, "IP_TOS"), (_IP, "IP_TTL"), (_IP, "IP_TRANSPARENT"), (_IP, "IP_BIND_ADDRESS_NO_PORT"),
    (_IPV6, "IPV6_TCLASS"), (_IPV6, "IPV6_UNICAST_HOPS"), (_IPV6, "IPV6_RECVPKTINFO"),
)  # fmt: skip
_NAMED = (("SO_LINGER", 8), ("SO_RCVTIMEO", _TIME_SIZE), ("SO_SNDTIMEO", _TIME_SIZE), ("SO_BINDTODEVICE", 16))
_SIZES = ("SO_RCVBUF", "SO_SNDBUF")  # read back doubled, socket(7)
_NUMBERS = {"SO_INCOMING_CPU": 49, "SO_RCVTIMEO": 20, "SO_SNDTIMEO": 21, "IP_FREEBIND": 15}  # those Python may not name


class ServiceSockets:
    """The sockets on one port; `port` stays reserved by its owner."""

    def __init__(self, reservation: Reservation) -> None:
        self.port = reservation.port
        self._reservation = reservation
        self._sockets: dict[Place, socket.socket] = {}
        self._claims: dict[object, set[Place]] = {}  # by process tree: there are two during a rolling restart
        self._listening: set[Place] = set()
        self._is_closed = False

    def places(self, who: object = None) -> Mapping[Place, bool]:
        """Where there is a socket, and whether the process tree `who` has asked for it."""
        claimed = self._claims.get(who, set())
        return {place: place in claimed for place in self._sockets}

    def held(self, who: object = None) -> frozenset[Place]:
        """The places that another process tree than `who` has asked for."""
        return frozenset(place for other, places in self._claims.items() if other != who for place in places)

    def inodes(self) -> frozenset[int]:
        """The sockets as the kernel's tables name them."""
        return frozenset(map(_inode, self._sockets.values()))

    def inode(self, place: Place) -> int:
        """The same of one."""
        return _inode(self._sockets[place])

    def has(self, sock: socket.socket) -> bool:
        """Whether this is one of ours, as seen by the process that got it."""
        return _inode(sock) in self.inodes()

    def claim(self, place: Place, like: socket.socket, who: object = None) -> socket.socket:
        """The socket of a place for the process tree `who`, with the options that its own socket `like` has.

        Raises OSError where there can be none: also for a process that binds only while it is ended, when these are
        closed.
        """
        if self._is_closed:
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        found = self._sockets.get(place)
        if found is not None and place in self._listening and not _listens(found):  # a process has shut it down
            self.retire((place,))
            found = None
        if found is None:
            found = self._open(place, like)
            self._sockets[place] = found
        else:
            _copy_options(like, found)
        # Not before it listens, or else others of our user could join.
        found.setsockopt(_SOCKET, socket.SO_REUSEPORT, like.getsockopt(_SOCKET, socket.SO_REUSEPORT))
        if place not in self.held(who):  # whoever has it too may be about to accept, and counts on not being blocked
            os.set_blocking(found.fileno(), os.get_blocking(like.fileno()))
        self._claims.setdefault(who, set()).add(place)
        return found

    def offer(self, host: str, who: object = None) -> socket.socket:
        """The socket of `host` for a process that gets it from the start: it listens, and blocks as a new one does.

        `host` is an address or a name of this machine; "::" serves both families.  Raises OSError.
        """
        place = place_of(host)
        found = self._sockets.get(place)
        if found is None or not _listens(found):  # a process has shut it down
            held = self.held(who)
            self.retire([other for other in self._sockets if other.overlaps(place) and other not in held])
            found = self._sockets[place] = _keep_trying(lambda: self._open_listening(place))
        if place not in self.held(who):
            os.set_blocking(found.fileno(), True)
        self._claims.setdefault(who, set()).add(place)
        self._listening.add(place)
        return found

    def listens(self, place: Place) -> bool:
        """Whether clients get through to the socket of a place, or to its queue."""
        return place in self._listening

    def listen(self, theirs: socket.socket) -> None:
        """Have the socket that a process knows as `theirs` listen, if it does not; raises OSError."""
        inode = _inode(theirs)
        for place, sock in self._sockets.items():
            if _inode(sock) == inode and not _listens(sock):
                self._begin_listening(sock)
                self._listening.add(place)

    def process_ended(self, who: object = None) -> None:
        """The process tree `who` is gone: its sockets are left over for the next one, with all the queue there is."""
        self._claims.pop(who, None)
        held = self.held()
        for place, sock in tuple(self._sockets.items()):
            if place in held:
                if place in self._listening and not _listens(sock):  # it was shut down by the one, and is needed still
                    self._begin_listening(sock)
            elif _listens(sock):
                sock.listen(socket.SOMAXCONN)  # in place of what the process had said
            else:
                self.retire((place,))

    def retire(self, places: Collection[Place]) -> None:
        """Close the sockets of some places; who waits there is refused."""
        for place in places:
            for claimed in self._claims.values():
                claimed.discard(place)
            self._listening.discard(place)
            self._sockets.pop(place).close()

    def retire_unclaimed(self) -> None:
        """Close those that no process has asked for."""
        self.retire(self._sockets.keys() - {place for places in self._claims.values() for place in places})

    def close(self) -> None:
        """Close all of ours, for good; a process that has one keeps it."""
        self._is_closed = True
        self.retire(tuple(self._sockets))
        self._reservation.cover_again()

    def _begin_listening(self, sock: socket.socket) -> None:
        _keep_trying(lambda: self._reservation.begin_listening(sock, self._beside(sock)))

    def _open(self, place: Place, like: socket.socket) -> socket.socket:
        return _keep_trying(lambda: self._try_to_open(place, like))

    def _try_to_open(self, place: Place, like: socket.socket) -> socket.socket:
        sock = socket.socket(place.family, socket.SOCK_STREAM)
        try:
            if place.family == socket.AF_INET6:
                sock.setsockopt(_IPV6, socket.IPV6_V6ONLY, place.v6_only)
            with contextlib.suppress(OSError):
                free = _NUMBERS["IP_FREEBIND"]
                sock.setsockopt(_IP, free, like.getsockopt(_IP, free))
            _copy_options(like, sock)
            self._reservation.bind(sock, place.address, place.scope, self._beside(sock))
        except BaseException:
            sock.close()
            raise
        return sock

    def _open_listening(self, place: Place) -> socket.socket:
        if not system.SWAPS_UNDER_COVERS:
            return self._reservation.open_service_socket(place.address)
        sock = socket.socket(place.family, socket.SOCK_STREAM)
        try:
            if place.family == socket.AF_INET6:
                sock.setsockopt(_IPV6, socket.IPV6_V6ONLY, place.v6_only)
            self._reservation.listen(sock, place.address, beside=self._beside(sock))
        except BaseException:
            sock.close()
            raise
        return sock

    def _beside(self, sock: socket.socket) -> list[socket.socket]:
        return [other for other in self._sockets.values() if other is not sock]


def place_of(host: str) -> Place:
    """Where a service listens that is told to listen on `host`; raises OSError for what is not of this machine."""
    family, address = resolve(host)
    return Place(int(family), address)


def _keep_trying(act: Callable[[], T]) -> T:
    """What `act` gives; tries again while somebody gets in between."""
    for left in reversed(range(SWAPS)):
        try:
            return act()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or left == 0:
                raise
    raise AssertionError("unreachable")


def _listens(sock: socket.socket) -> bool:
    return bool(sock.getsockopt(_SOCKET, socket.SO_ACCEPTCONN))


def _inode(sock: socket.socket) -> int:
    return os.fstat(sock.fileno()).st_ino


def _copy_options(source: socket.socket, target: socket.socket) -> None:
    for level, number, size in _options(target.family):
        try:  # not known to this kernel, or not allowed
            value = source.getsockopt(level, number, size) if size else source.getsockopt(level, number)
            same = target.getsockopt(level, number, size) if size else target.getsockopt(level, number)
            if value != same:
                target.setsockopt(level, number, value)
        except OSError:
            continue
    for name in _SIZES:
        value = source.getsockopt(_SOCKET, getattr(socket, name))
        if value != target.getsockopt(_SOCKET, getattr(socket, name)):
            target.setsockopt(_SOCKET, getattr(socket, name), value // 2)


@functools.cache
def _options(family: int) -> tuple[tuple[int, int, int], ...]:
    """Level, number, and the size of the value where it is no int, of what this system knows for a family."""
    sized = ((level, name, 0) for level, name in _OPTIONS if level != _IPV6 or family == socket.AF_INET6)
    named = ((_SOCKET, name, size) for name, size in _NAMED)
    numbers = (
        (level, getattr(socket, name, None) or _NUMBERS.get(name), size) for level, name, size in (*sized, *named)
    )
    return tuple((level, number, size) for level, number, size in numbers if number is not None)
