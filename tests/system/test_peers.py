"""Whose the other end of a connection of this machine is."""

import os
import socket
import sys

import pytest

from supervisor import system
from supervisor.system import peers

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform != "linux", reason="sock_diag is of Linux")]
PLACES = [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.3"), ("::1", "::1"), ("::", "127.0.0.1"), ("::", "::1")]


@pytest.mark.parametrize(("at", "to"), PLACES)
def test_it_is_the_users_that_has_opened_it_until_nobody_has_it_any_more(at: str, to: str) -> None:
    with socket.create_server((at, 0), family=family_of(at), dualstack_ipv6=at == "::") as server:
        client = socket.create_connection((to, server.getsockname()[1]))
        connection, _ = server.accept()
        with connection:
            assert system.user_of_peer(connection) == os.getuid()
            client.shutdown(socket.SHUT_WR)
            assert system.user_of_peer(connection) == os.getuid()
            client.close()
            assert system.user_of_peer(connection) is None


@pytest.mark.skipif(os.getuid() != 0, reason="root alone opens sockets for others")
def test_it_may_be_another_users() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        os.fchown(client.fileno(), 65534, -1)
        client.connect(server.getsockname())
        connection, _ = server.accept()
        with connection:
            assert system.user_of_peer(connection) == 65534


def test_a_number_that_stands_for_everybody_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a user namespace in which not everybody has a number."""
    monkeypatch.setattr(peers, "_nobodys", os.getuid)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        connection, _ = server.accept()
        with connection:
            assert system.user_of_peer(connection) is None


def test_where_the_kernel_does_not_answer_nobody_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise PermissionError

    monkeypatch.setattr(peers, "_ask", refuse)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        connection, _ = server.accept()
        with connection:
            assert system.user_of_peer(connection) is None


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
