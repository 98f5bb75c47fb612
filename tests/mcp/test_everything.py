"""Every tool, resource and prompt as an agent uses them, over standard input and output and by HTTP."""

import asyncio
import json
import shlex
import socket
from pathlib import Path
from typing import Any

import pytest

from supervisor.mcp.entry import CLIENTS
from supervisor.mcp.prompts import PROMPTS
from supervisor.mcp.schema import TOOLS
from tests.live.stack import SLEEPS, Live
from tests.mcp.agent import session
from tests.mcp.serving import served
from tests.support.ports import free_pool
from tests.support.rounds import only
from tests.support.running import ROOT, program

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
AGREES: dict[str, Any] = {"agreed": True}


class Agent:
    """A client that notes which tools it has used."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.used: set[str] = set()

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        self.used.add(tool)
        return dict((await self.client.call_tool(tool, arguments)).structured_content or {})


async def everything(agent: Agent, live: Live, pool: tuple[int, ...]) -> None:
    assert (await agent.call("status"))["state"] == "not running"
    up = await agent.call("up")
    assert (up["ok"], up["state"]) == (True, "fine")
    assert {each["service"] for each in up["services"]} == {"web", "job"}
    web = await agent.call("status", services=["web"])
    with socket.create_connection(("127.0.0.1", web["port"]), 20):
        pass
    assert (await agent.call("wait", services=["web"], state="listening", timeout=20))["ok"]
    rotated = await agent.call("rotate", service="web")
    assert (rotated["ok"], rotated["port"]) == (True, pool[1])
    assert (await agent.call("ports"))["pools"]["web"][1] == f"{pool[1]} active"
    assert "rotat" in json.dumps(await agent.call("ports", port=pool[0]))
    assert (await agent.call("stop", services=["job"]))["state"] == "stopped"
    assert (await agent.call("start", services=["job"]))["state"] == "running"
    before = (await agent.call("status", services=["web"]))["pid"]
    for rolling in (False, True):
        restarted = await agent.call("restart", services=["web"], rolling=rolling)
        assert restarted["ok"]
        assert restarted["pid"] != before
        before = restarted["pid"]
    assert (await agent.call("why", service="web"))["ok"]
    assert (await agent.call("logs", service="web"))["last_lines"]
    happened = await agent.call("events")
    assert any("web: is ready" in each for each in happened["events"])
    assert (await agent.call("events", cursor=happened["cursor"]))["events"] == []
    live.write({"web": {"command": program("listens"), "pool": list(pool)}, "job": SLEEPS, "new": SLEEPS})
    assert (await agent.call("reload"))["added"] == ["new"]
    assert (await agent.call("reload", dry_run=False))["ok"]
    assert (await agent.call("status", services=["new"]))["state"] == "running"
    (port,) = free_pool(1)
    lease = await agent.call("lease", pool=str(port), purpose="a server of mine")
    assert (lease["ok"], lease["port"]) == (True, port)
    assert (await agent.call("lease", pool=str(port), purpose="another"))["code"] == "pool-exhausted"
    resources = [str(each.uri) for each in (await agent.client.list_resources()).resources]
    assert len(resources) == 4 + 3
    for uri in resources:
        (content,) = (await agent.client.read_resource(uri)).contents
        assert content.text
        if content.mime_type == "application/json":
            json.loads(content.text)
    (template,) = (await agent.client.list_resource_templates()).resource_templates
    assert template.uri_template == "portsup://{stack}/{instance}/logs/{service}"
    listed = (await agent.client.list_prompts()).prompts
    assert {each.name for each in listed} == {each.name for each in PROMPTS}
    for each in listed:
        given = {argument.name: "web" for argument in each.arguments or ()}
        (message,) = (await agent.client.get_prompt(each.name, given)).messages
        assert "web" in message.content.text
    assert (await agent.call("down"))["state"] == "not running"
    assert agent.used == {each.name for each in TOOLS}


@pytest.fixture
def pool() -> tuple[int, ...]:
    return tuple(free_pool(3))


@pytest.fixture
def live(own_folders: Path, pool: tuple[int, ...]) -> Live:
    web = {"command": program("listens"), "pool": list(pool)}
    return Live(own_folders / "p", {"web": web, "job": SLEEPS})


def test_over_standard_input_and_output(live: Live, pool: tuple[int, ...]) -> None:
    try:
        session(live, lambda connected: everything(Agent(connected.client), live, pool), seconds=120)
    finally:
        live.end()


def test_by_http(live: Live, pool: tuple[int, ...]) -> None:
    import mcp_types as types

    async def agrees(_: Any, params: Any) -> Any:
        return types.ElicitResult(action="accept", content=AGREES)

    try:
        with served(live) as running:
            running.works(lambda client: everything(Agent(client), live, pool), elicitation_callback=agrees)
    finally:
        live.end()


@pytest.mark.parametrize("client", only(["claude-code"], CLIENTS))
def test_what_install_writes_starts_a_server_for_the_client(live: Live, client: str) -> None:
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    assert live.run("mcp", "install", client).returncode == 0
    entry = json.loads((live.folder / CLIENTS[client].file).read_text())[CLIENTS[client].key]["portsup"]
    assert entry["type"] == "stdio"

    async def run() -> Any:
        given = StdioServerParameters(
            command=entry["command"], args=entry["args"], cwd=live.folder, env={**live.env, "PYTHONPATH": str(ROOT)}
        )
        async with asyncio.timeout(60), Client(stdio_client(given)) as connected:
            return (await connected.call_tool("status", {})).structured_content

    assert asyncio.run(run())["services"] == ["web", "job"], shlex.join([entry["command"], *entry["args"]])
