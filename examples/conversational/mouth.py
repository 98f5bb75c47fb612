"""An answer spoken while it is still being written, sentence by sentence."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from examples.conversational.audio import SPOKEN, seconds
from examples.conversational.sentences import Sentences, speakable
from examples.web import ServiceError

Say = Callable[[str], Awaitable[bytes]]
Send = Callable[[str, bytes], Awaitable[None]]


class Mouth:
    """Speaks one answer. `say` makes the sound of a sentence, `send` brings both to the client, which
    learns of the code and message of an error by `failed`.

    A sentence is sent as soon as it is there and played when the one before is over, so there is a clock here of what
    the listener has heard. A voice that fails falls silent; the answer goes on in writing.
    """

    def __init__(self, say: Say, send: Send, failed: Callable[[str, str], Awaitable[None]]) -> None:
        self.first_at: float | None = None  # when the first sound was sent, in monotonic seconds
        self._say = say
        self._send = send
        self._failed = failed
        self._sentences = Sentences()
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._until = 0.0  # when all that was sent will have been played
        self._played: list[tuple[float, str]] = []  # sentences, and when the listener begins to hear each
        self._task = asyncio.create_task(self._speak())

    def add(self, piece: str) -> None:
        """The next piece of the answer."""
        for sentence in self._sentences.add(piece):
            self._queue.put_nowait(sentence)

    async def finish(self) -> None:
        """The answer is complete: returns when its whole sound has been sent."""
        for sentence in self._sentences.rest():
            self._queue.put_nowait(sentence)
        self._queue.put_nowait(None)
        await self._task

    async def be_heard(self) -> None:
        """Returns when what was sent has been played."""
        await asyncio.sleep(max(0.0, self._until - time.monotonic()))

    def heard(self) -> str:
        """What the listener has heard, the sentence just begun included."""
        now = time.monotonic()
        return " ".join(text for begins, text in self._played if begins <= now)

    def close(self) -> None:
        """Says nothing more."""
        self._task.cancel()

    async def _speak(self) -> None:
        try:
            while (text := await self._queue.get()) is not None:
                if not (words := speakable(text)):
                    continue
                pcm = await self._say(words)
                if pcm:
                    await self._send(text, pcm)
                    now = time.monotonic()
                    self.first_at = self.first_at or now
                    begins = max(now, self._until)
                    self._until = begins + seconds(pcm, SPOKEN)
                    self._played.append((begins, text))
        except ServiceError as error:
            await self._failed(error.code, error.message)
