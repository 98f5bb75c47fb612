"""What a service does once it listens."""

import asyncio
import gc

import pytest
import uvicorn

from examples.service import Server


def test_what_a_start_has_loaded_is_not_looked_through_for_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    async def startup(self: uvicorn.Server, sockets: object = None) -> None: ...

    monkeypatch.setattr(uvicorn.Server, "startup", startup)

    async def started() -> None:
        await Server(uvicorn.Config(lambda: None), None, "a").startup([])  # type: ignore[arg-type]

    before = gc.get_freeze_count()
    try:
        asyncio.run(started())
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
