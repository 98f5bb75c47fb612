"""The daemon's end of the control socket, under clients that are slow, broken, gone or too many."""

import asyncio
import json
import os
import socket
from pathlib import Path

import pytest

from supervisor.control import connection
from supervisor.control import reply as replies
from supervisor.control.connection import MAX_CONNECTIONS
from supervisor.control.progress import Outcome
from supervisor.control.protocol import MAX_REQUEST, request
from supervisor.control.server import serve
from tests.control.scene import Answer, Daemon, ask, play, until

pytestmark = pytest.mark.live


def test_the_socket_is_ours_alone_and_gone_afterwards(own_folders: Path) -> None:
    async def scene(daemon: Daemon, path: Path) -> None:
        assert path.stat().st_mode & 0o777 == 0o600
        assert await ask(path, request("status")) == [{"ok": True, "answer": "status"}]

    play(own_folders, scene)
    assert not (own_folders / "c.sock").exists()


def test_a_dead_socket_is_replaced(own_folders: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(own_folders / "c.sock"))
    dead.close()

    async def scene(daemon: Daemon, path: Path) -> None:
        assert (await ask(path, request("ping")))[0]["ok"]

    play(own_folders, scene)


def test_several_requests_on_one_connection_are_answered_in_order_also_after_a_wrong_one(own_folders: Path) -> None:
    async def scene(daemon: Daemon, path: Path) -> None:
        answers = await ask(path, request("status"), b"nonsense\n", request("env"), request("ping"))
        assert [answer["ok"] for answer in answers] == [True, False, False, True]
        assert answers[1]["error"]["exit_code"] == 2
        assert answers[2]["error"]["what"] == "cannot find it"

    play(own_folders, scene)


def test_what_takes_several_turns_is_answered_before_the_next_request_is_looked_at(own_folders: Path) -> None:
    async def scene(daemon: Daemon, path: Path) -> None:
        daemon.is_slow = True
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(request("endpoints") + request("ping"))
        writer.write_eof()
        await until(lambda: bool(daemon.replies))
        assert (await ask(path, request("status")))[0]["ok"], "it holds up nobody else"
        assert [asked.do for asked in daemon.asked] == ["endpoints", "status"]
        daemon.replies[0].tell(Answer(answer="endpoints"))
        daemon.replies[0].finish()
        answers = [json.loads(line)["answer"] for line in (await reader.read()).splitlines()]
        assert answers == ["endpoints", "ping"]
        writer.close()

    play(own_folders, scene)


def test_a_request_may_come_byte_by_byte(own_folders: Path) -> None:
    async def scene(daemon: Daemon, path: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        for byte in request("status"):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        assert json.loads(await reader.readline())["answer"] == "status"
        writer.close()

    play(own_folders, scene)


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["without an end", "as a line"])
def test_a_line_that_is_too_long_is_refused_and_the_connection_ended(own_folders: Path, end: bytes) -> None:
    async def scene(daemon: Daemon, path: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"v":1,"do":"start","services":["' + b"x" * 2 * MAX_REQUEST + b'"]}' + end)
        answer = json.loads(await reader.readline())
        assert answer["ok"] is False
        assert "longer than" in answer["error"]["why"]
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
        writer.close()
        assert (await ask(path, request("ping")))[0]["ok"]

    assert [asked.do for asked in play(own_folders, scene).asked] == ["ping"]


def test_clients_that_say_half_of_it_or_nothing_and_leave_harm_nobody(own_folders: Path) -> None:
    async def scene(daemon: Daemon, path: Path) -> None:
        for half in (b"", b'{"v":1,', request("status"), request("watch")):
            for how in ("close", "abort"):
                _, writer = await asyncio.open_unix_connection(path)
                writer.write(half)
                writer.close() if how == "close" else writer.transport.abort()
        assert (await ask(path, request("ping")))[0]["ok"]
        await until(lambda: daemon.closed == sum(asked.do == "watch" for asked in daemon.asked))
        for reply in daemon.replies:
            reply.tell(Answer(news="late"))  # to nobody

    play(own_folders, scene)


