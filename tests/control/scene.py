"""A listening control socket, and clients that ask there."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from supervisor.control.reply import Reply
from supervisor.control.requests import Request
from supervisor.control.server import serve
from supervisor.dataclass import dataclass
from supervisor.errors import NotFound


@dataclass(frozen=True, slots=True)
class Answer:
    """A line of an answer here."""

    first: bool | str | None = None
    answer: str | None = None
    padding: str | None = None
    news: str | int | None = None


class Daemon:
    """What requests mean here."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.replies: list[Reply] = []
        self.closed = 0
        self.is_slow = False  # tasks are not done until a test says so
        self.padding = ""  # of each answer
        self.takes = 0.0  # seconds that each request keeps the loop

    def handle(self, asked: Request, reply: Reply) -> None:
        time.sleep(self.takes)
        self.asked.append(asked)
        self.replies.append(reply)
        match asked.do:
            case "env":
                raise NotFound("cannot find it", "it is not there")
            case "watch" | "logs":
                reply.on_close = self._close
                reply.tell(Answer(first=True if asked.do == "watch" else "x" * 1_000_000))
            case "stop" if self.is_slow:
                pass
            case "endpoints" if self.is_slow:
                reply.is_next = True
            case _:
                reply.tell(Answer(answer=asked.do, padding=self.padding or None))

    def _close(self) -> None:
        self.closed += 1


Scene = Callable[[Daemon, Path], Awaitable[None]]


def play(folder: Path, scene: Scene) -> Daemon:
    """Runs a scene against a listening server."""
    daemon = Daemon()

    async def run() -> None:
        listening = await serve(folder / "c.sock", daemon.handle)
        try:
            async with asyncio.timeout(60):
                await scene(daemon, folder / "c.sock")
        finally:
            listening.stop_listening()
            listening.close()

    asyncio.run(run())
    return daemon


async def ask(path: Path, *lines: bytes) -> list[dict[str, Any]]:
    """All answers to lines that are sent at once, until the end of the connection or as many as there are lines."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"".join(lines))
    answers = []
    for _ in lines:
        if not (line := await reader.readline()):
            break
        answers.append(json.loads(line))
    writer.close()
    return answers


async def until(check: Callable[[], bool]) -> None:
    while not check():
        await asyncio.sleep(0.001)
