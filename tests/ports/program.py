"""What a program does with the sockets that portsup keeps, and its clients."""

import os
import socket

import pytest

from supervisor import system
from supervisor.core.handoff import V4, V6, Place
from supervisor.ports.seat import Claim, inode_of
from supervisor.ports.service_sockets import ServiceSockets

LOCAL, LOCAL6, EVERY = Place(V4, "127.0.0.1"), Place(V6, "::1"), Place(V4, "0.0.0.0")
MAPPED, BOTH, EVERY6 = Place(V6, "::ffff:127.0.0.1"), Place(V6, "::"), Place(V6, "::", v6_only=True)
needs_moving = pytest.mark.skipif(not system.moves_queues(), reason="queues do not move here: not root, or no sysctl")


def own(place: Place, *, shared: bool = False) -> socket.socket:
    """The socket that a program makes for itself."""
    sock = socket.socket(place.family)
    if place.family == V6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, place.v6_only)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
    return sock


def bind(sockets: ServiceSockets, place: Place, sock: socket.socket, who: str = "1") -> Claim:
    shared = bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))
    claim = Claim(who, inode_of(sock), os.getpid(), sock.fileno(), shared)
    sockets.bind(place, sock, claim)
    return claim


def begin(sockets: ServiceSockets, place: Place, sock: socket.socket, who: str = "1") -> socket.socket:
    """What a process does: bind and listen."""
    sockets.listen(sock, bind(sockets, place, sock, who), 200)
    return sock


def connects(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), 2).close()
    except ConnectionRefusedError:
        return False
    return True


def waiting(port: int, count: int = 5, host: str = "127.0.0.1") -> list[socket.socket]:
    """Clients that wait in the queue."""
    return [socket.create_connection((host, port), 2) for _ in range(count)]


def accepted(sock: socket.socket, within: float = 0.2) -> set[object]:
    """The clients that wait there, by their addresses, until none has come for so many seconds."""
    found = set()
    sock.settimeout(within)
    try:
        while True:
            connection, address = sock.accept()
            connection.close()
            found.add(address)
    except (TimeoutError, BlockingIOError):
        return found
