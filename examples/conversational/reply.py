"""What is answered to one question, in writing and aloud."""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from examples.conversational.audio import SPOKEN, seconds
from examples.conversational.listening import Turn
from examples.conversational.llm import Llm
from examples.conversational.mouth import Mouth
from examples.conversational.speech import Speech
from examples.conversational.wire import Wire
from examples.language import language_of
from examples.web import ServiceError

log = logging.getLogger("conversation")
MOST_TURNS = 21  # messages that the LLM is told of: an odd number, so that the first is a question


class Memory:
    """The conversation so far, as the LLM is told; `prompt` comes before it."""

    def __init__(self, prompt: str) -> None:
        self._prompt = [{"role": "system", "content": prompt}] if prompt else []
        self._turns: list[dict[str, str]] = []

    def ask(self, text: str) -> list[dict[str, str]]:
        """Adds a question, and is all that has to be sent for it."""
        self._turns.append({"role": "user", "content": text})
        del self._turns[:-MOST_TURNS]
        return [*self._prompt, *self._turns]

    def answer(self, text: str) -> None:
        """Adds the answer to it; an empty one takes the question away, so that the next will not be two."""
        if text:
            self._turns.append({"role": "assistant", "content": text})
        else:
            self._turns.pop()


class Reply:
    """One answer, from the end of the question until the listener has heard it; it ends early when it is stopped."""

    def __init__(self, wire: Wire, llm: Llm, speech: Speech, memory: Memory, voice: str | None) -> None:
        """`voice` is None for an answer in writing only, and empty for the default one."""
        self.id = uuid.uuid4().hex
        self.sound = b""  # what it answers to, if that was spoken
        self.has_begun = False  # whether there is any answer yet
        self._wire = wire
        self._llm = llm
        self._speech = speech
        self._memory = memory
        self._voice = voice if speech.tts.may_work else None
        self._language = ""  # of the question
        self._task: asyncio.Task[None] | None = None
        self._tells_its_end = False  # it has come so far that it says by itself when it is cancelled

    @property
    def is_over(self) -> bool:
        """Whether everything has been said and heard."""
        return self._task is None or self._task.done()

    def to_text(self, text: str) -> None:
        """Answers what was written."""
        self._task = asyncio.create_task(self._until_rest(lambda: self._answer(text)))

    def to_speech(self, turn: Turn) -> None:
        """Answers what was said."""
        self.sound = turn.sound
        self._task = asyncio.create_task(self._until_rest(lambda: self._understand(turn)))

    async def stop(self) -> None:
        """Says nothing more; the client has been told when this returns."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})
            if not self._tells_its_end:  # cancelled before its first step, or while the client was told of that
                await self._wire.send("response.cancelled", response=self.id, text="")
            await self._wire.become("listening")

    async def _until_rest(self, answer: Callable[[], Awaitable[None]]) -> None:
        try:
            await self._wire.become("thinking")
            await answer()
        except ServiceError as error:
            await self._wire.error(error.code, error.message)
        except Exception:
            log.exception("a reply broke off")
            await self._wire.error("internal_error", "this is our mistake; the service's log has more")
        await self._wire.become("listening")

    async def _understand(self, turn: Turn) -> None:
        self._tells_its_end = True
        try:
            said = await turn.words()
        except asyncio.CancelledError:
            await self._wire.send("response.cancelled", response=self.id, text="")
            raise
        if said.text:
            await self._answer(said.text, said.language)

    async def _answer(self, text: str, language: str = "") -> None:
        self._tells_its_end = True
        self._language = language or language_of(text)
        started = time.monotonic()
        written: list[str] = []
        heard = ""  # all that will be remembered
        about: dict[str, str] = {}
        mouth = Mouth(self._say, self._send_sound, self._wire.error) if self._voice is not None else None
        coming = asyncio.create_task(self._speech.tts.begin()) if mouth is not None else None
        try:
            async with aclosing(self._llm.answer(self._memory.ask(text), about)) as pieces:
                async for piece in pieces:
                    self.has_begun = True
                    await self._wire.become("speaking")
                    written.append(piece)
                    await self._wire.send("response.text.delta", response=self.id, delta=piece)
                    if mouth is not None:
                        mouth.add(piece)
            first_audio_ms = None
            if mouth is not None:
                await mouth.finish()
                first_audio_ms = round((mouth.first_at - started) * 1000) if mouth.first_at is not None else None
            ms = round((time.monotonic() - started) * 1000)
            done = {"text": "".join(written), "ms": ms, "first_audio_ms": first_audio_ms, "by": about}
            await self._wire.send("response.done", response=self.id, **done)
            if mouth is not None:
                await mouth.be_heard()
            heard = "".join(written)
        except asyncio.CancelledError:
            heard = "".join(written)
            if mouth is not None:
                mouth.close()
                # Of a voice that has not begun, or is not there, only the text can have been noticed.
                heard = mouth.heard() if mouth.first_at is not None else heard
            await self._wire.send("response.cancelled", response=self.id, text=heard)
            raise
        except ServiceError:
            heard = "".join(written)
            raise
        finally:
            if mouth is not None and coming is not None:
                mouth.close()
                coming.cancel()
            self._memory.answer(heard)

    async def _say(self, text: str) -> bytes:
        return await self._speech.say(text, self._voice or "", self._language)

    async def _send_sound(self, text: str, pcm: bytes) -> None:
        ms = round(seconds(pcm, SPOKEN) * 1000)
        await self._wire.send("response.audio", response=self.id, text=text, ms=ms)
        await self._wire.sound(pcm)
