"""A reserved port cannot be had by anybody, however they try."""

import errno
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from supervisor import system
from supervisor.ports.reservation import Refused, Reservation, reserve
from tests.ports.conftest import Stranger
from tests.support.lingering import leave_time_wait, tells_of_bound_sockets
from tests.support.ports import free_pool, free_port
from tests.support.thief import OTHER_ADDRESSES, thief, ways_in

pytestmark = pytest.mark.live


@contextmanager
def reserved(port: int) -> Iterator[Reservation]:
    held = reserve(port)
    assert isinstance(held, Reservation), held
    try:
        yield held
    finally:
        held.close()


def test_no_bind_gets_a_reserved_port() -> None:
    port = free_port()
    assert ways_in(port)
    with reserved(port):
        assert ways_in(port) == []
    assert ways_in(port)


def test_clients_of_a_reserved_port_are_refused_at_once() -> None:
    port = free_port()
    with reserved(port), pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)


def test_a_tight_loop_thief_gets_none_of_the_reserved_ports() -> None:
    ports = free_pool(6)
    held = [reserve(port) for port in ports]
    with thief(ports) as loot:
        time.sleep(1.0)
    for each in held:
        assert isinstance(each, Reservation)
        each.close()
    assert loot.tries > 1000
    assert loot.won == {}


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")], ids=["ipv4", "ipv6"]
)
def test_connections_in_time_wait_do_not_keep_us_off(family: socket.AddressFamily, host: str) -> None:
    port = free_port()
    try:
        leave_time_wait(port, family, host)
    except OSError as error:
        pytest.skip(f"no {host} here: {error}")
    with socket.socket(family) as plain:
        assert plain.connect_ex((host, port)) == errno.ECONNREFUSED
    with socket.socket(family) as plain, pytest.raises(OSError, match="in use"):
        plain.bind((host, port))
    with reserved(port):
        assert ways_in(port) == []
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, port), 1)


def test_a_port_that_somebody_listens_on_is_refused(stranger: Stranger) -> None:
    port = free_port()
    stranger(port, reuse=True)
    assert reserve(port) == Refused(errno.EADDRINUSE)


@pytest.mark.parametrize("reuse", [False, True])
def test_a_port_that_somebody_has_bound_without_listening_is_refused(stranger: Stranger, reuse: bool) -> None:
    port = free_port()
    if not tells_of_bound_sockets():
        pytest.skip("the kernel tells of bound sockets since 6.8")
    stranger(port, listens=False, reuse=reuse)
    assert reserve(port) == Refused(errno.EADDRINUSE)


def test_a_refused_reservation_leaves_nothing_behind(stranger: Stranger) -> None:
    port = free_port()
    process = stranger(port)
    assert isinstance(reserve(port), Refused)
    process.kill()
    process.wait()
    with reserved(port):
        pass
    assert ways_in(port)


def test_a_machine_without_ipv6_is_held_by_one_cover(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket

    def no_ipv6(family: int = socket.AF_INET, *rest: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return real(family, *rest)

    port = free_port()
    monkeypatch.setattr("supervisor.ports.reservation.socket.socket", no_ipv6)
    held = reserve(port)
    monkeypatch.undo()
    assert isinstance(held, Reservation)
    assert {way[1] for way in ways_in(port)} <= {"::1", *(each for each in OTHER_ADDRESSES if ":" in each)}
    held.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::", "localhost"])
def test_a_service_socket_listens_beneath_the_covers(host: str) -> None:
    port = free_port()
    with reserved(port) as held:
        try:
            service = held.open_service_socket(host)
        except OSError as error:
            pytest.skip(f"no {host} here: {error}")
        with service:
            assert ways_in(port) == []
            target = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, host)
            for _ in range(2):
                with socket.create_connection((target, port), 1) as client:
                    accepted, _ = service.accept()
                    accepted.close()
                    assert client.recv(1) == b""
        assert ways_in(port) == []
        # Its connections are in TIME_WAIT now, and the next one gets the port all the same.
        held.open_service_socket(host).close()
        assert ways_in(port) == []


def test_a_service_socket_on_an_address_of_another_machine_is_an_error() -> None:
    with reserved(free_port()) as held:
        with pytest.raises(OSError, match="Cannot assign"):
            held.open_service_socket("192.0.2.1")
        assert ways_in(held.port) == []


def test_who_slips_beneath_the_covers_is_noticed_at_once() -> None:
    port = free_port()
    opened = 0
    with reserved(port) as held:
        with thief([port]):
            for _ in range(200):
                try:
                    service = held.open_service_socket()
                except OSError as error:
                    assert error.errno == errno.EADDRINUSE  # noqa: PT017
                    continue
                with service:
                    opened += 1
                    for _ in range(5):  # and nobody gets in later
                        listening = system.listening((port,))
                        assert [found.inode for found in listening] == [os.fstat(service.fileno()).st_ino]
        assert ways_in(port) == []
    assert opened > 100


def test_a_process_that_is_killed_leaves_no_port_behind() -> None:
    port = free_port()
    code = (
        "import sys\nfrom supervisor.ports.reservation import reserve\n"
        f"held = reserve({port})\nprint('held', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert ways_in(port) == []
        process.kill()
    assert ways_in(port)