def test_a_client_that_ends_its_side_still_gets_its_answer(own_folders: Path) -> None:
    """As `echo … | nc -U` does."""

    async def scene(daemon: Daemon, path: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(request("status"))
        writer.write_eof()
        assert json.loads(await reader.readline())["answer"] == "status"
        writer.close()

    play(own_folders, scene)


def test_a_reader_that_does_not_read_is_dropped_and_holds_nobody_up(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "MAX_UNREAD", 100_000)

    async def scene(daemon: Daemon, path: Path) -> None:
        sleeper = socket.socket(socket.AF_UNIX)
        sleeper.connect(str(path))
        sleeper.sendall(request("watch"))
        await until(lambda: bool(daemon.replies))
        for _ in range(100):
            daemon.replies[0].tell(Answer(news="x" * 10_000))
        assert daemon.replies[0].is_closed
        assert (await ask(path, request("ping")))[0]["ok"]
        await until(lambda: daemon.closed == 1)
        sleeper.close()

    play(own_folders, scene)


def test_a_reader_is_behind_if_its_first_line_was_too_long(own_folders: Path) -> None:
    async def scene(daemon: Daemon, path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as sleeper:
            sleeper.connect(str(path))
            sleeper.sendall(request("logs"))
            await until(lambda: bool(daemon.replies))
            assert daemon.replies[0].is_behind
            sleeper.setblocking(False)
            read = 0
            while read < 1_000_000:
                read += len(await asyncio.get_running_loop().sock_recv(sleeper, 1 << 20))
            await until(lambda: not daemon.replies[0].is_behind)

    play(own_folders, scene)


def test_many_connections_at_once_are_served(own_folders: Path) -> None:
    async def scene(daemon: Daemon, path: Path) -> None:
        answers = await asyncio.gather(*(ask(path, request("status")) for _ in range(100)))
        assert all(answer[0]["ok"] for answer in answers)

    play(own_folders, scene)


def test_open_connections_without_end_keep_nobody_out(own_folders: Path) -> None:
    async def scene(daemon: Daemon, path: Path) -> None:
        before = len(os.listdir("/proc/self/fd"))
        idle = [await asyncio.open_unix_connection(path) for _ in range(MAX_CONNECTIONS + 50)]
        assert (await ask(path, request("ping")))[0]["ok"]
        assert len(os.listdir("/proc/self/fd")) - before <= len(idle) + MAX_CONNECTIONS + 5
        for _, writer in idle:
            writer.close()

    play(own_folders, scene)


def test_one_that_watches_outlasts_those_that_say_nothing(own_folders: Path) -> None:
    async def scene(daemon: Daemon, path: Path) -> None:
        reader, watching = await asyncio.open_unix_connection(path)
        watching.write(request("watch"))
        await reader.readline()
        idle = [await asyncio.open_unix_connection(path) for _ in range(MAX_CONNECTIONS + 50)]
        daemon.replies[0].tell(Answer(news=1))
        assert json.loads(await reader.readline())["news"] == 1
        for _, writer in [*idle, (reader, watching)]:
            writer.close()

    play(own_folders, scene)


def test_what_was_said_before_the_end_still_arrives(own_folders: Path) -> None:
    async def run() -> bytes:
        daemon = Daemon()
        listening = await serve(own_folders / "c.sock", daemon.handle)
        reader, writer = await asyncio.open_unix_connection(own_folders / "c.sock")
        writer.write(request("watch"))
        await reader.readline()
        daemon.replies[0].conclude([Outcome("web", True, "x" * 500_000)])
        listening.stop_listening()
        listening.close()
        rest = await reader.read()
        writer.close()
        return rest

    assert json.loads(asyncio.run(run()))["end"] is True


def test_the_limits_hold_for_all_clients_however_often_the_socket_is_made_again(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_CONNECTIONS", 4)

    async def run() -> tuple[int, list[bytes]]:
        daemon, path = Daemon(), own_folders / "c.sock"
        server = await serve(path, daemon.handle)
        open_ones = []
        for _ in range(3):
            for _ in range(4):
                reader, writer = await asyncio.open_unix_connection(path)
                writer.write(request("ping"))
                await reader.readline()
                open_ones.append((reader, writer))
            path.unlink()
            server = await serve(path, daemon.handle, server)
        count = len(server.clients.connections)
        server.stop_listening()
        server.close()
        ends = [await reader.read() for reader, _ in open_ones]
        for _, writer in open_ones:
            writer.close()
        return count, ends

    assert asyncio.run(run()) == (4, [b""] * 12), "and all of them end with it"


def test_a_socket_that_somebody_removed_is_noticed_and_made_again(own_folders: Path) -> None:
    async def run() -> bytes:
        daemon = Daemon()
        path = own_folders / "c.sock"
        first = await serve(path, daemon.handle)
        assert first.is_in_place()
        path.unlink()
        assert not first.is_in_place()
        path.mkdir()
        assert await serve(path, daemon.handle, first) is first, "the next attempt may have more luck"
        path.rmdir()
        second = await serve(path, daemon.handle, first)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(request("watch"))
        answer = await reader.readline()
        writer.close()
        second.stop_listening()
        second.close()
        return answer

    assert json.loads(asyncio.run(run()))["ok"] is True
