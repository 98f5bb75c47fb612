"""Ports on which something is left that a plain bind does not pass, or that nobody is told of."""

import socket

from supervisor import system
from tests.support.eventually import eventually


def leave_time_wait(port: int, family: socket.AddressFamily = socket.AF_INET, host: str = "127.0.0.1") -> None:
    """Leaves a connection in TIME_WAIT on the server's side of `port`."""
    with socket.socket(family) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((host, port))
        server.listen()
        with socket.create_connection((host, port)) as client:
            accepted, _ = server.accept()
            accepted.close()
            assert client.recv(1) == b""
    eventually(lambda: any(not found.inode for found in system.sockets_on((port,))), within=5)


def tells_of_bound_sockets() -> bool:
    """Whether the kernel tells of sockets that are bound and nothing else, as Linux does since 6.8."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return bool(system.bound_only((sock.getsockname()[1],)))
