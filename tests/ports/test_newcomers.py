"""Clients that connect while a process is about to be stopped, of several sockets at one place."""

import socket
from collections.abc import Sequence
from typing import Any

import pytest

from supervisor import system
from supervisor.core.handoff import Place
from supervisor.ports.doors import doors_of
from supervisor.ports.seat import inode_of
from supervisor.ports.service_sockets import ServiceSockets
from tests.ports.program import LOCAL, LOCAL6, accepted, begin, needs_moving, own, waiting

pytestmark = [
    pytest.mark.live, needs_moving,
    pytest.mark.skipif(not system.SWAPS_UNDER_COVERS, reason="Linux only"),
    pytest.mark.parametrize("sockets", ["user"], indirect=True),  # root differs only in how these are bound
]  # fmt: skip

everywhere = pytest.mark.parametrize("place", [LOCAL, LOCAL6], ids=str)
ORDERS = ["123", "321", "213"]


@pytest.fixture(params=["", "sysctl"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the kernel is told where clients are to go: by what root may do, or by the place in the group."""
    if request.param:
        monkeypatch.setattr(system, "lead_to_some", lambda _: False, raising=False)
    return str(request.param)


def host_of(place: Place) -> str:
    return "::1" if place is LOCAL6 else "127.0.0.1"


def port_of(address: Any) -> int:
    return int(address[1])


@everywhere
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_no_replica_gets_a_client_whichever_of_them_ends_first(
    sockets: ServiceSockets, place: Place, order: Sequence[str], way: str
) -> None:
    sockets.spread()
    replicas = {who: begin(sockets, place, own(place), who) for who in "123"}
    newcomers, clients = sockets.newcomers(), []
    for who in replicas:
        newcomers.keep(who)
    for who in order:
        newcomers.stand_by(who)
        clients += waiting(sockets.port, 10, host_of(place))
        assert not any(accepted(each, within=0) for each in replicas.values())
        replicas.pop(who).close()
        sockets.process_ended(who)
    clients += waiting(sockets.port, 10, host_of(place))
    with begin(sockets, place, own(place), "4") as sock:
        assert len(accepted(sock)) == len(clients)
    for client in clients:
        client.close()


@everywhere
def test_who_waits_gets_in_when_the_replicas_go_on(sockets: ServiceSockets, place: Place, way: str) -> None:
    sockets.spread()
    replicas = {who: begin(sockets, place, own(place), who) for who in "123"}
    newcomers = sockets.newcomers()
    for who in replicas:
        newcomers.keep(who)
    replicas.pop("2").close()
    sockets.process_ended("2")  # by itself
    clients = waiting(sockets.port, 10, host_of(place))
    for who in replicas:
        newcomers.let_in(who)
    clients += waiting(sockets.port, 10, host_of(place))
    assert sum(len(accepted(each)) for each in replicas.values()) == len(clients)
    assert len(sockets.inodes()) == len(replicas)
    for sock in (*clients, *replicas.values()):
        sock.close()


@everywhere
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_no_worker_gets_a_client_whichever_of_them_ends_first(
    sockets: ServiceSockets, place: Place, order: Sequence[str], way: str
) -> None:
    if way and place is not LOCAL:
        pytest.skip("only the kernel's program knows a socket by more than its place among all")
    workers = {who: begin(sockets, place, own(place, shared=True)) for who in "123"}
    newcomers, clients = sockets.newcomers(), list[socket.socket]()
    newcomers.keep("1")
    newcomers.stand_by("1")
    for who in order:
        clients += waiting(sockets.port, 10, host_of(place))
        assert not any(accepted(each, within=0) for each in workers.values())
        workers.pop(who).close()
    sockets.process_ended("1")
    clients += waiting(sockets.port, 10, host_of(place))
    with begin(sockets, place, own(place), "2") as sock:
        assert len(accepted(sock)) == len(clients)
    for client in clients:
        client.close()


@everywhere
def test_the_program_shares_its_port_no_longer_than_needed(sockets: ServiceSockets, place: Place, way: str) -> None:
    with begin(sockets, place, own(place)) as sock:
        newcomers = sockets.newcomers()
        newcomers.keep("1")
        newcomers.let_in("1")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0
        clients = waiting(sockets.port, 5, host_of(place))
        assert len(accepted(sock)) == len(clients)
    for client in clients:
        client.close()


@everywhere
def test_what_waits_at_workers_that_end_moves_to_those_of_the_next_tree(sockets: ServiceSockets, place: Place) -> None:
    if system.moves_queues() != "bpf":
        pytest.skip("only the kernel's program chooses where a queue moves to")
    old = [begin(sockets, place, own(place, shared=True), "1") for _ in range(3)]
    clients = waiting(sockets.port, 15, host_of(place))
    new = [begin(sockets, place, own(place, shared=True), "2") for _ in range(3)]
    sockets.newcomers().stand_by("1")
    before = {client.getsockname()[1] for client in clients}
    clients += waiting(sockets.port, 60, host_of(place))
    assert {port_of(address) for each in old for address in accepted(each, within=0)} <= before
    for each in old:
        each.close()
    sockets.process_ended("1")
    clients += waiting(sockets.port, 15, host_of(place))
    got = [len(accepted(each)) for each in new]
    assert sum(got) >= len(clients) - len(before)
    assert min(got) > 0, "each has its part"
    for sock in (*clients, *new):
        sock.close()


def test_doors_are_open_as_long_as_one_of_the_workers_has_its_socket(sockets: ServiceSockets) -> None:
    """Whatever we have of it ourselves."""
    workers = [begin(sockets, LOCAL, own(LOCAL, shared=True)) for _ in range(2)]
    doors = doors_of(sockets.seats().values(), "1")
    for each in workers:
        assert doors.are_open()
        each.close()
    assert not doors.are_open()
    doors.release()


@everywhere
def test_those_that_listened_before_stay_and_get_all_who_connect(sockets: ServiceSockets, place: Place) -> None:
    stay = [begin(sockets, place, own(place, shared=True), "1") for _ in range(2)]
    end = [begin(sockets, place, own(place, shared=True), "2") for _ in range(3)]
    sockets.newcomers().get_past("2", ())
    clients = waiting(sockets.port, 30, host_of(place))
    assert [len(accepted(each, within=0)) for each in (*stay, *end)] == [30, 0, 0, 0, 0]
    for sock in (*clients, *stay, *end):
        sock.close()


@everywhere
def test_while_workers_close_their_sockets_clients_get_to_another_one(
    sockets: ServiceSockets, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "moves_queues", lambda: "sysctl", raising=False)
    old = [begin(sockets, place, own(place, shared=True), "1") for _ in range(3)]
    new = [begin(sockets, place, own(place, shared=True), "2") for _ in range(2)]
    newcomers, clients = sockets.newcomers(), list[socket.socket]()
    newcomers.get_past("1", set(map(inode_of, old)))
    new.append(begin(sockets, place, own(place, shared=True), "2"))
    for each in (*old, None):
        clients += waiting(sockets.port, 20, host_of(place))
        assert not any(accepted(other, within=0) for other in old if other.fileno() >= 0)
        if each is not None:
            each.close()
    sockets.process_ended("1")
    newcomers.get_anywhere("1")
    clients += waiting(sockets.port, 60, host_of(place))
    assert min(len(accepted(each)) for each in new) > 0
    for sock in (*clients, *new):
        sock.close()


@everywhere
def test_nobody_waits_at_a_socket_of_ours_while_another_worker_of_the_next_tree_listens(
    sockets: ServiceSockets, place: Place
) -> None:
    """Its youngest has shut its socket down, which the loop has not been told yet."""
    old = begin(sockets, place, own(place, shared=True), "1")
    stays, youngest = (begin(sockets, place, own(place, shared=True), "2") for _ in range(2))
    youngest.shutdown(socket.SHUT_RD)
    sockets.newcomers().stand_by("1")
    old.close()
    sockets.process_ended("1")
    clients = waiting(sockets.port, 20, host_of(place))
    assert len(accepted(stays)) == len(clients)
    for sock in (*clients, stays, youngest):
        sock.close()
