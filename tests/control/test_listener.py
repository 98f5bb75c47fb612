"""The control socket where the system has nothing left for a client, or for the socket."""

import asyncio
import errno
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from supervisor.control import listener
from supervisor.control.listener import Acceptor
from supervisor.control.protocol import request
from supervisor.control.reply import Reply
from supervisor.control.requests import Request
from supervisor.control.server import serve
from supervisor.errors import PortsupError
from tests.control.scene import Answer

pytestmark = pytest.mark.live


def answer(asked: Request, reply: Reply) -> None:
    reply.tell(Answer(answer=asked.do))


def test_a_client_that_cannot_be_let_in_at_once_is_let_in_later(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No descriptor for it, and then no memory to go on watching the socket."""
    refusals = [OSError(errno.EMFILE, "too many open files"), OSError(errno.ENFILE, "too many open files")]
    told: list[OSError] = []
    accept, begin = socket.socket.accept, Acceptor.begin
    unwatched = [OSError(errno.ENOMEM, "no memory")]

    def refusing(self: socket.socket) -> "tuple[socket.socket, Any]":
        if refusals:
            raise refusals.pop()
        return accept(self)

    def beginning(self: Acceptor) -> None:
        if told and unwatched:
            raise unwatched.pop()
        begin(self)

    monkeypatch.setattr(listener, "PAUSE", 0.01)

    async def run() -> None:
        listening = await serve(own_folders / "c.sock", answer, on_refused=told.append)
        monkeypatch.setattr(socket.socket, "accept", refusing)
        monkeypatch.setattr(Acceptor, "begin", beginning)
        async with asyncio.timeout(20):
            reader, writer = await asyncio.open_unix_connection(own_folders / "c.sock")
            writer.write(request("ping"))
            assert json.loads(await reader.readline()) == {"ok": True, "answer": "ping"}
            writer.close()
        listening.stop_listening()
        listening.close()

    asyncio.run(run())
    assert [error.errno for error in told] == [errno.ENFILE, errno.ENOMEM, errno.EMFILE]


def test_a_socket_that_cannot_be_opened_leaves_nothing(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EADDRINUSE, "in use")

    monkeypatch.setattr(socket.socket, "listen", refuse)
    with pytest.raises(PortsupError, match="cannot open the control socket"):
        asyncio.run(serve(own_folders / "c.sock", answer))
    assert not (own_folders / "c.sock").exists()
