"""A session of the bridge that goes wrong takes no other with it."""

import contextlib
import errno
import os
from collections.abc import AsyncIterator
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp.shared.message import SessionMessage

from supervisor.mcp.bridge import sessions
from supervisor.mcp.bridge.sessions import Sessions
from supervisor.mcp.bridge.tally import Tally

pytestmark = pytest.mark.live  # imports all of MCP

FIRST = SessionMessage(types.JSONRPCRequest(jsonrpc="2.0", id=1, method="initialize", params={}))
NOTICE = SessionMessage(types.JSONRPCNotification(jsonrpc="2.0", method="notifications/message", params={}))


class Transport:
    """One whose client says one thing, and then nothing until it leaves."""

    idle_scope = None
    is_terminated = False

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.say, self.asked = anyio.create_memory_object_stream[Any](8)
        self.answers, self.ear = anyio.create_memory_object_stream[Any](8)
        self.say.send_nowait(FIRST)

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[Any]:
        yield self.asked, self.answers

    async def terminate(self) -> None:
        self.is_terminated = True


def serve(monkeypatch: pytest.MonkeyPatch, client: Any, leaves: bool = False) -> tuple[Transport, Sessions]:
    """A session whose programs are what `client` makes; the task group of all sessions ends with nothing."""
    monkeypatch.setattr(sessions, "stdio_client", client)
    made = Sessions(["true"], 2, None, Tally(""))

    async def run() -> Transport:
        transport: Any = Transport()
        made._open["s"] = transport
        async with anyio.create_task_group() as tasks:
            await tasks.start(made._serve, "s", transport)
            if leaves:
                transport.ear.close()
        with contextlib.suppress(anyio.WouldBlock, anyio.ClosedResourceError):
            while True:
                transport.told.append(transport.ear.receive_nowait())
        return transport  # type: ignore[no-any-return]

    return anyio.run(run), made


def test_a_session_that_can_have_no_program_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = [0]

    @contextlib.asynccontextmanager
    async def none_left(*_: object) -> AsyncIterator[None]:
        if limits:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        yield

    transport, made = serve(monkeypatch, none_left)
    (answer,) = transport.told
    assert answer.message.id == 1
    assert answer.message.error.message == (
        "cannot start a program for this session: resource temporarily unavailable"
    )
    assert (transport.is_terminated, made._open) == (True, {})
    assert "a session has ended: resource temporarily unavailable" in capsys.readouterr().err


def test_a_client_that_leaves_while_its_program_talks_ends_its_session_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.asynccontextmanager
    async def talks(*_: object) -> AsyncIterator[Any]:
        said, theirs = anyio.create_memory_object_stream[Any](0)
        ours, heard = anyio.create_memory_object_stream[Any](8)

        async def talk() -> None:
            with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                while True:
                    await said.send(NOTICE)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(talk)
            with theirs, heard:
                yield theirs, ours
            tasks.cancel_scope.cancel()

    transport, made = serve(monkeypatch, talks, leaves=True)
    assert (transport.is_terminated, made._open, made._tally.programs) == (True, {}, 0)
