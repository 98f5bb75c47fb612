"""Connections as bytes: what a client sends that is slow or is not HTTP, and the answer to it."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from examples import connection
from examples.connection import PromptProtocol

pytestmark = pytest.mark.live
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


async def hello(_: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def at_once(_: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def talk(conversation: Talk, application: ASGIApp = hello) -> bytes:
    """What the client got in a conversation with a server."""

    async def trial() -> bytes:
        config = uvicorn.Config(application, http=PromptProtocol, ws="none", lifespan="off", log_config=None)
        config.load()
        server = await asyncio.get_running_loop().create_server(
            lambda: PromptProtocol(config, ServerState(), {}), "127.0.0.1", 0
        )
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            try:
                return await asyncio.wait_for(conversation(reader, writer), 20)
            finally:
                writer.close()

    return asyncio.run(trial())


def head_and_error(answer: bytes) -> tuple[str, str]:
    """The head in small letters, and the code in the one shape of errors."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode().lower(), json.loads(body)["error"]["code"]


def test_headers_that_do_not_end_are_answered_by_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN", 1.0)  # its first bytes have to come before

    async def dawdle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        return await reader.read()

    head, code = head_and_error(talk(dawdle))
    assert head.startswith("http/1.1 408")
    assert "\r\nconnection: close" in head
    assert code == "request_timeout"


def test_a_drop_now_and_then_does_not_make_it_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN", 1.0)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HTTP/1.1\r\nX-Slow: ")
        answer = asyncio.ensure_future(reader.read())
        while not (await asyncio.wait({answer}, timeout=0.02))[0]:
            writer.write(b"x")
        return answer.result()

    assert talk(drip).startswith(b"HTTP/1.1 408")


def test_a_connection_without_a_request_is_closed_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN", 0.05)

    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> bytes:
        return await reader.read()

    assert talk(say_nothing) == b""


def test_the_second_request_of_a_connection_has_the_same_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    async def dawdle_later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        monkeypatch.setattr(connection, "HEAD_WITHIN", 0.05)  # from the first byte of the second one
        writer.write(b"GET / HT")
        return await reader.read()

    assert talk(dawdle_later).startswith(b"HTTP/1.1 408")


def test_a_body_may_take_longer_than_the_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[PromptProtocol] = []
    received = PromptProtocol.data_received

    def noted(self: PromptProtocol, data: bytes) -> None:
        received(self, data)
        seen.append(self)

    monkeypatch.setattr(PromptProtocol, "data_received", noted)

    async def think(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nConnection: close\r\n\r\n")
        while not seen:
            await asyncio.sleep(0.01)
        assert seen[0]._timer is None  # nothing ends it any more
        writer.write(b"x")
        return await reader.read()

    assert talk(think).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_not_http_is_told_so_in_the_one_shape(sent: bytes) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(sent)
        return await reader.read()

    head, code = head_and_error(talk(conversation))
    assert head.startswith("http/1.1 400")
    assert re.search(r"\r\ndate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} gmt\r\n", head)
    assert "\r\nconnection: close" in head
    assert code == "bad_request"


def test_a_body_that_is_not_http_is_the_mistake_of_the_client_alone(capsys: pytest.CaptureFixture[str]) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n")
        return await reader.read()

    _, code = head_and_error(talk(conversation, at_once))
    assert code == "bad_request"
    assert "Exception in ASGI application" not in capsys.readouterr().err
