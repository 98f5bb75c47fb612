"""The sockets of a process tree that is about to be asked to end."""

import os
import socket
from collections.abc import Iterator

import pytest

from supervisor import system
from supervisor.ports import doors as doors_module
from supervisor.ports.doors import Doors, doors_of
from supervisor.ports.seat import Claim, Seat, copy_of, inode_of
from supervisor.ports.socket_options import is_shared, share
from supervisor.system import departures

pytestmark = [pytest.mark.live, pytest.mark.skipif(not system.SWAPS_UNDER_COVERS, reason="Linux only")]

WITHIN = 0.3  # seconds in which a connection on this machine is made, if it is


@pytest.fixture(params=["127.0.0.1", "::1"])
def listening(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET6 if ":" in request.param else socket.AF_INET) as sock:
        sock.bind((request.param, 0))
        sock.listen(64)
        yield sock


def connects(to: socket.socket) -> bool:
    with socket.socket(to.family) as client:
        client.settimeout(WITHIN)
        return client.connect_ex(to.getsockname()) == 0


def test_who_waits_is_served_and_nobody_else_connects_until_it_is_undone(listening: socket.socket) -> None:
    with socket.create_connection(listening.getsockname()[:2]) as first:
        undo = system.turn_away(listening)
        assert not connects(listening)
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"hello")
            assert first.recv(9) == b"hello"
    undo(listening)
    assert connects(listening)


