"""Programs that nobody here wrote are restarted rolling, under clients that must not notice."""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from supervisor.process.filters import why_not
from tests.live.conftest import Make
from tests.live.test_programs import Case, asgi, gunicorn, is_missing, nginx
from tests.support.caller import Calls, caller, keeper_alive
from tests.support.eventually import eventually
from tests.support.needed import need
from tests.support.ports import free_pool
from tests.support.running import program
from tests.support.thief import thief

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=f"no handoff here: {why_not()}")]

GET = b"GET / HTTP/1.0\r\n\r\n"
ROLLS = 3
NODE = """
let ends = false;
const server = require('http').createServer((q, r) => { if (ends) r.setHeader('Connection', 'close'); r.end('node'); });
server.listen(+process.env.PORT, '127.0.0.1');
process.on('SIGTERM', () => { ends = true; server.close(() => process.exit(0)); });
"""


def node(folder: Path, port: int) -> Sequence[str]:
    return ["node", "-e", NODE]


def reference(folder: Path, port: int) -> Sequence[str]:
    return program("finishes")


class Roller:
    """A program that is restarted rolling; `cuts` are connections a roll that it closes without reading them."""

    def __init__(
        self, command: Callable[[Path, int], Sequence[str]], needs: str = "", cuts: int = 0, **more: Any
    ) -> None:
        self.case = Case(command, needs=needs)
        self.cuts = cuts
        self.more = more


ROLLERS = {
    "gunicorn": Roller(gunicorn, ".gunicorn"),
    "uvicorn": Roller(asgi, ".uvicorn", cuts=1),
    "node": Roller(node, "node"),
    "nginx": Roller(nginx, "nginx", stop_signal="SIGQUIT"),
    "http.server": Roller(reference),
}


@pytest.mark.parametrize("name", ROLLERS)
def test_no_request_fails_over_rolling_restarts(stack: Make, own_folders: Path, name: str) -> None:
    roller = ROLLERS[name]
    need(not is_missing(roller.case), f"`{roller.case.needs.lstrip('.')}`", "`.ci/run` installs it")
    (port,) = free_pool(1)
    command = [str(word) for word in roller.case.command(own_folders, port)]
    path = {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
    live = stack({"web": {"command": command, "pool": [port], "environment": path, **roller.more}})
    with live.up(), ExitStack() as around:
        clients: list[Calls] = [around.enter_context(caller(port, GET)), around.enter_context(keeper_alive(port))]
        loot = around.enter_context(thief([port]))
        seen = {live.rows()["web"]["pid"]}
        for _ in range(ROLLS):
            answered = [each.answered for each in clients]
            result = live.do("restart", "web", rolling=True)["web"]
            assert result["ok"], result
            seen.add(live.rows()["web"]["pid"])
            eventually(lambda answered=answered: all(  # type: ignore[misc]
                calls.answered > before + 5 for calls, before in zip(clients, answered, strict=True)
            ))  # fmt: skip
        around.close()
        row = live.rows()["web"]
    assert len(seen) == ROLLS + 1
    assert (row["state"], row["restarts"], row["port"], row["beside"]) == ("running", 0, port, None)
    assert [(each.refused, each.late, each.strange) for each in clients] == [(0, 0, [])] * 2
    assert sum(each.cut for each in clients) <= roller.cuts * ROLLS
    assert loot.won == {}
