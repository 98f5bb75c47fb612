"""Sockets that are opened, bound, or begin to listen beneath the covers of one port."""

import errno
import socket
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager

from supervisor import system
from supervisor.annotations import TypeVar
from supervisor.core.handoff import Place
from supervisor.ports.place import place_of_socket
from supervisor.ports.reservation import Reservation
from supervisor.ports.socket_options import copy_before_bind, share

T = TypeVar("T")
Others = Callable[[Place], AbstractContextManager[Sequence[socket.socket]]]  # the sockets at other places
TRIES = 20  # to get beneath the covers, each a few microseconds long, while others try to get there too


class Openings:
    """What can be opened on a port; each raises OSError, and leaves nothing open then."""

    def __init__(self, reservation: Reservation, others: Others) -> None:
        self.port = reservation.port
        self._reservation = reservation
        self._others = others

    def bind(self, sock: socket.socket, place: Place, beside: Collection[socket.socket]) -> None:
        """Bind a socket at a place where those `beside` may listen already."""
        with self._others(place) as others:
            _keep_trying(lambda: self._reservation.bind(sock, place.address, place.scope, beside, others))

    def begin(
        self, sock: socket.socket, backlog: int, beside: Collection[socket.socket], known: Collection[int]
    ) -> None:
        """Have a bound socket listen, beside others; `known` are the inodes of all that may."""
        with self._others(place_of_socket(sock)) as others:
            _keep_trying(lambda: self._reservation.begin_listening(sock, backlog, beside, known, others))

    def bound(self, place: Place, like: socket.socket, beside: Collection[socket.socket] = ()) -> socket.socket:
        """A new one with the options of another one, bound."""
        sock = self._made(place)
        try:
            copy_before_bind(like, sock)
            self.bind(sock, place, beside)
        except BaseException:
            sock.close()
            raise
        return sock

    def beside(
        self, place: Place, like: socket.socket, beside: Collection[socket.socket], known: Collection[int]
    ) -> socket.socket:
        """A new one that listens beside others, and shares the port as `like` does."""
        sock = self.bound(place, like, beside)
        try:
            self.begin(sock, socket.SOMAXCONN, beside, known)
            if like.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT):
                share(sock)
        except BaseException:
            sock.close()
            raise
        return sock

    def listening(self, place: Place) -> socket.socket:
        """A new one that listens."""
        return _keep_trying(lambda: self._listening(place))

    def _listening(self, place: Place) -> socket.socket:
        if not system.SWAPS_UNDER_COVERS:
            return self._reservation.open_service_socket(place.address)
        sock = self._made(place)
        try:
            self._reservation.listen(sock, place.address)
        except BaseException:
            sock.close()
            raise
        return sock

    def _made(self, place: Place) -> socket.socket:
        sock = socket.socket(place.family, socket.SOCK_STREAM)
        if place.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, place.v6_only)
        return sock


def _keep_trying(act: Callable[[], T]) -> T:
    """What `act` gives; tries again while somebody gets in between."""
    for left in reversed(range(TRIES)):
        try:
            return act()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or left == 0:
                raise
    raise AssertionError("unreachable")
