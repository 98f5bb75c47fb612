"""The sockets that outlive the processes of a service.  More than 300 lines: one story, told with one fixture."""

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor import system
from supervisor.core.handoff import V4, Place
from supervisor.ports.reservation import Reservation, reserve
from supervisor.ports.seat import Claim, copy_of, inode_of, is_listening
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.system import beneath
from tests.ports.program import (
    BOTH,
    EVERY,
    EVERY6,
    LOCAL,
    LOCAL6,
    MAPPED,
    accepted,
    begin,
    bind,
    connects,
    needs_moving,
    own,
    waiting,
)  # fmt: skip
from tests.support.namespace import own_network
from tests.support.ports import free_port
from tests.support.thief import WAYS, steal, thief, ways_in

pytestmark = [pytest.mark.live, pytest.mark.skipif(not system.SWAPS_UNDER_COVERS, reason="Linux only")]


@pytest.fixture
def early() -> Iterator[None]:
    """A network in which servers may take data with the first packet, TCP_FASTOPEN; they ask for no cookie."""
    with own_network():
        Path("/proc/sys/net/ipv4/tcp_fastopen").write_text(str(0x1 | 0x2 | 0x4 | 0x200))  # ip-sysctl.rst of the kernel
        yield


@pytest.mark.parametrize("place", [LOCAL, LOCAL6, EVERY, EVERY6, BOTH, MAPPED], ids=str)
def test_a_programs_own_socket_listens_and_everything_else_stays_held(sockets: ServiceSockets, place: Place) -> None:
    host = "::1" if place in (LOCAL6, EVERY6) else "127.0.0.1"
    with own(place) as sock:
        claim = bind(sockets, place, sock)
        assert not connects(sockets.port, host)
        assert ways_in(sockets.port) == []
        sockets.listen(sock, claim, 10)
        assert connects(sockets.port, host)
        assert ways_in(sockets.port) == []
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0
        assert os.fstat(sock.fileno()).st_uid == os.getuid()
    assert connects(sockets.port, host)
    assert ways_in(sockets.port) == []
    sockets.close()
    assert not connects(sockets.port, host)
    assert ways_in(sockets.port) == []


def test_a_socket_of_each_family_listens_beside_the_other(sockets: ServiceSockets) -> None:
    with own(LOCAL) as sock, own(LOCAL6) as sock6:
        begin(sockets, LOCAL, sock)
        begin(sockets, LOCAL6, sock6)
        assert connects(sockets.port)
        assert connects(sockets.port, "::1")
        assert ways_in(sockets.port) == []
        assert sockets.inodes() == {inode_of(sock), inode_of(sock6)}


@pytest.mark.parametrize("order", [(EVERY, EVERY6), (EVERY6, EVERY), (LOCAL, EVERY6), (EVERY, LOCAL6)], ids=str)
@pytest.mark.parametrize("at_once", [True, False])
def test_wildcards_of_both_families_are_bound_one_after_the_other(
    sockets: ServiceSockets, order: tuple[Place, Place], at_once: bool
) -> None:
    """Some programs bind all that they want before they listen, others bind and listen one by one."""
    with own(order[0]) as first, own(order[1]) as second:
        claims = [bind(sockets, order[0], first)]
        if at_once:
            claims.append(bind(sockets, order[1], second))
        sockets.listen(first, claims[0], 10)
        assert ways_in(sockets.port) == []
        sockets.listen(second, claims[1] if at_once else bind(sockets, order[1], second), 10)
        assert ways_in(sockets.port) == []
        assert connects(sockets.port)
        assert connects(sockets.port, "::1")
    sockets.process_ended("1")
    assert connects(sockets.port)
    assert connects(sockets.port, "::1")
    assert ways_in(sockets.port) == []


def test_whose_a_place_is_is_a_matter_of_the_name_not_of_the_object(sockets: ServiceSockets) -> None:
    with own(LOCAL) as sock:
        bind(sockets, LOCAL, sock, who="start 12")
        assert sockets.held("start " + str(12)) == frozenset()
        assert sockets.held("start 13") == {LOCAL}


