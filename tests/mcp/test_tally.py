"""How many sessions and programs a bridge has, as portsup hears it."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from supervisor.core.sd_notify import Notification, parse
from supervisor.mcp.bridge.tally import Counted, Tally


class Heard:
    """The other end of a tally."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.setblocking(False)

    def next(self) -> tuple[int | None, int | None]:
        notice = parse(self._socket.recv(4096))
        assert isinstance(notice, Notification)
        return notice.sessions, notice.programs

    def has_more(self) -> bool:
        try:
            self._socket.recv(4096, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


async def request(app: Any, method: str = "POST", session: str = "") -> int:
    """The status of one request."""
    status = 0

    async def send(message: Any) -> None:
        nonlocal status
        status = message["status"]

    headers = [(b"Mcp-Session-Id", session.encode())] if session else []
    await app({"type": "http", "method": method, "headers": headers}, None, send)
    return status


def answering(status: int, session: str = "", waits: asyncio.Event | None = None) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"mcp-session-id", session.encode())] if session else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if waits is not None:
            await waits.wait()

    return app


@pytest.fixture
def heard(tmp_path: Path) -> Any:
    made = Heard(tmp_path / "s")
    yield made
    made.close()


def test_only_changes_are_said(heard: Heard) -> None:
    tally = Tally(heard.address)
    tally.note(programs=1)
    tally.note(programs=1, sessions=0)
    tally.note(sessions=2)
    assert (heard.next(), heard.next(), heard.has_more()) == ((0, 1), (2, 1), False)


def test_without_anybody_who_hears_it_counts_all_the_same(tmp_path: Path) -> None:
    for address in ("", str(tmp_path / "nobody")):
        tally = Tally(address)
        tally.note(sessions=3)
        assert (tally.sessions, tally.programs) == (3, 0)


def test_what_portsup_cannot_take_now_is_said_later(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.mcp.bridge.tally.AGAIN", 0.01)

    async def fill() -> tuple[int | None, int | None]:
        tally = Tally(heard.address)
        for count in range(1, 5000):
            tally.note(sessions=count)
        said: tuple[int | None, int | None] = (None, None)
        while said != (4999, 0):
            while heard.has_more():
                said = heard.next()
            await asyncio.sleep(0)
        return said

    assert asyncio.run(asyncio.wait_for(fill(), 20)) == (4999, 0)


def test_a_session_lasts_from_its_first_answer_to_its_end() -> None:
    tally = Tally("")

    async def ask() -> None:
        counted = Counted(answering(200, "a"), tally, 100.0)
        await request(counted)
        counted._app = answering(200, "b")
        await request(counted)
        assert tally.sessions == 2
        counted._app = answering(400, "c")
        await request(counted)
        counted._app = answering(200)  # one of version 2026-07-28
        await request(counted)
        assert tally.sessions == 2, "neither of these has begun one"
        await request(counted, session="a")
        counted._app = answering(405)
        await request(counted, "DELETE", session="a")
        assert tally.sessions == 2, "it was not ended"
        counted._app = answering(200)
        await request(counted, "DELETE", session="a")
        assert tally.sessions == 1
        counted._app = answering(404)
        await request(counted, session="unknown")
        assert tally.sessions == 1
        await request(counted, session="b")
        assert tally.sessions == 0, "it has expired"

    asyncio.run(ask())


def test_one_that_nobody_uses_is_over_and_one_with_a_stream_is_not() -> None:
    tally = Tally("")

    async def wait() -> None:
        streams = asyncio.Event()
        counted = Counted(answering(200, "used"), tally, 0.05)
        await request(counted)
        counted._app = answering(200, "", streams)
        stream = asyncio.create_task(request(counted, "GET", session="used"))
        await asyncio.sleep(0)  # it begins
        counted._app = answering(200, "unused")
        await request(counted)
        assert tally.sessions == 2
        while tally.sessions == 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert tally.sessions == 1, "a stream is open"
        streams.set()
        await stream
        while tally.sessions:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(wait(), 20))
