"""An agent finds out why a service does not come up, and fixes it: once for each kind of trouble."""

import json
from pathlib import Path

import pytest

from tests.live.stack import Live
from tests.live.stories import STORIES
from tests.mcp.agent import Session, session
from tests.support.ports import free_pool
from tests.support.rounds import only

pytestmark = pytest.mark.live


@pytest.mark.parametrize("name", only(["port taken", "lost lock"], STORIES))
def test_an_agent_finds_the_trouble_and_fixes_it(own_folders: Path, name: str) -> None:
    story, ports = STORIES[name], free_pool(3)
    live = Live(own_folders / "p", story.services(ports))

    async def work(agent: Session) -> None:
        status = await agent.call("status")
        if status["state"] == "not running":
            assert status["next"] == "up()"
            if name == "lost lock":
                assert story.says in status["why"]
            else:
                failed = await agent.call("up")
                assert (failed["ok"], failed["next"]) == (False, f'why(service="{story.names}")')
                assert story.says in failed["why"]
        else:
            assert status["ok"]
            assert status["next"].startswith("why(service=")
            trouble = {each["service"]: each for each in status["services"] if "why" in each}
            assert story.names in trouble
        assert story.says in json.dumps(await agent.call("why", service=story.names))
        story.fixes(live, ports)
        if story.then == "reload":
            compared = await agent.call("reload")
            assert compared["next"] == "reload(dry_run=false)"
            assert (await agent.call("reload", dry_run=False))["ok"]
        told = await agent.call(*(("start",) if story.then == "start" else ("up",)), **(
            {"services": [story.names]} if story.then == "start" else {}
        ))  # fmt: skip
        if "start(" in told.get("next", ""):
            assert (await agent.call("start", services=[*live.rows()]))["ok"]
        assert (await agent.call("wait", timeout=20))["ok"]
        assert {row["state"] for row in live.rows().values()} == {"running"}

    with story.told(live, ports):
        session(live, work)
