"""Clients that are led to a process by us: each end learns what the other one does."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from supervisor import system
from supervisor.core.relay import ROOM
from supervisor.daemon.handoff import relays as relays_module
from supervisor.daemon.handoff.relays import Relays
from supervisor.ports.adrift import reset
from tests.daemon.turns import until

pytestmark = [pytest.mark.live, pytest.mark.skipif(not system.SWAPS_UNDER_COVERS, reason="Linux only")]


@contextlib.asynccontextmanager
async def relayed() -> AsyncIterator[tuple[Relays, socket.socket, socket.socket]]:
    """A client and the server that it is led to."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_server(("127.0.0.1", 0)) as before:
        client = socket.create_connection(before.getsockname())
        between, _ = before.accept()
        between.setblocking(False)
        before.close()
        relays = Relays(loop)
        server_at = listener.getsockname()[1]

        def called() -> tuple[str, int]:
            return "127.0.0.1", server_at

        assert relays.begin(Moved(between, called))
        server, _ = await asyncio.to_thread(listener.accept)
        for each in (client, server):
            each.setblocking(False)
        yield relays, client, server
        relays.close()
        client.close()
        server.close()


class Moved(socket.socket):
    """A connection to another place than it is."""

    def __init__(self, of: socket.socket, called: Callable[[], tuple[str, int]]) -> None:
        super().__init__(fileno=of.detach())
        self.getsockname = called  # type: ignore[method-assign]


def test_no_more_is_kept_for_a_server_that_does_not_read_than_there_is_room_for() -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        async with relayed() as (relays, client, server):
            said, sent = os.urandom(1 << 16), 0
            with contextlib.suppress(TimeoutError):
                while True:
                    async with asyncio.timeout(0.3):
                        while not (count := send(client, said[sent % len(said) :])):
                            await asyncio.sleep(0.001)
                    sent += count
            (relay,) = relays._relays
            assert 0 < sum(map(len, relay._held)) <= ROOM
            client.shutdown(socket.SHUT_WR)
            got = b""
            while data := await loop.sock_recv(server, 1 << 20):
                got += data
            assert got == (said * (sent // len(said) + 1))[:sent]
            await loop.sock_sendall(server, b"thanks")
            server.close()
            assert await loop.sock_recv(client, 64) == b"thanks"
            assert await loop.sock_recv(client, 64) == b""
            await until(lambda: not relays._relays)

    asyncio.run(work())


def send(client: socket.socket, data: bytes) -> int:
    with contextlib.suppress(BlockingIOError):
        return client.send(data)
    return 0


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_of_the_one_is_a_reset_of_the_other(who: str) -> None:
    async def work() -> None:
        async with relayed() as (relays, client, server):
            first, other = (client, server) if who == "client" else (server, client)
            reset(first)
            with pytest.raises(ConnectionResetError):
                await asyncio.get_running_loop().sock_recv(other, 1)
            assert not relays._relays

    asyncio.run(work())


def test_a_client_that_says_no_more_still_gets_its_answer() -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        async with relayed() as (relays, client, server):
            await loop.sock_sendall(client, b"question")
            client.shutdown(socket.SHUT_WR)
            assert await loop.sock_recv(server, 64) == b"question"
            assert await loop.sock_recv(server, 64) == b""
            await loop.sock_sendall(server, b"answer")
            assert relays._relays
            server.shutdown(socket.SHUT_WR)
            assert await loop.sock_recv(client, 64) == b"answer"
            assert await loop.sock_recv(client, 64) == b""
            assert not relays._relays

    asyncio.run(work())


def test_a_server_that_says_no_more_may_still_be_told_and_one_that_is_gone_is_not_waited_for() -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        async with relayed() as (relays, client, server):
            server.shutdown(socket.SHUT_WR)
            assert await loop.sock_recv(client, 64) == b""
            await asyncio.sleep(3 * relays_module.SPENT_AFTER)
            await loop.sock_sendall(client, b"more")
            assert await loop.sock_recv(server, 64) == b"more"
            server.close()
            await until(lambda: not relays._relays)

    asyncio.run(work())


def test_the_end_of_an_instance_cuts_off_both() -> None:
    async def work() -> None:
        async with relayed() as (relays, client, server):
            relays.close()
            for each in (client, server):
                with pytest.raises(ConnectionResetError):
                    await asyncio.get_running_loop().sock_recv(each, 1)

    asyncio.run(work())


def test_where_the_loop_can_watch_no_more_both_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """No memory, or too many watches."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        async with relayed() as (relays, client, _):

            def refuse(*_: object) -> None:
                raise OSError

            monkeypatch.setattr(loop, "add_writer", refuse)
            with contextlib.suppress(ConnectionError):
                while relays._relays:
                    send(client, bytes(1 << 16))
                    await asyncio.sleep(0)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
            assert not relays._relays

    asyncio.run(work())
