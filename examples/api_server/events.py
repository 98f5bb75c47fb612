"""The state of the stack as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from examples.api_server.portsup import Portsup, Unavailable
from examples.peers import Peers

QUIET = 15.0  # seconds without news after which a comment shows that the stream still lives
TOLD = ("state", "health", "port", "pid", "restarts")  # what makes a change; uptime alone does not
LOOK = 1.0  # seconds between looks at the endpoints file, where portsup cannot be asked


async def events(portsup: Portsup, peers: Peers) -> AsyncIterator[bytes]:
    """The stack as it is, at once and after every change (`services`), and before it what changed (`change`).

    The rows are portsup's own; where it cannot be asked, there are the addresses alone.
    """
    last: list[dict[str, Any]] | None = None
    try:
        changes = portsup.changes()
        following = asyncio.ensure_future(anext(changes))
        try:
            while True:
                await asyncio.wait({following}, timeout=QUIET)
                if following.done():
                    now = following.result()
                    for change in _changes(last, now):
                        yield change
                    yield _event("services", {"services": now})
                    last = now
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
            for change in _changes(last, now):
                yield change
            yield _event("services", {"services": now})
            last, quiet = now, 0.0
        elif quiet >= QUIET:
            yield b": still here\n\n"
            quiet = 0.0
        await asyncio.sleep(LOOK)
        quiet += LOOK


def _changes(before: list[dict[str, Any]] | None, now: list[dict[str, Any]]) -> list[bytes]:
    """One event for each service that is new, gone, or differs in what is told of it here."""
    if before is None:
        return []
    old, new = (
        {row.get("name"): {key: row.get(key) for key in TOLD if key in row} for row in rows} for rows in (before, now)
    )
    return [
        _event("change", {"name": name, "was": old.get(name), "is": new.get(name)})
        for name in sorted(old.keys() | new.keys(), key=str)
        if old.get(name) != new.get(name)
    ]


def _event(kind: str, data: dict[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()