@needs_moving
@pytest.mark.parametrize("place", [LOCAL, EVERY, MAPPED], ids=str)
def test_what_waits_moves_to_the_own_socket_of_the_next_process(sockets: ServiceSockets, place: Place) -> None:
    before = begin(sockets, place, own(place))
    before.close()  # the process has died
    clients = waiting(sockets.port)
    sockets.process_ended("1")
    assert sockets.places("2") == {place: False}
    assert sockets.kept() == {place}
    with own(place) as sock:
        clients += waiting(sockets.port)
        claim = bind(sockets, place, sock, "2")
        clients += waiting(sockets.port)
        sockets.listen(sock, claim, 100)
        assert ways_in(sockets.port) == []
        clients += waiting(sockets.port)
        assert {client.getsockname()[1] for client in clients} == {address[1] for address in accepted(sock)}  # type: ignore[index]
        assert sockets.inodes() == {inode_of(sock)}
    for client in clients:
        client.close()


def test_where_queues_do_not_move_the_next_process_gets_the_socket_of_the_first(sockets: ServiceSockets) -> None:
    first = own(LOCAL)
    first.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    first.setblocking(False)
    inode = inode_of(begin(sockets, LOCAL, first))
    first.close()
    (client,) = waiting(sockets.port, 1)
    sockets.process_ended("1")
    with own(LOCAL) as like, client:
        like.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 70000)
        like.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
        lent = sockets.lend(LOCAL, like, Claim("2", inode_of(like)))
        assert (inode_of(lent), sockets.places("2")) == (inode, {LOCAL: True})
        assert lent.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        assert lent.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0") == b"reno"
        assert lent.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 140000
        assert os.get_blocking(lent.fileno())
        assert accepted(lent) == {client.getsockname()}
    assert ways_in(sockets.port) == []


def test_a_lent_socket_that_a_process_has_shut_down_is_made_anew(sockets: ServiceSockets) -> None:
    with own(LOCAL) as like:
        lent = sockets.lend(LOCAL, like, Claim("1", inode_of(like)))
        sockets.listen(lent, Claim("1", inode_of(lent)), 10)
        assert connects(sockets.port)
        lent.shutdown(socket.SHUT_RDWR)
        assert not connects(sockets.port)
        again = sockets.lend(LOCAL, like, Claim("1", inode_of(like)))
        assert again is not lent
        sockets.listen(again, Claim("1", inode_of(again)), 10)
        assert connects(sockets.port)
    assert ways_in(sockets.port) == []


def test_clients_wait_after_a_process_has_shut_its_socket_down_and_ended(sockets: ServiceSockets) -> None:
    with own(LOCAL) as sock:
        begin(sockets, LOCAL, sock)
        sock.shutdown(socket.SHUT_RDWR)
        assert not connects(sockets.port)
    sockets.process_ended("1")
    assert connects(sockets.port)
    assert ways_in(sockets.port) == []


@pytest.mark.parametrize("first", ["1", "2", "3"])
def test_those_who_have_one_socket_go_on_listening_whichever_of_them_shuts_it_down_and_ends(
    sockets: ServiceSockets, first: str
) -> None:
    with own(LOCAL) as sock, own(LOCAL) as like:
        lent = begin(sockets, LOCAL, sock, "1")
        for who in ("2", "3"):
            lent = sockets.lend(LOCAL, like, Claim(who, inode_of(like)))
        lent.shutdown(socket.SHUT_RDWR)
        sockets.process_ended(first)
        assert connects(sockets.port)
        assert sockets.inodes() == {inode_of(lent)}
    assert ways_in(sockets.port) == []


@pytest.mark.parametrize("told", ["1", "2", "3"])
def test_a_socket_that_several_have_listens_again_at_once_when_one_of_them_shuts_it_down(
    sockets: ServiceSockets, told: str
) -> None:
    with own(LOCAL) as sock, own(LOCAL) as like:
        begin(sockets, LOCAL, sock, "1")
        for who in ("2", "3"):
            sockets.lend(LOCAL, like, Claim(who, inode_of(like)))
        sock.shutdown(socket.SHUT_RDWR)
        sockets.shut_down(told)
        clients = waiting(sockets.port)
        for who in ("1", "2"):
            sockets.process_ended(who)
            clients += waiting(sockets.port)
        assert len(accepted(sock)) == len(clients)
        assert sockets.inodes() == {inode_of(sock)}
    assert ways_in(sockets.port) == []
    for client in clients:
        client.close()


