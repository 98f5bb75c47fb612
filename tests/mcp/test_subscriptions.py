"""Who is told that a resource has changed."""

import asyncio
from typing import Any

import pytest

from supervisor.api.project import Project
from supervisor.api.values import LogLine
from supervisor.mcp.changes import Changes
from supervisor.mcp.toolbox import Toolbox
from tests.support.eventually import eventually

pytestmark = pytest.mark.live  # it imports the whole protocol, for a second

ADDRESS = "portsup://shop/1/status"


class Session:
    """A client; one that has left cannot be told."""

    def __init__(self, *, has_left: bool = False, reads: bool = True) -> None:
        self.session = self  # also what asks for it
        self.uri = ADDRESS
        self.told: list[str] = []
        self._has_left = has_left
        self._reads = reads

    async def send_resource_updated(self, uri: str) -> None:
        if self._has_left:
            raise ConnectionError
        while not self._reads:
            await asyncio.sleep(3600)
        self.told.append(uri)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    from supervisor.mcp.server import McpServer

    monkeypatch.setattr(Changes, "begin", lambda self: None)
    return McpServer(Toolbox(Project()), "0")


def test_who_is_no_longer_told_takes_nobody_along(server: Any) -> None:
    stays, goes, left = Session(), Session(), Session(has_left=True)

    async def act() -> None:
        for each in (stays, goes, left):
            await server._subscribe(each, each)
        await server._publish(ADDRESS)
        await server._unsubscribe(goes, goes)
        await server._publish(ADDRESS)

    asyncio.run(act())
    assert (stays.told, goes.told) == ([ADDRESS] * 2, [ADDRESS])
    assert server._wanted() == {ADDRESS}
    asyncio.run(server._unsubscribe(stays, stays))
    assert server._wanted() == frozenset()


def test_the_last_lines_of_a_stack_that_ends_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.mcp.changes.LOGS_EVERY", 0.2)
    told: list[str] = []

    class Ending(Project):
        def name(self) -> tuple[str, int]:
            return "shop", 1

        def stack(self) -> Any:
            return self

        def logs(self) -> Any:
            return iter([LogLine("2026-01-01T10:00:00.000Z", "web", "stdout", "last words")])

    uri = "portsup://shop/1/logs/web"
    changes = Changes(Ending(), lambda: {uri}, told.append)
    changes._follow_logs()
    assert eventually(lambda: told == [uri])


def test_who_asks_twice_is_told_once(server: Any) -> None:
    one = Session()

    async def act() -> None:
        await server._subscribe(one, one)
        await server._subscribe(one, one)
        await server._publish(ADDRESS)

    asyncio.run(act())
    assert one.told == [ADDRESS]


def test_what_is_no_unicode_ends_no_session(server: Any) -> None:
    from mcp.shared.exceptions import MCPError
    from mcp_types import CallToolRequestParams, ReadResourceRequestParams

    broken = "\udcff"  # as a byte of the name of a file or a process that is no UTF-8

    class Broken(Toolbox):
        def _status(self, services: Any = ()) -> Any:
            return {"ok": True, "state": f"é{broken}", "services": [{broken: broken}]}

    server._toolbox = Broken(Project())
    told = asyncio.run(server._call_tool(None, CallToolRequestParams(name="status", arguments={})))
    assert '"state":"é?"' in told.content[0].text
    assert '"services":[{"?":"?"}]' in told.model_dump_json()
    with pytest.raises(MCPError) as refused:
        asyncio.run(server._read_resource(None, ReadResourceRequestParams(uri=f"portsup://{broken}/1/status")))
    assert refused.value.error.model_dump_json()


def test_who_does_not_read_keeps_no_notice_from_others(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.mcp.server.UNREAD_FOR", 0.01)
    slow, reads = Session(reads=False), Session()

    async def act() -> None:
        for each in (slow, reads):
            await server._subscribe(each, each)
        async with asyncio.timeout(20):
            await server._publish(ADDRESS)
            await server._publish(ADDRESS)

    asyncio.run(act())
    assert reads.told == [ADDRESS] * 2
    assert server._subscribed[ADDRESS] == [reads]


def test_an_answer_that_nobody_reads_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from supervisor.mcp import http

    monkeypatch.setattr(http, "UNREAD_FOR", 0.01)
    ended: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send({"type": "http.response.body"})
        finally:
            ended.append("its work")

    async def never(message: Any) -> None:
        await asyncio.sleep(3600)

    async def act() -> None:
        async with asyncio.timeout(20):
            await http.Patient(app)({"type": "http"}, never, never)  # type: ignore[arg-type]

    asyncio.run(act())
    assert ended == ["its work"]
