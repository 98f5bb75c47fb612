"""What `portsup mcp` says is what is: through changes at random, and through the death of the daemon."""

import asyncio
import contextlib
import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from supervisor.errors import PortsupError
from tests.live.stack import SLEEPS, Live
from tests.mcp.agent import Session, session
from tests.support.ports import free_pool
from tests.support.running import program

SECONDS = float(os.environ.get("RANDOM_SECONDS", "5"))
pytestmark = [pytest.mark.live, pytest.mark.timeout(SECONDS + 120)]
ADDRESS = "portsup://t/1/status"
CHANGES = {"uptime_s", "cpu", "memory"}  # from one question to the next


async def read(agent: Session, uri: str = ADDRESS) -> list[dict[str, Any]]:
    """What stands at an address."""
    (content,) = (await agent.client.read_resource(uri)).contents
    rows: list[dict[str, Any]] = json.loads(content.text)  # type: ignore[union-attr]
    return rows


def told(live: Live) -> dict[str, dict[str, Any]]:
    """What `status --format json` says."""
    lines = live.run("status", "--format", "json").stdout.splitlines()
    return {row["name"]: row for row in map(json.loads, lines)}


def same(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: {key: value for key, value in row.items() if key not in CHANGES} for name, row in rows.items()}


def in_short(row: dict[str, Any]) -> tuple[object, ...]:
    """What the tool says of a service."""
    return row["state"], row.get("url"), row.get("port"), row.get("pid"), row.get("restarts") or 0


def test_it_equals_the_status_while_the_stack_changes_at_random(own_folders: Path) -> None:
    dies = {"command": ["sh", "-c", "sleep 0.3; exit 3"], "restart_policy": {"max_restarts": 2}}
    web = {"command": program("listens"), "pool": list(free_pool(3))}
    live = Live(own_folders / "p", {"web": web, "b": {**SLEEPS, "depends_on": ["web"]}, "dies": dies, "c": SLEEPS})
    chance = random.Random()

    async def work(agent: Session) -> None:
        compared, until = 0, time.monotonic() + SECONDS
        async with agent.told_of(ADDRESS):
            while time.monotonic() < until or not compared:
                what, name = (
                    chance.choice(["start", "stop", "restart", "kill", "rotate"]),
                    chance.choice([*live.rows()]),
                )
                with contextlib.suppress(PortsupError):  # one without a process is neither killed nor moved
                    if what == "kill":
                        live.client().ask("kill", services=[name], signal=9)
                    elif what == "rotate":
                        live.rotate("web")
                    else:
                        live.do(what, name)
                for _ in range(3):
                    before = told(live)
                    resource = {row["name"]: row for row in await read(agent)}
                    tool = {row["service"]: row for row in (await agent.call("status"))["services"]}
                    if same(before) != same(told(live)):
                        continue  # it has changed meanwhile
                    compared += 1
                    shown = {name: {key: resource[name][key] for key in row} for name, row in before.items()}
                    assert same(shown) == same(before)
                    assert {name: in_short(row) for name, row in tool.items()} == {
                        name: in_short(row) for name, row in before.items()
                    }
        assert not agent.noticed.empty()

    with live.up():
        session(live, work, seconds=SECONDS + 60)


def test_the_death_of_the_daemon_is_told_with_how_it_ended_and_its_return(own_folders: Path) -> None:
    live = Live(own_folders / "p", {"a": SLEEPS})

    async def work(agent: Session) -> None:
        async with agent.told_of(ADDRESS):
            assert [row["state"] for row in await read(agent)] == ["running"]
            assert await agent.noticed.get() == ADDRESS  # that it is followed from now on
            while not agent.noticed.empty():
                agent.noticed.get_nowait()
            os.kill(live.daemon(), signal.SIGKILL)
            killed = time.monotonic()
            assert await agent.noticed.get() == ADDRESS
            print(f"told of the death after {1000 * (time.monotonic() - killed):.0f} ms")
            assert await read(agent) == []
            status = await agent.call("status")
            assert (status["state"], status["next"]) == ("not running", "up()")
            assert status["why"].endswith("portsup ended without a word, as after SIGKILL")
            live.ended()
            while not agent.noticed.empty():
                agent.noticed.get_nowait()
            assert (await agent.call("up"))["state"] == "running"
            assert await agent.noticed.get() == ADDRESS
            assert [row["state"] for row in await read(agent)] == ["running"]

    with live.up():
        session(live, work)


def test_a_call_that_waits_when_the_daemon_dies_says_so(own_folders: Path) -> None:
    live = Live(own_folders / "p", {"a": {**SLEEPS, "ready": {"log": "never"}}})

    async def work(agent: Session) -> None:
        waiting = asyncio.create_task(agent.call("wait", timeout=50))
        assert (await agent.call("wait", timeout=1))["code"] == "timeout"  # the other one waits by now, too
        os.kill(live.daemon(), signal.SIGKILL)
        told = await waiting
        assert (told["ok"], told["code"], told["next"]) == (False, "not-running", "up()")

    with live.foreground():
        live.until("a", state="starting")
        session(live, work)
