"""The state of the stack as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from examples.api_server.portsup import Portsup, Unavailable
from examples.peers import Peers

QUIET = 15.0  # seconds without news after which a comment shows that the stream still lives
LOOK = 1.0  # seconds between looks at the endpoints file, where portsup can not be asked


async def events(portsup: Portsup, peers: Peers) -> AsyncIterator[bytes]:
    """`services` events: portsup's own rows after every change, or the addresses alone where it can not be asked."""
    try:
        changes = portsup.changes()
        following = asyncio.ensure_future(anext(changes))
        try:
            while True:
                await asyncio.wait({following}, timeout=QUIET)
                if following.done():
                    yield _event(following.result())
                    following = asyncio.ensure_future(anext(changes))
                else:
                    yield b": still here\n\n"
        finally:
            following.cancel()
    except (Unavailable, StopAsyncIteration):
        pass
    async for event in _addresses(peers):
        yield event


async def _addresses(peers: Peers) -> AsyncIterator[bytes]:
    last: list[dict[str, Any]] | None = None
    quiet = 0.0
    while True:
        now = [{"name": peer.name, "port": peer.port, "url": peer.url} for peer in peers.all().values()]
        if now != last:
            yield _event(now)
            last, quiet = now, 0.0
        elif quiet >= QUIET:
            yield b": still here\n\n"
            quiet = 0.0
        await asyncio.sleep(LOOK)
        quiet += LOOK


def _event(services: list[dict[str, Any]]) -> bytes:
    return f"event: services\ndata: {json.dumps({'services': services})}\n\n".encode()