@pytest.fixture
def no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for an ordinary user."""

    def deny(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(departures, "_drop_first_packets", deny)


def test_it_is_the_same_where_no_filter_can_be_set(listening: socket.socket, no_filter: None) -> None:
    test_who_waits_is_served_and_nobody_else_connects_until_it_is_undone(listening)
    assert [listening.getsockopt(*each) for each in departures._hop_levels(listening)][-1] == 0


@pytest.mark.parametrize("why", ["handshake", "own"])
def test_where_a_connection_would_be_deaf_or_the_program_demands_hops_itself_the_queue_gets_no_room(
    listening: socket.socket, no_filter: None, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "own":
        for each in departures._hop_levels(listening):
            listening.setsockopt(*each, 3)
    else:
        monkeypatch.setattr(departures, "_is_met", lambda _: True)
    with socket.create_connection(listening.getsockname()[:2]):
        undo = system.turn_away(listening)
        assert not connects(listening)
        undo(listening)
        assert connects(listening)
    left = 3 if why == "own" else 0
    assert {listening.getsockopt(*each) for each in departures._hop_levels(listening)} == {left}


def test_a_handshake_that_begins_while_hops_are_demanded_has_them_taken_back(
    listening: socket.socket, no_filter: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    met = iter([False, True])
    monkeypatch.setattr(departures, "_is_met", lambda _: next(met))
    system.turn_away(listening)
    assert {listening.getsockopt(*each) for each in departures._hop_levels(listening)} == {0}
    with socket.create_connection(listening.getsockname()[:2]):
        assert not connects(listening)


def test_hops_that_can_be_demanded_only_in_part_are_not_demanded(
    listening: socket.socket, no_filter: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = departures._hop_levels(listening)
    monkeypatch.setattr(departures, "_hop_levels", lambda _: [*known, (socket.SOL_SOCKET, socket.SO_ERROR)])
    system.turn_away(listening)
    assert {listening.getsockopt(*each) for each in known} == {0}


def begin_to_connect(client: socket.socket, host: str, port: int) -> None:
    """A handshake that does not come to its end."""
    deaf = departures._INSTRUCTION.pack(departures._RETURN, 0, 0, 0)
    try:
        departures._attach(client, departures._SO_ATTACH_FILTER, deaf)
    except PermissionError:
        pytest.skip("an ordinary user may set none here")
    client.setblocking(False)
    client.connect_ex((host, port))


def test_a_handshake_under_way_is_seen(listening: socket.socket) -> None:
    """Also of a client on this machine."""
    with socket.socket(listening.family) as client:
        assert not departures._is_met(listening)
        begin_to_connect(client, *listening.getsockname()[:2])
        assert departures._is_met(listening)


def test_where_nobody_can_have_begun_a_handshake_that_of_another_socket_is_of_no_matter(
    listening: socket.socket, no_filter: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(departures, "_is_met", lambda _: True)
    system.turn_away(listening, is_idle=True)
    assert listening.getsockopt(*departures._hop_levels(listening)[-1]) == departures._MOST_HOPS
    assert not connects(listening)


def test_who_connects_to_doors_that_are_all_is_refused_and_whoever_has_begun_is_served(
    listening: socket.socket,
) -> None:
    doors, address = Doors(), listening.getsockname()[:2]
    doors.hold_all([Seat(kept={"old": listening}, claims=[Claim("old", inode_of(listening), listens=True)])])
    with socket.create_connection(address) as first:
        doors.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, WITHIN)
        assert doors.waiting() == 1
        connection, _ = listening.accept()
        with connection:
            first.sendall(b"hello")
            assert connection.recv(9) == b"hello"
    undo = next(iter(doors.shut.values()))
    undo(listening)  # as root alone can
    assert connects(listening) is (os.geteuid() == 0)
    doors.release()


def test_a_socket_whose_program_has_chosen_an_interface_is_not_hidden(listening: socket.socket) -> None:
    listening.setsockopt(socket.SOL_SOCKET, departures._SO_BINDTOIFINDEX, 1)
    with pytest.raises(FileExistsError):
        system.hide(listening)


def test_who_has_begun_to_connect_counts_and_who_begins_later_does_not(listening: socket.socket) -> None:
    """A busy machine leaves the packets of clients on itself for a while, too.  Later ones get elsewhere."""
    before, after = (doors_of([Seat(kept={"old": listening})], "old") for _ in range(2))
    with socket.socket(listening.family) as client, socket.socket(listening.family) as later:
        begin_to_connect(client, *listening.getsockname()[:2])
        assert before.waiting() == 1
        begin_to_connect(later, *listening.getsockname()[:2])
        assert (before.waiting(), after.waiting()) == (1, 2)
        client.close()
        with socket.create_connection(listening.getsockname()[:2]):
            assert before.waiting() == 2
    for doors in (before, after):
        doors.release()


def test_the_filter_of_a_program_stays(listening: socket.socket) -> None:
    takes_all = departures._INSTRUCTION.pack(departures._RETURN, 0, 0, departures._EVERYTHING)
    try:
        departures._attach(listening, departures._SO_ATTACH_FILTER, takes_all)
    except PermissionError:
        pytest.skip("an ordinary user may set none here")
    with pytest.raises(FileExistsError):
        departures._drop_first_packets(listening)


def test_doors_are_those_that_a_tree_has_alone(listening: socket.socket) -> None:
    shared = copy_of(listening)
    with socket.socket() as own:
        own.listen()
        seat = Seat(kept={"old": shared, "new": shared}, claims=[Claim("old", inode_of(own), listens=True)])
        assert doors_of([seat], "old").held == {}  # the claim names no process
        whole = Doors()
        for _ in range(2):
            whole.hold_all([seat])
        assert list(whole.held) == [inode_of(listening)]  # which two of them have
        seat.kept["newest"] = own
        whole.hold_all([seat])
        assert list(whole.held) == [inode_of(listening), inode_of(own)]
        del seat.kept["newest"]
        whole.release()
        seat.kept["old"] = own
        doors = doors_of([seat], "old")
        assert list(doors.held) == [inode_of(own)]
        with socket.create_connection(own.getsockname()):
            assert doors.waiting() == 1
        doors.close()
        assert list(doors.shut) == [inode_of(own)]
        doors.release()
        assert doors.held == {}
        assert doors.waiting() == 0
    shared.close()


@pytest.mark.parametrize("moves", ["bpf", ""])
def test_what_belongs_to_one_that_was_asked_to_end_before_is_held_only_where_nothing_moves(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch, moves: str
) -> None:
    """Else who waits there would stay there once nobody else has it."""
    monkeypatch.setattr(system, "moves_queues", lambda: moves)
    doors, (host, port) = Doors(), listening.getsockname()[:2]
    with socket.socket(listening.family) as other:
        share(listening)
        share(other)
        other.bind((host, port))
        with socket.create_connection((host, port)) as first:
            other.listen()
            mine = [copy_of(each) for each in (listening, other)]
            claims = [
                Claim(who, inode_of(each), os.getpid(), each.fileno(), is_shared=True, listens=True)
                for who, each in zip(("old", "new"), mine, strict=True)
            ]
            seat = Seat(kept={"new": other}, claims=claims)
            doors.hold_all([seat])
            assert list(doors.held) == [inode_of(other), inode_of(listening)]
            for _ in range(2):
                doors.hold_all([seat], {"old"})
                doors.close()
            assert list(doors.held) == [inode_of(each) for each in (other, listening)[: 1 if moves else 2]]
            assert sorted(doors.shut) == sorted(claim.inode for claim in claims)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((host, port), WITHIN)
            assert (doors.waiting(), doors.coming) == (1, int(bool(moves)))
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"hello")
                assert first.recv(9) == b"hello"
        assert (doors.waiting(), doors.coming) == (0, 0)
        doors.open()
        assert connects(listening) is (os.geteuid() == 0)
        doors.release()
        for each in mine:
            each.close()


def test_doors_wait_also_for_who_has_begun_to_connect_to_one_that_has_begun_to_listen_later(
    listening: socket.socket,
) -> None:
    doors, (host, port) = Doors(), listening.getsockname()[:2]
    seat = Seat(kept={"old": listening})
    doors.hold_all([seat])
    doors.close()
    assert doors.waiting() == 0
    with socket.socket(listening.family) as late, socket.socket(listening.family) as client:
        for each in (listening, late):
            share(each)
        late.bind((host, port))
        late.listen()
        seat.kept["new"] = late
        system.lead_to(late, 0)
        begin_to_connect(client, host, port)
        doors.hold_all([seat])
        doors.close()
        assert doors.waiting() == 1
        doors.release()


@pytest.mark.parametrize("stays", ["new", None])
def test_clients_get_to_the_youngest_of_those_who_stay_while_workers_are_closed(
    monkeypatch: pytest.MonkeyPatch, stays: str | None
) -> None:
    with socket.socket() as first, socket.socket() as second, socket.socket() as youngest:
        for sock in (first, second, youngest):
            share(sock)
            sock.bind(("127.0.0.1", first.getsockname()[1]))
            sock.listen()
        seen: list[bool] = []

        def close(sock: socket.socket) -> None:
            seen.append(is_shared(youngest))
            sock.close()

        monkeypatch.setattr(doors_module, "close_shared", close)
        seat = Seat(kept={"old": second, stays: youngest})
        doors = Doors({inode_of(each): copy_of(each) for each in (first, second)})
        doors.release_past([seat], "old")
        assert (seen, is_shared(youngest), doors.held) == ([False, False], True, {})
        alone = Doors({inode_of(first): copy_of(first)})
        alone.release_past([seat, Seat()], "old")
        assert seen == [False, False, True]


def test_doors_of_nobody_are_none() -> None:
    doors = Doors()
    doors.close()
    doors.open()
    assert doors.waiting() == 0
