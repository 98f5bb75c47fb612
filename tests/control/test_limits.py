"""What one client of the control socket, and all together, may ask at a time."""

import asyncio
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from supervisor import system
from supervisor.control import connection
from supervisor.control.connection import MAX_STREAMS, MAX_TASKS, make_room, session_of
from supervisor.control.protocol import request
from tests.control.scene import Daemon, ask, play, until

pytestmark = pytest.mark.live


@pytest.mark.parametrize("words", [request("status"), b"?\n"], ids=["questions", "nonsense"])
def test_a_client_that_asks_on_and_on_without_reading_is_answered_as_it_reads(own_folders: Path, words: bytes) -> None:
    """What it has asked waits in its own socket: the daemon keeps no more than a slow reader may leave unread."""
    count = 5_000

    async def scene(daemon: Daemon, path: Path) -> None:
        daemon.padding = "x" * 1000
        reader, writer = await asyncio.open_unix_connection(path)
        reading = reader._transport  # type: ignore[attr-defined]
        reading.pause_reading()
        writer.write(words * count)
        for _ in range(20):
            assert (await ask(path, request("ping")))[0]["ok"]
        assert len(daemon.asked) < count
        reading.resume_reading()
        answers = [json.loads(await reader.readline()) for _ in range(count)]
        assert len({answer["ok"] for answer in answers}) == 1
        writer.close()

    play(own_folders, scene)


@pytest.mark.parametrize(("do", "limit"), [("watch", MAX_STREAMS), ("stop", MAX_TASKS)])
def test_a_connection_has_a_limit_of_what_goes_on_and_says_so(own_folders: Path, do: str, limit: int) -> None:
    async def scene(daemon: Daemon, path: Path) -> None:
        daemon.is_slow = True
        line = request(do, services=[]) if do == "stop" else request(do)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(line * (limit + 2))
        answers = (
            [json.loads(await reader.readline()) for _ in range(limit + 2)]
            if do == "watch"
            else [json.loads(await reader.readline()) for _ in range(2)]
        )
        errors = [answer["error"] for answer in answers if not answer["ok"]]
        assert len(errors) == 2
        assert (errors[0]["what"], errors[0]["exit_code"]) == (f"cannot answer `{do}`", 1)
        assert str(limit) in errors[0]["why"]
        assert errors[0]["hint"]
        if do == "stop":  # one that is done makes room for another
            daemon.replies[0].conclude([])
            assert json.loads(await reader.readline())["end"]
            writer.write(line + request("ping"))
            assert json.loads(await reader.readline())["answer"] == "ping"
            assert len(daemon.replies) == limit + 2
        assert (await ask(path, request("ping")))[0]["ok"]
        writer.close()

    play(own_folders, scene)


def test_there_is_a_limit_for_all_connections_together(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_STREAMS_OF_ALL", 5)

    async def scene(daemon: Daemon, path: Path) -> None:
        open_ones = [await asyncio.open_unix_connection(path) for _ in range(6)]
        for _, writer in open_ones:
            writer.write(request("watch"))
        answers = [json.loads(await reader.readline()) for reader, _ in open_ones]
        assert [answer["ok"] for answer in answers].count(False) == 1
        for _, writer in open_ones:
            writer.close()
        await until(lambda: daemon.closed == 5)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(request("watch"))
        assert json.loads(await reader.readline())["ok"]
        writer.close()

    play(own_folders, scene)


def test_clients_are_answered_in_turn_however_much_one_of_them_asks(own_folders: Path) -> None:
    async def scene(daemon: Daemon, path: Path) -> None:
        daemon.takes = 0.002
        greedy, writer = await asyncio.open_unix_connection(path)
        writer.write(request("status") * 3000)
        await greedy.readline()
        assert (await ask(path, request("ping")))[0]["ok"]
        assert len(daemon.asked) < 1500
        writer.close()

    play(own_folders, scene)


def test_what_was_asked_before_the_client_ended_its_side_is_answered(own_folders: Path) -> None:
    async def scene(daemon: Daemon, path: Path) -> None:
        daemon.takes = 0.002
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(request("status") * 50)
        writer.write_eof()
        assert len((await reader.read()).splitlines()) == 50
        writer.close()

    play(own_folders, scene)


class Client:
    """What is looked at of a connection, which is its own transport."""

    def __init__(self, name: str, peer: int, dropped: list[str], *, is_watching: bool) -> None:
        self.peer, self.is_watching, self.transport = peer, is_watching, self
        self.abort = lambda: dropped.append(name)


def test_room_is_made_by_whoever_has_most_connections() -> None:
    """All of a flood's have a stream, and the one who comes to say `down` has not asked anything yet."""
    dropped: list[str] = []

    def client(name: str, peer: int, *, is_watching: bool = False) -> Any:
        return Client(name, peer, dropped, is_watching=is_watching)

    flood = [client(f"flood {number}", 7, is_watching=number != 1) for number in range(3)]
    connections = dict.fromkeys([client("quiet", 8), *flood, client("down", 9)])
    for _ in range(2):
        make_room(connections)
    assert dropped == ["flood 1", "flood 0"], "without a stream, then the oldest"
    make_room(connections)
    assert dropped[2:] == ["quiet"], "all have one: the oldest without a stream"
    assert len(connections) == 2
    make_room({})


def test_the_other_end_is_known_by_its_session() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert system.peer_of(ours) == (os.getpid(), os.getuid())
    assert session_of(os.getpid()) == os.getsid(0)
    assert (session_of(0), session_of(2**22 + 1)) == (0, 2**22 + 1)
