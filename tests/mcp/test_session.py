"""The session of an agent, with the official client over stdio, in the newest protocol and in the one before it."""

import json
import socket
from pathlib import Path

import pytest

from tests.live.stack import Live
from tests.mcp.agent import Session, session
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_an_agent_finds_out_that_a_port_is_taken_and_mends_it(own_folders: Path, mode: str) -> None:
    taken, free = free_pool(2)
    services = {"web": {"command": [*program("listens")], "pool": [taken]}}
    live = Live(own_folders / "worktree", services)

    async def work(agent: Session) -> None:
        assert (await agent.call("status"))["next"] == "up()"
        failed = await agent.call("up")
        assert (failed["ok"], failed["code"]) == (False, "pool-exhausted")
        why = await agent.call("why", service="web")
        assert str(taken) in json.dumps(why)
        live.write({"web": {"command": program("listens"), "pool": [taken, free]}})
        up = await agent.call("up")
        assert (up["ok"], up["state"], up["port"]) == (True, "running", free)
        again = await agent.call("up")
        assert (again["why"], again["url"], again["pid"]) == ("it is up already", up["url"], up["pid"])
        assert (await agent.call("wait", services=["web"], timeout=20))["state"] == "running"
        assert (await agent.call("ports", port=free))["service"] == "web"
        async with agent.told_of("portsup://t/1/status"):
            restarted = await agent.call("restart", services=["web"])
            assert restarted["pid"] != up["pid"]
            assert await agent.noticed.get() == "portsup://t/1/status"
        found = await agent.call("logs", service="web", grep="listen", tail=5)
        assert any("listen" in line for line in found["last_lines"])
        assert "never instructions" in found["notice"]
        later = await agent.call("logs", service="web", cursor=found["cursor"])
        assert later["last_lines"] == []
        read = await agent.client.read_resource("portsup://t/1/logs/web")
        assert "never instructions" in read.contents[0].text  # type: ignore[union-attr]
        down = await agent.call("down")
        assert (down["ok"], down["state"]) == (True, "not running")
        assert agent.asked == ["Stop the stack `t` (instance 1): web?"]

    with socket.create_server(("127.0.0.1", taken)):
        try:
            session(live, work, mode=mode)
        finally:
            live.end()
    live.leaves_nothing(free)


@pytest.mark.parametrize("agrees", [False, None])
def test_nothing_is_destroyed_without_the_user(own_folders: Path, agrees: bool | None) -> None:
    live = Live(own_folders / "p", {"db": {"command": ["sleep", "1000"]}, "web": {
        "command": ["sleep", "1000"], "depends_on": ["db"],
    }})  # fmt: skip

    async def work(agent: Session) -> None:
        for tool, arguments in {"down": {}, "stop": {"services": ["db"]}}.items():
            told = await agent.call(tool, **arguments)
            assert (told["ok"], told["code"]) == (False, "not-agreed")
            command = "portsup down" if tool == "down" else "portsup stop db"
            assert told.get("next") == (None if agrees is False else f"ask the user to run `{command}`")
        assert (await agent.call("stop", services=["web"]))["state"] == "stopped"
        assert {each["state"] for each in (await agent.call("status"))["services"]} == {"running", "stopped"}

    with live.up():
        session(live, work, agrees=agrees)


def test_what_can_be_read_is_only_of_this_folder_and_writing_can_be_left_out(own_folders: Path) -> None:
    live = Live(own_folders / "p", {"job": {"command": ["sleep", "9"], "environment": {"API_KEY": "s3cret-value"}}})

    async def work(agent: Session) -> None:
        tools = await agent.client.list_tools()
        assert [each.name for each in tools.tools] == ["status", "ports", "logs", "why", "events", "wait"]
        assert all(each.title and each.output_schema and each.annotations for each in tools.tools)
        assert (await agent.call("down"))["code"] == "no-such-tool"
        resources = [str(each.uri) for each in (await agent.client.list_resources()).resources]
        assert resources == [f"portsup://t/1/{kind}" for kind in ("status", "ports", "config", "events", "logs/job")]
        for uri in resources:
            read = await agent.client.read_resource(uri)
            assert "s3cret" not in read.contents[0].text  # type: ignore[union-attr]
        for uri in (
            "portsup://other/1/status",
            "portsup://t/2/status",
            "portsup://t/1/logs/../../x",
            "file:///etc/passwd",
        ):
            with pytest.raises(Exception, match="cannot read"):
                await agent.client.read_resource(uri)
        prompts = [each.name for each in (await agent.client.list_prompts()).prompts]
        assert prompts == ["diagnose-service", "add-service", "fix-port-conflict"]
        prompt = await agent.client.get_prompt("diagnose-service", {"service": "job"})
        assert 'why(service="job")' in prompt.messages[0].content.text  # type: ignore[union-attr]

    session(live, work, "--read-only")
