"""Requests whose client leaves, or sends or takes nothing."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import httpx2
import pytest
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Send

from examples import gate
from examples.gate import OpenRequests
from examples.sandra_ia import answers
from examples.web import ServiceError, last_words, make_app

GONE: Message = {"type": "http.disconnect"}
WHOLE: Message = {"type": "http.request", "body": b"", "more_body": False}


class Client:
    """One connection: what it sends when, and what it got."""

    def __init__(self, *sends: Message, expect: bool = False, takes: int = 1000) -> None:
        self.sends = list(sends)
        self.leaves = asyncio.Event()
        self.got: list[Message] = []
        self.asked = 0
        self.takes = takes
        self.headers = [(b"expect", b"100-continue")] if expect else []

    async def receive(self) -> Message:
        self.asked += 1
        if self.sends:
            return self.sends.pop(0)
        await self.leaves.wait()
        return GONE

    async def send(self, message: Message) -> None:
        if len(self.got) >= self.takes:
            await asyncio.Event().wait()
        self.got.append(message)

    @property
    def status(self) -> int | None:
        return self.got[0]["status"] if self.got else None


def app_of(endpoint: Callable[[Request], Coroutine[Any, Any, Response]]) -> OpenRequests:
    return OpenRequests(make_app([Route("/", endpoint, methods=["GET", "POST"])]))


async def ask(app: OpenRequests, client: Client, path: str = "/") -> None:
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": client.headers}
    await app({**scope, "asgi": {"spec_version": "2.3"}}, client.receive, client.send)


def test_what_is_done_for_a_client_that_leaves_is_cancelled() -> None:
    async def trial() -> list[str]:
        told = []
        working = asyncio.Event()

        async def work(_: Request) -> Response:
            working.set()
            try:
                await asyncio.Event().wait()
            finally:
                told.append("cancelled")
            return Response()

        client = Client(WHOLE)
        request = asyncio.create_task(ask(app_of(work), client))
        await working.wait()
        client.leaves.set()
        await asyncio.wait_for(request, 5)
        assert client.got == []
        return told

    assert asyncio.run(trial()) == ["cancelled"]


def test_a_stream_that_nobody_wants_any_more_ends() -> None:
    async def trial() -> None:
        client = Client(WHOLE)

        async def parts() -> Any:
            yield b"one"
            client.leaves.set()
            await asyncio.Event().wait()

        async def work(_: Request) -> Response:
            return StreamingResponse(parts())

        await asyncio.wait_for(ask(app_of(work), client), 5)
        assert b"one" in [message.get("body") for message in client.got]

    asyncio.run(trial())


def test_an_answer_that_an_application_left_open_is_not_completed_in_its_place() -> None:
    async def trial() -> list[Message]:
        async def left_open(_: object, __: object, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"a", "more_body": True})

        client = Client(WHOLE)
        await asyncio.wait_for(ask(OpenRequests(left_open), client), 5)
        return client.got

    assert asyncio.run(trial())[-1] == {"type": "http.response.body", "body": b"a", "more_body": True}


STOPPED = '{"code": "shutting_down", "message": "the service was stopped before the answer was complete", '


@pytest.mark.parametrize(
    ("path", "kind", "sent", "added"),
    [
        ("/", "text/event-stream", b"data: 1\n\n", f'\nevent: error\ndata: {{"type": "error", "error": {STOPPED}'),
        ("/", "text/event-stream; charset=utf-8", b"data: {", "\n\nevent: error\ndata: "),
        ("/", "application/x-ndjson", b'{"a": 1}\n', '{"error": "the service was stopped before the answer was '),
        ("/", "application/x-ndjson", b'{"a', '\n{"error": '),
        ("/", "text/plain", b"a", ""),
        ("/mcp", "text/event-stream", b"data: 1\n\n", ""),
    ],
)
def test_an_answer_that_a_stop_cuts_off_looks_incomplete(path: str, kind: str, sent: bytes, added: str) -> None:
    async def trial() -> list[Message]:
        begun = asyncio.Event()

        async def endless(_: object, __: object, send: Send) -> None:
            headers = [(b"content-type", kind.encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": sent, "more_body": True})
            begun.set()
            await asyncio.Event().wait()

        client, app = Client(WHOLE), OpenRequests(endless)
        request = asyncio.create_task(ask(app, client, path))
        await begun.wait()
        app.end()
        await asyncio.wait_for(request, 5)
        return client.got

    got = asyncio.run(trial())
    words = b"".join(message.get("body", b"") for message in got).removeprefix(sent).decode()
    assert words.startswith(added)
    assert bool(words) == bool(added)
    assert got[-1]["more_body"] is (added == "")


@pytest.mark.parametrize(("path", "is_text"), [("/api/chat", True), ("/v1/models", False)])
def test_a_stop_before_the_answer_is_told_in_the_shape_of_the_api(path: str, is_text: bool) -> None:
    async def trial() -> list[Message]:
        begun = asyncio.Event()

        async def slow(_: object, __: object, ___: Send) -> None:
            begun.set()
            await asyncio.Event().wait()

        client, app = Client(WHOLE), OpenRequests(slow, "/api/")
        request = asyncio.create_task(ask(app, client, path))
        await begun.wait()
        app.end()
        await asyncio.wait_for(request, 5)
        return client.got

    start, body = asyncio.run(trial())
    assert start["status"] == 503
    assert isinstance(json.loads(body["body"])["error"], str) is is_text


@pytest.mark.parametrize(
    "headers", [[(b"content-length", b"9")], [(b"content-encoding", b"gzip"), (b"content-type", b"text/event-stream")]]
)
def test_nothing_is_added_where_it_would_be_taken_for_the_answer(headers: list[tuple[bytes, bytes]]) -> None:
    assert last_words(Headers(raw=headers), ServiceError("a", "b"), within_line=True) == b""


def test_a_body_arrives_as_it_was_sent_and_its_answer_goes_back() -> None:
    async def trial() -> bytes:
        async def work(request: Request) -> Response:
            return PlainTextResponse((await request.body()).upper())

        parts = [{"type": "http.request", "body": part, "more_body": part != b"c"} for part in (b"a", b"b", b"c")]
        client = Client(*parts)
        await ask(app_of(work), client)
        return b"".join(message.get("body", b"") for message in client.got)

    assert asyncio.run(trial()) == b"ABC"


def test_a_client_that_asks_before_it_sends_a_body_is_not_asked_for_one_that_nobody_reads() -> None:
    async def trial() -> int:
        async def work(_: Request) -> Response:
            return Response()

        client = Client(WHOLE, expect=True)
        await ask(app_of(work), client)
        return client.asked

    assert asyncio.run(trial()) == 0


def test_a_client_that_stops_in_the_middle_of_its_body_is_told_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PATIENCE", 0.05)

    async def trial() -> int | None:
        async def work(request: Request) -> Response:
            return Response(await request.body())

        client = Client({"type": "http.request", "body": b"a", "more_body": True})
        await asyncio.wait_for(ask(app_of(work), client), 5)
        return client.status

    assert asyncio.run(trial()) == 408


def test_a_client_that_takes_nothing_of_its_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PATIENCE", 0.05)

    async def trial() -> int:
        async def work(_: Request) -> Response:
            return Response(b"a")

        client = Client(WHOLE, takes=1)
        await asyncio.wait_for(ask(app_of(work), client), 5)
        return len(client.got)

    assert asyncio.run(trial()) == 1


@pytest.mark.parametrize("offered", ["token.\u00e9", "token.a", "token._w", "other"])
def test_a_subprotocol_that_is_no_token_shows_none(offered: str) -> None:
    assert gate.token_in([offered]) == ""


def test_a_wait_that_nobody_lives_to_see_is_told_as_a_number() -> None:
    answer = httpx2.Response(429, headers={"retry-after": "9" * 400}, content=b"{}")
    refusal = asyncio.run(answers.refusal_of(answer, "groq-api"))
    assert refusal.response().headers["retry-after"] == "9" * 9
