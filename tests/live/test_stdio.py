"""Programs that speak MCP on standard input and output, served on the port of their service."""

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

import mcp_types as types
import pytest
from mcp import Client

from tests.live.conftest import Make
from tests.live.stack import Live, is_alive
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.rounds import only
from tests.support.running import program

pytestmark = pytest.mark.live


def served(stack: Make, **stdio: Any) -> tuple[Live, str]:
    (port,) = free_pool(1)
    live = stack({"tools": {
        "command": program("speaks_mcp"), "pool": [port], "stdio": {"mcp": True, **stdio}, "ready": {"timeout": 60},
    }})  # fmt: skip
    return live, f"http://127.0.0.1:{port}/mcp"


async def call(client: Client, tool: str, **arguments: Any) -> str:
    answer = await client.call_tool(tool, arguments)
    (content,) = answer.content
    assert isinstance(content, types.TextContent)
    return content.text


def test_one_program_serves_all_clients_old_and_new(stack: Make) -> None:
    live, url = served(stack)

    async def ask(mode: Any) -> tuple[str, str, list[float]]:
        steps: list[float] = []

        async def told(progress: float, total: float | None, message: str | None) -> None:
            steps.append(progress)

        async with Client(url, mode=mode) as client:
            assert [tool.name for tool in (await client.list_tools()).tools][:2] == ["pid", "add"]
            assert await call(client, "add", a=2, b=3) == "5"
            assert client.instructions == "be brief"
            await client.call_tool("slow", {}, progress_callback=told)
            return await call(client, "pid"), client.protocol_version, steps

    async def all_at_once() -> list[Any]:
        answers = list(await asyncio.gather(*(ask(mode) for mode in ("legacy", "auto", "legacy", "auto"))))
        async with Client(url) as client:
            assert await call(client, "ask") == "error"  # nobody knows whom it asks
        return answers

    with live.up("-d"):
        live.until("tools", stdio={"sessions": 0, "programs": 1})
        answers = asyncio.run(all_at_once())
        live.until("tools", stdio={"sessions": 0, "programs": 1})
        assert len({pid for pid, *_ in answers}) == 1
        assert {version for _, version, _ in answers} == {"2025-11-25", "2026-07-28"}
        assert [steps for _, _, steps in answers] == [[0.0, 1.0, 2.0]] * 4
        assert "it runs" in live.log("tools")
        pid = int(answers[0][0])
        assert is_alive(pid)
    eventually(lambda: not is_alive(pid))


def test_a_program_that_ends_is_started_again_with_its_service(stack: Make) -> None:
    live, url = served(stack)

    async def end() -> None:
        async with Client(url, mode="legacy") as client:
            await client.call_tool("die", {})

    with live.up("-d"):
        pid = live.rows()["tools"]["pid"]
        with pytest.raises(BaseException):  # noqa: B017, PT011  whatever the SDK makes of a connection that ends
            asyncio.run(end())
        eventually(lambda: live.rows()["tools"]["pid"] not in (None, pid))
        live.until("tools", within=60, state="running", restarts=1)
        assert "has ended" in live.log("tools")


def test_each_session_has_a_program_that_ends_with_all_it_started(stack: Make) -> None:
    live, url = served(stack, share="per-session", max=2)

    async def ask() -> tuple[str, str]:
        async def sample(context: Any, params: Any) -> types.CreateMessageResult:
            said = types.TextContent(type="text", text="asked")
            return types.CreateMessageResult(role="assistant", content=said, model="m")

        async with Client(url, mode="auto", sampling_callback=sample) as one, Client(url, mode="legacy") as other:
            first, second = await call(one, "pid"), await call(other, "pid")
            assert first != second
            assert (one.protocol_version, await call(one, "pid")) == ("2025-11-25", first)
            assert await call(one, "ask") == "asked"
            with pytest.raises(urllib.error.HTTPError) as refused:
                await asyncio.to_thread(opened, url)
            assert refused.value.code == 503
            assert "there may be no more" in refused.value.read().decode()
            live.until("tools", stdio={"sessions": 2, "programs": 2})
            told = live.run("metrics").stdout
            assert 'portsup_service_stdio_programs{stack="t",instance="1",service="tools"} 2' in told
            return first, await call(one, "fork")

    with live.up("-d"):
        pid, child = asyncio.run(ask())
        live.until("tools", stdio={"sessions": 0, "programs": 0})
        eventually(lambda: not is_alive(int(pid)))
        eventually(lambda: not is_alive(int(child)))
        assert programs(url) == 0
        assert opened(url) == 200


def opened(url: str, host: str = "") -> int:
    """The status of a request that begins a session."""
    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    request = urllib.request.Request(url, body, headers | ({"Host": host} if host else {}))
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(answer.status)


def programs(url: str) -> int:
    with urllib.request.urlopen(url.replace("/mcp", "/health"), timeout=60) as answer:
        return int(json.load(answer)["programs"])


@pytest.mark.parametrize("share", ["one", "per-session"])
def test_a_page_of_the_web_cannot_have_its_own_name_lead_here(stack: Make, share: str) -> None:
    live, url = served(stack, share=share)
    with live.up("-d"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            opened(url, host="evil.example")
        assert refused.value.code == 421
        if share == "per-session":
            assert programs(url) == 0


@pytest.mark.parametrize("command", only([["echo", "{}"]], [["./nowhere"], ["true"], ["echo", "{}"]]))
def test_a_program_that_does_not_speak_it_fails_with_the_reason(stack: Make, command: list[str]) -> None:
    (port,) = free_pool(1)
    live = stack({"tools": {"command": command, "pool": [port], "stdio": "mcp", "restart": "never"}})
    live.run("up", "-d")
    eventually(lambda: live.log("tools") != "", within=60)
    said = live.log("tools")
    assert "Traceback" not in said
    assert ("there is no such program" in said) or ("does not answer" in said) or ("has ended" in said)
    live.run("down")
