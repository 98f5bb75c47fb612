"""Clients that wait at a socket that no process has any more are accepted, and led to another one."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from supervisor import system
from supervisor.core.handoff import Part
from supervisor.daemon.handoff import relays as relays_module
from supervisor.daemon.handoff.relays import Relays
from supervisor.daemon.handoff.rescue import Rescue
from supervisor.ports.reservation import Reservation, reserve
from supervisor.ports.seat import Claim, copy_of, inode_of, is_listening
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.ports.socket_options import is_shared
from supervisor.ports.stand_ins import alone_with
from tests.daemon.turns import until
from tests.ports.program import BOTH, EVERY, LOCAL, LOCAL6, accepted, begin, own, waiting
from tests.support.exhausted import no_descriptor_left
from tests.support.namespace import own_network
from tests.support.ports import free_port

pytestmark = [pytest.mark.live, pytest.mark.skipif(not system.SWAPS_UNDER_COVERS, reason="Linux only")]
PLACES = [LOCAL, EVERY, LOCAL6, BOTH]
HOSTS = {LOCAL6: "::1"}
Told = list[tuple[int, str]]


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceSockets]:
    """Those of a service whose queues do not move."""
    with own_network():
        for name, gives in (("moves_queues", ""), ("have_queue_moved", None), ("lead_to_some", False)):
            monkeypatch.setattr(system, name, lambda *_, gives=gives: gives)
        reservation = reserve(free_port())
        assert isinstance(reservation, Reservation)
        made = ServiceSockets(reservation)
        made.on_adrift = lambda: None
        yield made
        made.close()
        reservation.close()


@contextlib.asynccontextmanager
async def rescuing(sockets: ServiceSockets) -> AsyncIterator[Told]:
    """What is told is found in the list."""
    told: Told = []
    relays = Relays(asyncio.get_running_loop())
    rescue = Rescue(asyncio.get_running_loop(), sockets, relays, lambda *each: told.append(each))
    sockets.on_adrift = rescue.begin
    yield told
    relays.close()


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("dead", [0, 1, 2])
def test_who_waits_for_a_worker_that_dies_gets_to_others_and_so_does_who_connects_meanwhile(
    sockets: ServiceSockets, place: Any, dead: int
) -> None:
    host = HOSTS.get(place, "127.0.0.1")
    workers = [begin(sockets, place, own(place, shared=True)) for _ in range(3)]
    gone = inode_of(workers[dead])

    async def work() -> None:
        async with rescuing(sockets) as told:
            clients = waiting(sockets.port, 40, host)
            queued = system.waiting_in(workers[dead])
            workers[dead].close()
            sockets.worker_ended("1", os.getpid(), lambda inode: inode != gone)
            clients += waiting(sockets.port, 40, host)
            await until(lambda: bool(told))
            clients += waiting(sockets.port, 40, host)
            assert told == [(queued, "")]
            living = [each for each in workers if each.fileno() >= 0]
            assert sum(map(system.waiting_in, living)) == len(clients)
            assert all(map(is_shared, living))
            assert sockets.inodes() == set(map(inode_of, living))
            for each in (*clients, *living):
                each.close()

    asyncio.run(work())


def test_when_all_die_one_queue_is_left_and_all_get_there(sockets: ServiceSockets) -> None:
    workers = [begin(sockets, LOCAL, own(LOCAL, shared=True)) for _ in range(4)]

    async def work() -> None:
        async with rescuing(sockets) as told:
            clients = waiting(sockets.port, 40)
            kept = system.waiting_in(workers[-1])
            for each in workers:
                each.close()
            sockets.process_ended("1")
            await until(lambda: bool(told))
            assert told == [(40 - kept, "")]
            (left,) = sockets.await_clients("127.0.0.1")
            assert system.waiting_in(left) == 40
            for each in clients:
                each.close()

    asyncio.run(work())


def test_where_no_descriptor_is_left_they_are_cut_off(sockets: ServiceSockets) -> None:
    workers = [begin(sockets, LOCAL, own(LOCAL, shared=True)) for _ in range(2)]

    async def work() -> None:
        async with rescuing(sockets) as told:
            clients = waiting(sockets.port, 40)
            queued = system.waiting_in(workers[0])
            gone = inode_of(workers[0])
            workers[0].close()
            sockets.worker_ended("1", os.getpid(), lambda inode: inode != gone)
            with no_descriptor_left():
                await until(lambda: bool(told))
            assert told == [(0, f"{queued} clients for whom there was no room")]
            assert len(accepted(workers[1])) == 40 - queued
            for each in (*clients, workers[1]):
                each.close()

    asyncio.run(work())


def test_a_crowd_that_is_too_large_is_cut_off(sockets: ServiceSockets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays_module, "most_at_once", lambda _: 2)
    workers = [begin(sockets, LOCAL, own(LOCAL, shared=True)) for _ in range(2)]

    async def work() -> None:
        async with rescuing(sockets) as told:
            clients = waiting(sockets.port, 40)
            queued = system.waiting_in(workers[0])
            gone = inode_of(workers[0])
            workers[0].close()
            sockets.worker_ended("1", os.getpid(), lambda inode: inode != gone)
            await until(lambda: bool(told))
            assert told == [(2, f"{queued - 2} clients for whom there was no room")]
            for each in (*clients, workers[1]):
                each.close()

    asyncio.run(work())


def test_who_has_gone_meanwhile_is_no_news_and_nobody_is_led_for_him(sockets: ServiceSockets) -> None:
    workers = [begin(sockets, LOCAL, own(LOCAL, shared=True)) for _ in range(2)]

    async def work() -> None:
        async with rescuing(sockets) as told:
            for each in waiting(sockets.port, 40):
                each.close()
            queued = system.waiting_in(workers[1])
            gone = inode_of(workers[0])
            workers[0].close()
            sockets.worker_ended("1", os.getpid(), lambda inode: inode != gone)
            await until(lambda: sockets.inodes() == {inode_of(workers[1])})
            assert (told, system.waiting_in(workers[1])) == ([], queued)
            workers[1].close()

    asyncio.run(work())


def test_a_stop_in_between_refuses_them(sockets: ServiceSockets) -> None:
    workers = [begin(sockets, LOCAL, own(LOCAL, shared=True)) for _ in range(2)]

    async def work() -> None:
        async with rescuing(sockets) as told:
            clients = waiting(sockets.port, 40)
            for each in workers:
                each.close()
            sockets.process_ended("1")
            sockets.close()
            for each in clients:
                with pytest.raises(ConnectionResetError):
                    each.recv(1)
            await asyncio.sleep(0.01)
            assert told == []

    asyncio.run(work())


def test_after_clients_of_others_were_cut_off_only_the_youngest_is_held(sockets: ServiceSockets) -> None:
    """The kernel cuts off fewer of them where it closes the socket of a worker at once."""
    workers = [begin(sockets, LOCAL, own(LOCAL, shared=True)) for _ in range(4)]

    async def work() -> None:
        async with rescuing(sockets) as told:
            clients = []
            for _ in range(40):
                clients.append(socket.socket())
                os.fchown(clients[-1].fileno(), 65533, -1)
                clients[-1].connect(("127.0.0.1", sockets.port))
            queued = system.waiting_in(workers[0])
            gone = inode_of(workers[0])
            workers[0].close()
            sockets.worker_ended("1", os.getpid(), lambda inode: inode != gone)
            await until(lambda: bool(told))
            assert told == [(0, f"{queued} clients of another user")]
            assert len(sockets.kept_of("1")) == 1
            workers.append(begin(sockets, LOCAL, own(LOCAL, shared=True)))
            assert [inode_of(each) for each in sockets.kept_of("1")] == [inode_of(workers[-1])]
            for each in (*clients, *workers):
                each.close()

    asyncio.run(work())


def test_a_socket_that_another_process_has_only_bound_is_only_bound_again(sockets: ServiceSockets) -> None:
    """It was given to that one, and then to a worker that dies."""
    with begin(sockets, LOCAL, own(LOCAL)):
        pass
    sockets.process_ended("1")
    holder, first = own(LOCAL, shared=True), own(LOCAL, shared=True)
    lent = sockets.lend(LOCAL, holder, Claim("2", inode_of(holder), os.getpid(), 0, is_shared=True, part=Part.BOUND))
    assert sockets.is_due(LOCAL, "2")
    claim = Claim("2", inode_of(first), os.getpid(), lent.fileno(), is_shared=True)
    assert sockets.lend(LOCAL, first, claim) is lent
    assert not sockets.is_due(LOCAL, "2")
    second = begin(sockets, LOCAL, own(LOCAL, shared=True), "2")
    held = copy_of(lent)

    async def work() -> None:
        async with rescuing(sockets) as told:
            clients = waiting(sockets.port, 40)
            queued = system.waiting_in(held)
            assert queued
            assert alone_with(sockets.seats()[LOCAL], "2", os.getpid()) == {inode_of(held)}
            sockets.worker_ended("2", os.getpid(), lambda inode: inode != inode_of(held))
            await until(lambda: bool(told))
            assert told == [(queued, "")]
            clients += waiting(sockets.port, 40)
            assert system.waiting_in(second) == len(clients)
            assert (is_listening(held), is_shared(held), held.getsockname()[1]) == (False, True, sockets.port)
            for each in (*clients, held, second, first, holder):
                each.close()

    asyncio.run(work())


def test_a_socket_that_was_given_at_a_bind_is_of_whoever_calls_listen(sockets: ServiceSockets) -> None:
    with begin(sockets, LOCAL, own(LOCAL)):
        pass
    sockets.process_ended("1")
    like = own(LOCAL, shared=True)
    lent = sockets.lend(LOCAL, like, Claim("2", inode_of(like), os.getpid(), 0, is_shared=True, part=Part.BOUND))
    sockets.note_listen(Claim("3", inode_of(lent), os.getpid()))
    assert sockets.is_due(LOCAL, "2"), "another process tree has it, too"
    sockets.note_listen(Claim("2", inode_of(lent), os.getpid()))
    assert not sockets.is_due(LOCAL, "2")
    like.close()
