"""Who leaves a port, as the kernel tells of it."""

import select
import socket
import sys

import pytest

from supervisor import system
from tests.support.ports import free_port

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform != "linux", reason="sock_diag is of Linux")]


def test_clients_that_leave_are_told_and_listeners_that_close_are_not() -> None:
    port = free_port()
    departures = system.open_departures(port)
    told: list[int] = []
    clients: list[int] = []
    try:
        for _ in range(20):
            # A listener is gone a moment after it was closed, so each round may tell of the ones before.
            with socket.socket() as listener, socket.socket() as unused:
                for each in (listener, unused):
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                    each.bind(("127.0.0.1", port))
                listener.listen()
                with socket.create_connection(("127.0.0.1", port)) as client:
                    clients.append(client.getsockname()[1])
                    listener.accept()[0].close()
                while clients[-1] not in told:
                    assert select.select([departures.fileno()], [], [], 20)[0], "nobody is told of"
                    told += departures.read()
    finally:
        departures.close()
    assert set(told) == set(clients)
