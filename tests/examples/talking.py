"""A client of Conversational."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection, connect

from examples.conversational import audio
from tests.examples.running import Running, service
from tests.support.eventually import eventually

T = TypeVar("T")
QUESTION = "What is the capital of Spain?"
ANSWER = ("The capital of Spain ", "is Madrid. ", "It lies in the middle of the country.")
LONG = tuple(f"This is sentence number {n} of a very long answer. " for n in ("one", "two", "three", "four", "five"))


def silence(seconds: float) -> bytes:
    """In what a microphone would send."""
    return bytes(int(seconds * audio.HEARD) * audio.WIDTH)


def words(text: str) -> list[str]:
    """Without punctuation and capitals, which a recognizer makes up."""
    return re.findall(r"[a-z]+", text.lower())


@contextmanager
def speaking(**variables: str) -> Iterator[Running]:
    """The service, once it knows how to listen and speak; the engines come when they are needed."""
    with service("conversational", **variables) as running:
        running.http.timeout = 60
        found = {"stt": "idle", "tts": "idle"}
        eventually(lambda: found.items() <= checks(running).items(), within=60, what="both engines")
        yield running


def checks(running: Running) -> dict[str, str]:
    """What it says of itself."""
    found: dict[str, str] = running.http.get("/health").json()["checks"]
    return found


class Talk:
    """One client's end; binary frames are put aside in `sounds`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.sounds: list[bytes] = []

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def until(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Everything up to the first message of a type with those fields."""
        heard: list[dict[str, Any]] = []
        async with asyncio.timeout(90):  # an engine may have to come first
            while not heard or heard[-1]["type"] != kind or not fields.items() <= heard[-1].items():
                message = await self.socket.recv()
                if isinstance(message, bytes):
                    self.sounds.append(message)
                else:
                    heard.append(json.loads(message))
        return heard

    async def next(self, kind: str, **fields: Any) -> dict[str, Any]:
        return (await self.until(kind, **fields))[-1]


@asynccontextmanager
async def talking(running: Running, query: str = "", **options: Any) -> AsyncIterator[Talk]:
    address = f"ws://127.0.0.1:{running.port}/ws{query}"
    async with connect(address, proxy=None, open_timeout=20, **options) as socket:
        yield Talk(socket)


def talk(running: Running, do: Callable[[Talk], Awaitable[T]]) -> T:
    async def whole() -> T:
        async with talking(running) as talk:
            await talk.until("state")
            return await do(talk)

    return asyncio.run(whole())


def ends_in_words_at_sigterm(running: Running, during: str) -> None:
    """Tells Conversational to end when an event of this kind has come: it says so to who talks with it, and leaves."""

    async def whole() -> int | None:
        async with talking(running) as talk:
            await talk.say(type="input.text", text="hi")
            await talk.until(during)
            running.process.terminate()
            async with asyncio.timeout(20):
                await talk.socket.wait_closed()
            return talk.socket.close_code

    assert asyncio.run(whole()) == 1012
    assert running.process.wait(15) == 0
    assert "Traceback" not in running.output()
