"""WebSocket clients that do not read what they are sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from examples import sockets
from examples.sockets import PatientProtocol

pytestmark = pytest.mark.live
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
FRAME = 256 * 1024


class Flood:
    """An application that sends `frames`, and then waits for the end."""

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self.sent = 0
        self.over = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        try:
            for _ in range(self.frames):
                await send({"type": "websocket.send", "bytes": bytes(FRAME)})
                self.sent += 1
            await receive()
        finally:
            self.over.set()


@asynccontextmanager
async def flooded(flood: Flood) -> AsyncIterator[tuple[ServerState, asyncio.StreamReader]]:
    """A client that has shaken hands and reads nothing by itself."""
    state = ServerState()
    config = uvicorn.Config(flood, ws=PatientProtocol, log_config=None, lifespan="off", ws_per_message_deflate=False)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: PatientProtocol(config, state, {}), "127.0.0.1", 0)
    # StreamReader stops reading from the socket at twice its limit.
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), limit=1024)
    try:
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        yield state, reader
    finally:
        writer.transport.abort()
        server.close()


def test_a_client_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "PATIENCE", 0.2)

    async def trial() -> None:
        flood = Flood(1000)
        async with flooded(flood) as (state, _):
            await asyncio.wait_for(flood.over.wait(), 20)
            assert 0 < flood.sent < 200  # the kernel takes some of it
            assert not state.connections

    asyncio.run(trial())


def test_a_client_that_reads_slowly_gets_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "PATIENCE", 5.0)

    async def trial() -> int:
        flood = Flood(20)
        read = 0
        async with flooded(flood) as (_, reader):
            while read < 20 * FRAME:
                read += len(await asyncio.wait_for(reader.read(FRAME), 20))
                await asyncio.sleep(0)
            assert flood.sent == 20
        return read

    assert asyncio.run(trial()) >= 20 * FRAME


def test_the_end_of_the_service_does_not_wait_for_one_that_does_not_read() -> None:
    async def trial() -> None:
        flood = Flood(1000)
        async with flooded(flood) as (state, reader):
            (connection,) = state.connections
            assert isinstance(connection, PatientProtocol)
            async with asyncio.timeout(20):
                while connection.writable.is_set():
                    await asyncio.sleep(0.01)
                connection.shutdown()
                await flood.over.wait()
                with suppress(ConnectionResetError):
                    while await reader.read(FRAME):
                        pass
            assert not state.connections

    asyncio.run(trial())
