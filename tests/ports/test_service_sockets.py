"""The sockets that outlive the processes of a service."""

import errno
import os
import socket
from collections.abc import Iterator

import pytest

from supervisor import system
from supervisor.core.handoff import V4, V6, Place
from supervisor.ports.reservation import Reservation, reserve
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.system import linux
from tests.support.ports import free_port
from tests.support.thief import thief, ways_in

pytestmark = [pytest.mark.live, pytest.mark.skipif(not system.SWAPS_UNDER_COVERS, reason="Linux only")]

LOCAL, LOCAL6, EVERY = Place(V4, "127.0.0.1"), Place(V6, "::1"), Place(V4, "0.0.0.0")


@pytest.fixture(params=["root", "user"])
def sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceSockets]:
    """Those of a reserved port, for root and for users who may not leave an interface."""
    if request.param == "user":
        monkeypatch.setattr(linux, "_may_leave_interface", lambda: False)
    elif os.getuid() != 0:
        pytest.skip("not root")
    reservation = reserve(free_port())
    assert isinstance(reservation, Reservation)
    made = ServiceSockets(reservation)
    yield made
    made.close()
    reservation.close()


@pytest.fixture
def like() -> Iterator[socket.socket]:
    with socket.socket() as sock:
        yield sock


def begin(sockets: ServiceSockets, place: Place, like: socket.socket) -> socket.socket:
    """What a process does: bind and listen."""
    sock = sockets.claim(place, like)
    sockets.listen(sock)
    return sock


def connects(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), 2).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_claimed_place_listens_and_everything_else_stays_held(sockets: ServiceSockets, like: socket.socket) -> None:
    assert not connects(sockets.port)
    sockets.claim(LOCAL, like)
    assert not connects(sockets.port)
    assert ways_in(sockets.port) == []
    begin(sockets, LOCAL, like)
    with socket.socket(socket.AF_INET6) as like6:
        begin(sockets, LOCAL6, like6)
    assert connects(sockets.port)
    assert connects(sockets.port, "::1")
    assert ways_in(sockets.port) == []
    sockets.close()
    assert not connects(sockets.port)
    assert ways_in(sockets.port) == []


def test_whose_a_place_is_is_a_matter_of_the_name_not_of_the_object(
    sockets: ServiceSockets, like: socket.socket
) -> None:
    sockets.claim(LOCAL, like, who="start 12")
    assert sockets.held("start " + str(12)) == frozenset()
    assert sockets.held("start 13") == {LOCAL}


def test_the_next_process_gets_the_same_socket_with_its_own_options(
    sockets: ServiceSockets, like: socket.socket
) -> None:
    like.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    like.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 70000)
    like.setblocking(False)
    first = begin(sockets, LOCAL, like)
    assert first.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    assert first.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 140000
    assert not os.get_blocking(first.fileno())
    sockets.process_ended()
    assert sockets.places() == {LOCAL: False}
    assert connects(sockets.port)
    with socket.socket() as other:
        assert begin(sockets, LOCAL, other) is first
    assert first.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
    assert os.get_blocking(first.fileno())
    assert sockets.places() == {LOCAL: True}


def test_a_socket_that_a_process_has_shut_down_is_made_anew(sockets: ServiceSockets, like: socket.socket) -> None:
    begin(sockets, LOCAL, like).shutdown(socket.SHUT_RDWR)
    assert not connects(sockets.port)
    begin(sockets, LOCAL, like)
    assert connects(sockets.port)
    begin(sockets, LOCAL, like).shutdown(socket.SHUT_RDWR)
    sockets.process_ended()
    assert sockets.places() == {}
    assert ways_in(sockets.port) == []


def test_what_no_process_claims_can_be_closed(sockets: ServiceSockets, like: socket.socket) -> None:
    begin(sockets, LOCAL, like)
    sockets.process_ended()
    sockets.retire_unclaimed()
    assert sockets.places() == {}
    assert not connects(sockets.port)


