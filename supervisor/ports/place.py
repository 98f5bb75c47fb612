"""Where a socket is bound, in the words of core."""

import contextlib
import socket

from supervisor.core.handoff import Place
from supervisor.ports.reservation import resolve


def place_of(host: str) -> Place:
    """Where a service listens that is told to listen on `host`; raises OSError for what is not of this machine."""
    family, address = resolve(host)
    return Place(int(family), address)


def place_of_socket(sock: socket.socket, address: str = "", scope: int = 0) -> Place:
    """Where a socket is bound, or would be at an address."""
    if not address:
        name = sock.getsockname()
        address, scope = name[0].partition("%")[0], name[3] if len(name) > 3 else 0
    v6_only = False
    if sock.family == socket.AF_INET6 and address == "::":
        with contextlib.suppress(OSError):
            v6_only = bool(sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    return Place(int(sock.family), address, v6_only, scope)
