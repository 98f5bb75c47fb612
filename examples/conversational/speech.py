"""Hearing and speaking, for all conversations together: one engine and one thread each, so that an utterance costs one
core and nobody else's reply stands still."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Generic, TypeVar

from examples.conversational import engines, recognizers
from examples.conversational.engines import SPEAKERS, Absent, Engine, Recognizer, Speaker, UnknownLanguage, Words
from examples.conversational.recognizers import RECOGNIZERS
from examples.language import language_of
from examples.web import ServiceError

log = logging.getLogger("speech")
MOST_WAITING = 8  # calls for one engine; the next is told to come back
E = TypeVar("E", bound=Engine)
T = TypeVar("T")


class State(StrEnum):
    """How an engine is; the words stand in `/health` and in `session.created`."""

    LOADING = "loading"
    OK = "ok"
    UNAVAILABLE = "speech_unavailable"
    OFF = "off"  # by the setting


class Ability(Generic[E]):
    """One of the two: `wanted` is `auto`, `none` or the name of an engine."""

    def __init__(self, setting: str, wanted: str, engines: Mapping[str, Callable[[], E]]) -> None:
        self.setting = setting  # STT or TTS
        self.state = State.OFF if wanted == "none" else State.LOADING
        self.engine: E | None = None
        self._why = f"{setting}=none switches this off" if wanted == "none" else ""
        self._engines = {name: make for name, make in engines.items() if wanted in ("auto", name)}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=setting.lower())
        self._waiting = 0

    @property
    def is_idle(self) -> bool:
        """Whether a call would begin at once."""
        return self.state is State.OK and not self._waiting

    @property
    def may_work(self) -> bool:
        """Whether a call may have an answer; while the engine is being loaded it just takes longer."""
        return self.state in (State.OK, State.LOADING)

    async def load(self) -> None:
        """Takes the first engine that works. Calls that come before that wait for it, in the queue of the thread."""
        if self.state is not State.LOADING:
            return
        await asyncio.get_running_loop().run_in_executor(self._thread, self._load)
        self.state = State.UNAVAILABLE if self.engine is None else State.OK

    async def use(self, do: Callable[[E], T]) -> T:
        """What `do` returns, called with the engine in its thread.

        A ServiceError with the code `speech_unavailable`, `busy` or `speech_failed` when there is no answer. Who is
        cancelled while waiting gives up the place in the queue.
        """
        if not self.may_work:
            raise self.unavailable()
        if self._waiting >= MOST_WAITING:
            raise ServiceError("busy", "too many are speaking at once", 429, retry_after=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._call, do)
        finally:
            self._waiting -= 1

    def _call(self, do: Callable[[E], T]) -> T:
        if self.engine is None:
            raise self.unavailable()
        try:
            return do(self.engine)
        except ServiceError:
            raise
        except UnknownLanguage as error:
            raise ServiceError("language_unavailable", str(error), 422) from None
        except Exception as error:
            log.exception("%s does not get on with what it was given", self.engine.name)
            raise ServiceError("speech_failed", f"{self.engine.name}: {error or type(error).__name__}", 500) from error

    def _load(self) -> None:
        reasons = []
        for name, make in self._engines.items():
            started = time.monotonic()
            try:
                self.engine = make()
            except (ImportError, Absent, OSError, RuntimeError, ValueError) as error:
                reasons.append(f"{name}: {error}")
                continue
            log.info("%s is %s, loaded in %.1f s", self.setting, name, time.monotonic() - started)
            return
        self._why = "; ".join(reasons)
        log.warning("no speech for %s: %s", self.setting, self._why)

    def unavailable(self) -> ServiceError:
        """What whoever asks is told."""
        hint = "" if self.state is State.OFF else "; the extra `speech` has the engines"
        return ServiceError("speech_unavailable", f"{self._why}{hint}", retry_after=60)


class Speech:
    """Both abilities; `language` is what is spoken where nobody says it, empty for whatever is heard."""

    def __init__(self, stt: str, tts: str, language: str = "") -> None:
        hearing = {"auto": recognizers.Several} if stt == "auto" else RECOGNIZERS
        speaking = {"auto": engines.Several} if tts == "auto" else SPEAKERS
        self.stt: Ability[Recognizer] = Ability("STT", stt, hearing)
        self.tts: Ability[Speaker] = Ability("TTS", tts, speaking)
        self.language = language

    async def load(self) -> None:
        """Loads both at once."""
        await asyncio.gather(self.stt.load(), self.tts.load())

    def checks(self) -> dict[str, str]:
        """For `/health`; what is switched off is not looked at."""
        both = {"stt": self.stt.state, "tts": self.tts.state}
        return {name: str(state) for name, state in both.items() if state is not State.OFF}

    async def transcribe(self, pcm: bytes, language: str | None = None, *, quick: bool = False) -> Words:
        """The words in a sound of 16 kHz; ServiceError `language_unavailable` for a language that nobody here knows."""
        spoken = self.language if language is None else language
        return await self.stt.use(lambda engine: engine.transcribe(pcm, spoken, quick))

    async def say(self, text: str, voice: str = "", language: str = "") -> bytes:
        """The sound of one sentence, 24 kHz, in its own language, or `language` where it does not tell.

        ServiceError `unknown_voice` for a voice that is not there, `language_unavailable` where none speaks it.
        """

        def speak(engine: Speaker) -> bytes:
            chosen = voice_of(engine, voice) if voice else engine.voice_for(language_of(text, language))
            sound = engine.say(text, chosen)
            if not sound:
                raise UnknownLanguage(f"the voice `{chosen}` cannot say that")
            return sound

        return await self.tts.use(speak)


def voice_of(engine: Speaker, wanted: str) -> str:
    """The id of that voice, or of the default one for an empty name."""
    ids = [voice.id for voice in engine.voices]
    if wanted and wanted not in ids:
        raise ServiceError("unknown_voice", f"{engine.name} has no voice `{wanted[:50]}`; GET /voices lists them", 422)
    return wanted or ids[0]


def language_code(told: object) -> str:
    """A language as clients name it (`es`, `es-MX`, `auto`) as a code of two or three letters, empty for any."""
    text = str(told or "").strip().lower().partition("-")[0].partition("_")[0]
    if text in ("", "auto"):
        return ""
    if not (text.isascii() and text.isalpha() and 2 <= len(text) <= 3):
        raise ServiceError("unknown_language", "a language is a code such as `en` or `es`, or `auto`", 422)
    return text