def test_who_binds_only_after_the_end_gets_nothing(sockets: ServiceSockets, like: socket.socket) -> None:
    """A process that is being ended may still be on its way to its bind: a socket for it would never be closed."""
    begin(sockets, LOCAL, like)
    sockets.close()
    with pytest.raises(OSError, match="Cannot assign"):
        sockets.claim(LOCAL, like)
    assert not sockets.places()
    assert ways_in(sockets.port) == []


def test_a_shared_socket_can_not_be_joined(sockets: ServiceSockets, like: socket.socket) -> None:
    like.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    assert begin(sockets, LOCAL, like).getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 1
    assert ways_in(sockets.port) == []
    begin(sockets, Place(V4, "127.0.0.2"), like)
    assert ways_in(sockets.port) == []


def test_a_place_that_is_not_of_this_machine_can_not_be_had(sockets: ServiceSockets, like: socket.socket) -> None:
    with pytest.raises(OSError, match=f"Errno {errno.EADDRNOTAVAIL}"):
        begin(sockets, Place(V4, "192.0.2.1"), like)
    assert sockets.places() == {}
    assert ways_in(sockets.port) == []


def test_a_place_that_overlaps_is_refused(sockets: ServiceSockets, like: socket.socket) -> None:
    begin(sockets, LOCAL, like)
    with pytest.raises(OSError, match=f"Errno {errno.EADDRINUSE}"):
        begin(sockets, EVERY, like)


def test_nobody_slips_in_while_root_opens_sockets(like: socket.socket) -> None:
    if not linux._may_leave_interface():
        pytest.skip("needs CAP_NET_RAW")
    reservation = reserve(free_port())
    assert isinstance(reservation, Reservation)
    with thief([reservation.port]) as loot:
        for _ in range(300):
            sockets = ServiceSockets(reservation)
            begin(sockets, LOCAL, like)
            sockets.close()
    reservation.close()
    assert loot.won == {}


def test_an_offered_socket_listens_at_once_blocks_and_stays_over_processes(sockets: ServiceSockets) -> None:
    offered = sockets.offer("127.0.0.1")
    os.set_blocking(offered.fileno(), False)
    sockets.process_ended()
    with socket.create_connection(("127.0.0.1", sockets.port), 2) as waiting:
        again = sockets.offer("127.0.0.1")
        assert (again, os.get_blocking(again.fileno())) == (offered, True)
        assert again.accept()[1] == waiting.getsockname()
    assert (ways_in(sockets.port), sockets.places()) == ([], {LOCAL: True})


def test_an_offered_socket_that_was_shut_down_or_is_elsewhere_now_is_made_anew(sockets: ServiceSockets) -> None:
    sockets.offer("127.0.0.1").shutdown(socket.SHUT_RD)
    sockets.process_ended()
    sockets.offer("localhost" if socket.gethostbyname("localhost") == "127.0.0.1" else "127.0.0.1")
    assert connects(sockets.port)
    sockets.offer("0.0.0.0")
    assert (connects(sockets.port), sockets.places()) == (True, {EVERY: True})
    sockets.offer("::")
    assert (connects(sockets.port), connects(sockets.port, "::1")) == (True, True)
    sockets.close()
    assert (connects(sockets.port), ways_in(sockets.port)) == (False, [])


def test_an_address_of_another_machine_cannot_be_offered(sockets: ServiceSockets) -> None:
    with pytest.raises(OSError, match="requested address"):
        sockets.offer("192.0.2.1")


def test_where_nothing_slips_beneath_covers_they_give_way_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "SWAPS_UNDER_COVERS", False)
    reservation = reserve(free_port())
    assert isinstance(reservation, Reservation)
    sockets = ServiceSockets(reservation)
    sockets.offer("127.0.0.1")
    assert connects(sockets.port)
    sockets.close()
    assert (connects(sockets.port), ways_in(sockets.port)) == (False, [])
    reservation.close()
