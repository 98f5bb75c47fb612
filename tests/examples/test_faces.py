"""The HTTP answers in front of the embedded model."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.types import Message

from examples.ollama_mcp import faces
from examples.web import ServiceError


async def broken_off() -> AsyncGenerator[dict[str, Any], None]:
    yield {"response": "one"}
    raise ServiceError("internal_error", "it broke off", 500)


@pytest.mark.parametrize(
    ("as_events", "error"),
    [
        (False, "it broke off"),
        (True, {"code": "internal_error", "message": "it broke off", "type": "server_error"}),
    ],
)
def test_a_stream_ends_with_an_error_in_the_shape_of_its_api(as_events: bool, error: object) -> None:
    sent: list[Message] = []
    over: list[None] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def story() -> None:
        response = await faces.lines(broken_off(), lambda: over.append(None), as_events=as_events)
        await response({"type": "http", "method": "POST"}, receive, send)

    asyncio.run(story())
    text = b"".join(message.get("body", b"") for message in sent).decode()
    lines = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line]
    assert lines == [{"response": "one"}, {"error": error}]
    assert over == [None]
