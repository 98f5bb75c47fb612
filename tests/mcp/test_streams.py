"""Streams of `portsup mcp --http`: however many there are, and whoever does not read his, nobody else waits for it."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.stack import SLEEPS, Live
from tests.mcp import serving
from tests.mcp.serving import ADDRESS, Served, read_until

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]


async def status(client: Any) -> Any:
    return (await client.call_tool("status", {})).structured_content["state"]


@pytest.fixture
def served(own_folders: Path) -> Iterator[Served]:
    live = Live(own_folders / "p", {"job": SLEEPS})
    with live.up(), serving.served(live) as running:
        yield running


@pytest.mark.parametrize("protocol", ["newest", "older"])
def test_a_thousand_streams_keep_nobody_out(served: Served, protocol: str) -> None:
    with contextlib.ExitStack() as around:
        got = 0
        for _ in range(1000):
            if protocol == "newest":
                connection = around.enter_context(served.listens())
            elif name := served.session():
                named = {"Mcp-Session-Id": name, "MCP-Protocol-Version": "2025-06-18"}
                connection = around.enter_context(served.asked("GET", "/mcp", **named))
            else:
                continue
            got += b"text/event-stream" in read_until(connection, b"\r\n\r\n").lower()  # and then it reads no more
        assert got == 64
        for mode in ("auto", "legacy") if protocol == "newest" else ("auto",):
            assert served.works(status, mode) == "running"


def test_who_does_not_read_keeps_no_notice_from_others(served: Served) -> None:
    with contextlib.ExitStack() as around:
        slow = [around.enter_context(served.listens()) for _ in range(5)]
        assert all(b"200 OK" in read_until(each, b"\r\n\r\n") for each in slow)

        async def work(client: Any) -> None:
            async with client.listen(resource_subscriptions=[ADDRESS]) as stream:
                begun = time.monotonic()
                for _ in range(20):
                    await client.call_tool("restart", {"services": ["job"]})
                    async for event in stream:
                        assert str(event.uri) == ADDRESS
                        break
                print(f"20 restarts, each told of, in {time.monotonic() - begun:.1f} s")

        served.works(work)


def test_calls_that_wait_keep_no_other_call(served: Served) -> None:
    served.live.do("stop", "job")

    async def work(client: Any) -> None:
        waiting = [asyncio.create_task(client.call_tool("wait", {"timeout": 50})) for _ in range(60)]
        await asyncio.sleep(0)
        begun = time.monotonic()
        assert await status(client) == "stopped"
        assert time.monotonic() - begun < 40
        await client.call_tool("start", {"services": ["job"]})
        assert [each.structured_content["ok"] for each in await asyncio.gather(*waiting)] == [True] * 60

    served.works(work)