@needs_moving
def test_nobody_is_refused_while_a_process_that_ends_shuts_its_socket_down(sockets: ServiceSockets) -> None:
    with own(LOCAL) as sock:
        begin(sockets, LOCAL, sock)
        clients = waiting(sockets.port)
        sockets.newcomers().stand_by("1")
        clients += waiting(sockets.port)
        sock.shutdown(socket.SHUT_RDWR)
        clients += waiting(sockets.port)
    sockets.process_ended("1")
    assert ways_in(sockets.port) == []
    with own(LOCAL) as sock:
        begin(sockets, LOCAL, sock, "2")
        assert len(accepted(sock)) == len(clients)
    for client in clients:
        client.close()


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No queue moves."""
    monkeypatch.setattr(system, "moves_queues", lambda: "", raising=False)
    monkeypatch.setattr(system, "have_queue_moved", lambda _: None, raising=False)


def test_where_no_queue_moves_a_process_accepts_its_clients_before_it_ends(
    sockets: ServiceSockets, still: None
) -> None:
    with own(LOCAL) as sock:
        begin(sockets, LOCAL, sock)
        clients = waiting(sockets.port)
        assert not sockets.newcomers().stand_by("1")
        clients += waiting(sockets.port)
        assert len(accepted(sock)) == 5, "who connects now is for the next process"
        assert sockets.newcomers().stand_by("1")
        sock.shutdown(socket.SHUT_RDWR)
        clients += waiting(sockets.port)
    sockets.process_ended("1")
    assert ways_in(sockets.port) == []
    with own(LOCAL) as sock:
        claim = bind(sockets, LOCAL, sock, "2")
        assert sockets.strands(LOCAL, "2")
        assert len(accepted(sockets.lend(LOCAL, sock, claim))) == 10
    for client in clients:
        client.close()


def test_where_no_queue_moves_a_process_keeps_its_own_socket_if_nobody_waits(
    sockets: ServiceSockets, still: None
) -> None:
    with own(LOCAL) as sock:
        begin(sockets, LOCAL, sock)
    sockets.process_ended("1")
    with own(LOCAL) as sock:
        claim = bind(sockets, LOCAL, sock, "2")
        assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        assert not sockets.strands(LOCAL, "2")
        assert sockets.listen(sock, claim, 200)
        assert sockets.inodes() == {inode_of(sock)}
        clients = waiting(sockets.port)
        assert len(accepted(sock)) == len(clients)
        assert ways_in(sockets.port) == []
    for client in clients:
        client.close()


def test_where_no_queue_moves_whoever_came_at_the_last_moment_is_not_lost(sockets: ServiceSockets, still: None) -> None:
    with own(LOCAL) as sock:
        begin(sockets, LOCAL, sock)
    sockets.process_ended("1")
    with own(LOCAL) as sock:
        claim = bind(sockets, LOCAL, sock, "2")
        clients = waiting(sockets.port)
        assert not sockets.listen(sock, claim, 200)
        assert not is_listening(sock)
        clients += waiting(sockets.port)
        assert len(accepted(sockets.lend(LOCAL, sock, claim))) == len(clients)
    for client in clients:
        client.close()


def test_where_no_queue_moves_a_process_that_goes_on_gets_who_connects_from_then_on(
    sockets: ServiceSockets, still: None
) -> None:
    with own(LOCAL) as sock:
        begin(sockets, LOCAL, sock)
        newcomers = sockets.newcomers()
        newcomers.keep("1")
        clients = waiting(sockets.port)
        newcomers.let_in("1")
        later = waiting(sockets.port)
        assert accepted(sock) == {client.getsockname() for client in later}
        assert newcomers.waiting() == len(clients)
    for client in (*clients, *later):
        client.close()


def test_where_no_queue_moves_a_successor_shares_its_port_no_longer_than_needed(
    sockets: ServiceSockets, still: None
) -> None:
    with own(LOCAL6) as old, own(LOCAL6) as new:
        begin(sockets, LOCAL6, old, "1")
        begin(sockets, LOCAL6, new, "2")
        sockets.newcomers().stand_by("1")
        old.close()
        sockets.process_ended("1")
        assert new.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0
        assert sockets.seats()[LOCAL6].opened == []
        assert connects(sockets.port, "::1")


def test_where_no_queue_moves_the_successor_gets_who_connects_and_the_old_one_who_waits(
    sockets: ServiceSockets, still: None
) -> None:
    with own(LOCAL) as old, own(LOCAL) as new:
        begin(sockets, LOCAL, old, "1")
        begin(sockets, LOCAL, new, "2")
        clients = waiting(sockets.port, 30)
        taken = len(accepted(new))
        sockets.newcomers().stand_by("1")
        clients += waiting(sockets.port, 30)
        taken += len(accepted(old))
        assert sockets.newcomers().waiting() == 0
        old.shutdown(socket.SHUT_RDWR)
        old.close()
        sockets.process_ended("1")
        clients += waiting(sockets.port, 30)
        assert taken + len(accepted(new)) == len(clients)
        assert sockets.inodes() == {inode_of(new)}
    for client in clients:
        client.close()


@pytest.mark.parametrize("place", [LOCAL, LOCAL6], ids=str)
def test_where_no_queue_moves_a_successor_that_comes_late_gets_who_connects(
    sockets: ServiceSockets, still: None, place: Place
) -> None:
    """It listens elsewhere first, so that the old process was about to be asked to end."""
    host = "::1" if place is LOCAL6 else "127.0.0.1"
    with own(place) as old, own(place) as new:
        begin(sockets, place, old, "1")
        sockets.newcomers().stand_by("1")
        clients = waiting(sockets.port, 3, host)
        lent = sockets.lend(place, new, Claim("2", inode_of(new)))
        known = sockets.inodes()
        clients += waiting(sockets.port, 3, host)
        assert len(accepted(lent)) == len(clients)
        assert {each.inode for each in system.listening((sockets.port,))} == known == {inode_of(old), inode_of(lent)}
        assert sockets.newcomers().stand_by("1")
        old.close()
        sockets.process_ended("1")
        clients += waiting(sockets.port, 3, host)
        assert len(accepted(lent)) == 3
        assert {each.inode for each in system.listening((sockets.port,))} == sockets.inodes() == {inode_of(lent)}
    for client in clients:
        client.close()


def test_an_offered_socket_is_that_where_clients_wait_for_the_next_process(
    sockets: ServiceSockets, still: None
) -> None:
    old = sockets.offer("127.0.0.1", "1")
    sockets.newcomers().stand_by("1")
    clients = waiting(sockets.port, 3)
    offered = sockets.offer("127.0.0.1", "2")
    assert offered is not old
    assert len(accepted(offered)) == len(clients)
    assert {each.inode for each in system.listening((sockets.port,))} == sockets.inodes()
    for client in clients:
        client.close()


def test_a_process_that_has_shut_its_socket_down_gets_that_where_its_clients_wait_meanwhile(
    sockets: ServiceSockets, still: None
) -> None:
    with own(LOCAL) as like:
        lent = sockets.lend(LOCAL, like, Claim("1", inode_of(like)))
        sockets.listen(lent, Claim("1", inode_of(lent)), 10)
        lent.shutdown(socket.SHUT_RDWR)
        sockets.shut_down("1")
        clients = waiting(sockets.port, 3)
        again = sockets.lend(LOCAL, like, Claim("1", inode_of(like)))
        assert len(accepted(again)) == len(clients)
        assert {each.inode for each in system.listening((sockets.port,))} == sockets.inodes() == {inode_of(again)}
    for client in clients:
        client.close()


@needs_moving
def test_of_several_workers_one_socket_is_kept_whoever_ends(sockets: ServiceSockets) -> None:
    workers = [begin(sockets, LOCAL, own(LOCAL, shared=True)) for _ in range(3)]
    assert ways_in(sockets.port) == []
    assert sockets.seats()[LOCAL].workers("1") == {os.getpid()}
    for number in (-1, 0):  # the youngest, which is the one that we keep, and the oldest
        ended = workers.pop(number)
        gone = inode_of(ended)
        clients = waiting(sockets.port, 20)
        ended.close()
        sockets.worker_ended("1", os.getpid(), lambda inode, gone=gone: inode != gone)  # type: ignore[misc]
        clients += waiting(sockets.port, 20)
        assert sum(len(accepted(worker)) for worker in workers) == len(clients)
        for client in clients:
            client.close()
    clients = waiting(sockets.port)
    workers.pop().close()
    sockets.worker_ended("1", os.getpid(), lambda _: False)
    sockets.process_ended("1")
    with own(LOCAL) as sock:
        begin(sockets, LOCAL, sock, "2")
        assert len(accepted(sock)) == len(clients)
    for client in clients:
        client.close()


@needs_moving
@pytest.mark.parametrize("place", [LOCAL, LOCAL6], ids=["v4", "v6"])
def test_handshakes_that_are_under_way_go_to_the_next_process(sockets: ServiceSockets, place: Place) -> None:
    """With TCP_DEFER_ACCEPT they are not over before the client has sent something."""
    with own(place) as old, own(place) as new, contextlib.ExitStack() as stack:
        old.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
        begin(sockets, place, old)
        clients = [stack.enter_context(socket.create_connection((place.address, sockets.port), 2)) for _ in range(8)]
        assert accepted(old) == set()
        old.close()
        sockets.process_ended("1")
        begin(sockets, place, new, "2")
        for client in clients:
            client.sendall(b"late")
        assert accepted(new) == {client.getsockname() for client in clients}


@needs_moving
def test_clients_whose_first_packet_has_data_go_to_the_next_process(early: None, sockets: ServiceSockets) -> None:
    with own(LOCAL) as old, own(LOCAL) as new, contextlib.ExitStack() as stack:
        old.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
        begin(sockets, LOCAL, old)
        clients = [stack.enter_context(socket.socket()) for _ in range(8)]
        for client in clients:
            client.sendto(b"early", socket.MSG_FASTOPEN, ("127.0.0.1", sockets.port))
        old.close()
        sockets.process_ended("1")
        begin(sockets, LOCAL, new, "2")
        assert accepted(new) == {client.getsockname() for client in clients}


@needs_moving
def test_a_worker_that_closes_its_socket_and_lives_on_is_found(sockets: ServiceSockets) -> None:
    stays, leaves = (begin(sockets, LOCAL, own(LOCAL, shared=True)) for _ in range(2))
    assert set(sockets.seats()[LOCAL].closers("1")) == set()
    gone = inode_of(leaves)
    leaves.close()
    clients = waiting(sockets.port, 20)
    assert set(sockets.seats()[LOCAL].closers("1")) == {os.getpid()}
    sockets.worker_ended("1", os.getpid(), lambda inode: inode != gone)
    assert set(sockets.seats()[LOCAL].closers("1")) == set()
    assert len(accepted(stays)) == len(clients)
    stays.close()
    for client in clients:
        client.close()


@needs_moving
def test_both_processes_accept_until_the_one_has_ended(sockets: ServiceSockets) -> None:
    with own(LOCAL) as old, own(LOCAL) as new:
        begin(sockets, LOCAL, old, "1")
        begin(sockets, LOCAL, new, "2")
        assert ways_in(sockets.port) == []
        clients = waiting(sockets.port, 50)
        taken = len(accepted(old)) + len(accepted(new))
        clients += waiting(sockets.port, 50)
        sockets.newcomers().stand_by("1")
        taken += len(accepted(old))
        clients += waiting(sockets.port, 50)
        old.close()
        sockets.process_ended("1")
        assert taken + len(accepted(new)) == len(clients)
        assert sockets.inodes() == {inode_of(new)}
    for client in clients:
        client.close()


def test_a_process_that_only_binds_leaves_nothing(sockets: ServiceSockets) -> None:
    with own(LOCAL) as sock:
        bind(sockets, LOCAL, sock)
        assert sockets.places("1") == {LOCAL: True}
    sockets.process_ended("1")
    assert sockets.places("1") == {}
    assert ways_in(sockets.port) == []


def test_a_program_dials_from_the_port_that_it_listens_on(sockets: ServiceSockets) -> None:
    with own(LOCAL, shared=True) as sock, socket.create_server(("127.0.0.1", 0)) as elsewhere:
        begin(sockets, LOCAL, sock)
        for _ in range(3):
            with own(LOCAL, shared=True) as dialling:
                bind(sockets, LOCAL, dialling)
                dialling.connect(elsewhere.getsockname())
                connection, address = elsewhere.accept()
                assert address[1] == sockets.port
            with connection:
                assert connection.recv(1) == b""  # nobody else holds it open
        assert connects(sockets.port)
    assert ways_in(sockets.port) == []


def test_what_no_process_claims_can_be_closed(sockets: ServiceSockets) -> None:
    begin(sockets, LOCAL, own(LOCAL)).close()
    sockets.process_ended("1")
    sockets.retire_unclaimed()
    assert sockets.places("2") == {}
    assert not connects(sockets.port)


def test_who_binds_only_after_the_end_gets_nothing(sockets: ServiceSockets) -> None:
    """A process that is being ended may still be on its way to its bind."""
    begin(sockets, LOCAL, own(LOCAL)).close()
    sockets.close()
    with own(LOCAL) as sock, pytest.raises(OSError, match="Cannot assign"):
        bind(sockets, LOCAL, sock)
    assert not sockets.places("1")
    assert ways_in(sockets.port) == []


def test_a_shared_socket_can_not_be_joined(sockets: ServiceSockets) -> None:
    with own(LOCAL, shared=True) as sock, own(LOCAL, shared=True) as another:
        begin(sockets, LOCAL, sock)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 1
        assert ways_in(sockets.port) == []
        begin(sockets, Place(V4, "127.0.0.2"), another)
        assert ways_in(sockets.port) == []


def test_a_place_that_is_not_of_this_machine_can_not_be_had(sockets: ServiceSockets) -> None:
    with own(LOCAL) as sock, pytest.raises(OSError, match=f"Errno {errno.EADDRNOTAVAIL}"):
        bind(sockets, Place(V4, "192.0.2.1"), sock)
    assert sockets.places("1") == {}
    assert ways_in(sockets.port) == []


def test_nobody_slips_in_while_root_opens_sockets() -> None:
    if not beneath.may_disown():
        pytest.skip("needs CAP_CHOWN")
    reservation = reserve(free_port())
    assert isinstance(reservation, Reservation)
    with thief([reservation.port]) as loot:
        for place in (LOCAL, LOCAL6, BOTH, MAPPED) * 75:
            sockets = ServiceSockets(reservation)
            with own(place) as sock:
                begin(sockets, place, sock)
            sockets.close()
    reservation.close()
    assert loot.won == {}


@pytest.mark.parametrize("place", [LOCAL, LOCAL6, EVERY, EVERY6, MAPPED], ids=str)
def test_who_binds_right_after_the_socket_in_passing_opens_the_port_to_nobody(
    sockets: ServiceSockets, monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    """The kernel lets in whoever comes like the last one that was let in, so that must not be a stranger."""
    if beneath.may_disown():
        pytest.skip("for root there is no such socket")
    came: list[int] = []
    left: list[int] = []
    pass_by = beneath._pass

    def pass_by_before_a_stranger(passing: socket.socket, port: int, *, is_compared: bool) -> None:
        pass_by(passing, port, is_compared=is_compared)
        if left:
            stranger = steal(port, WAYS[left.pop()])
            if stranger is not None:
                came.append(port)
                stranger.close()

    monkeypatch.setattr(beneath, "_pass", pass_by_before_a_stranger)
    for number in range(len(WAYS)):
        left[:] = [number] * 2
        with own(place) as sock:
            begin(sockets, place, sock)
            assert ways_in(sockets.port) == [], WAYS[number]
        sockets.retire(tuple(sockets.places()))
    assert came, "nobody has ever come"


@pytest.mark.parametrize("made", [0, 1, 2])
def test_without_descriptors_for_what_binds_in_passing_a_bind_fails_before_it_begins_or_stands(
    sockets: ServiceSockets, monkeypatch: pytest.MonkeyPatch, made: int
) -> None:
    if beneath.may_disown():
        pytest.skip("for root there is no such socket")
    left, make = [None] * made, beneath._passing

    def make_some(family: socket.AddressFamily) -> socket.socket:
        if not left:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        left.pop()
        return make(family)

    monkeypatch.setattr(beneath, "_passing", make_some)
    with own(LOCAL) as sock:
        if made:
            bind(sockets, LOCAL, sock)
        else:
            with pytest.raises(OSError, match="Too many open files"):
                bind(sockets, LOCAL, sock)
        assert (sock.getsockname()[1] != 0) is bool(made)
        assert ways_in(sockets.port) == []


def test_an_offered_socket_listens_at_once_blocks_and_stays_over_processes(sockets: ServiceSockets) -> None:
    offered = sockets.offer("127.0.0.1", "1")
    os.set_blocking(offered.fileno(), False)
    sockets.process_ended("1")
    with socket.create_connection(("127.0.0.1", sockets.port), 2) as client:
        again = sockets.offer("127.0.0.1", "2")
        assert (again, os.get_blocking(again.fileno())) == (offered, True)
        assert again.accept()[1] == client.getsockname()
    assert (ways_in(sockets.port), sockets.places("2")) == ([], {LOCAL: True})


def test_an_offered_socket_that_was_shut_down_or_is_elsewhere_now_is_made_anew(sockets: ServiceSockets) -> None:
    sockets.offer("127.0.0.1", "1").shutdown(socket.SHUT_RD)
    sockets.process_ended("1")
    sockets.offer("localhost" if socket.gethostbyname("localhost") == "127.0.0.1" else "127.0.0.1", "2")
    assert connects(sockets.port)
    sockets.offer("0.0.0.0", "2")
    assert (connects(sockets.port), sockets.places("2")) == (True, {EVERY: True})
    sockets.offer("::", "2")
    assert (connects(sockets.port), connects(sockets.port, "::1")) == (True, True)
    sockets.close()
    assert (connects(sockets.port), ways_in(sockets.port)) == (False, [])


def test_an_address_of_another_machine_cannot_be_offered(sockets: ServiceSockets) -> None:
    with pytest.raises(OSError, match="requested address"):
        sockets.offer("192.0.2.1", "1")
    assert not is_listening_anywhere(sockets)


def is_listening_anywhere(sockets: ServiceSockets) -> bool:
    return any(each.listening for each in system.listening((sockets.port,)))


def test_where_nothing_slips_beneath_covers_they_give_way_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "SWAPS_UNDER_COVERS", False)
    reservation = reserve(free_port())
    assert isinstance(reservation, Reservation)
    sockets = ServiceSockets(reservation)
    assert is_listening(sockets.offer("127.0.0.1", "1"))
    assert connects(sockets.port)
    sockets.close()
    assert (connects(sockets.port), ways_in(sockets.port)) == (False, [])
    reservation.close()


@pytest.mark.parametrize("missing", ["dup", "listening"])
def test_a_socket_that_cannot_be_kept_or_looked_for_does_not_listen(
    sockets: ServiceSockets, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Its program is told that it does not."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    if missing == "listening" and beneath.may_disown():
        pytest.skip("for root nobody has to be looked for")
    with own(LOCAL) as sock:
        claim = bind(sockets, LOCAL, sock)
        with monkeypatch.context() as patch:
            patch.setattr(os if missing == "dup" else system, missing, refuse)
            with pytest.raises(OSError, match="Too many open files"):
                sockets.listen(sock, claim, 10)
        assert not is_listening(sock)
        assert not connects(sockets.port)
        sockets.listen(sock, claim, 10)
        assert connects(sockets.port)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_copy_is_of_the_same_open_file_and_kind_and_its_program_does_not_notice(family: int) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        with copy_of(sock) as copy:
            assert (copy.family, copy.type, copy.proto) == (sock.family, sock.type, sock.proto)
            assert inode_of(copy) == inode_of(sock)
            assert copy.fileno() != sock.fileno()
            assert not os.get_blocking(sock.fileno())
            assert not os.get_inheritable(copy.fileno())
        assert not os.get_blocking(sock.fileno())
