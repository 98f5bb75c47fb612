"""Hearing and speaking, for all conversations together: one engine and one thread each, so that an utterance costs one
core and nobody else's reply stands still. The engines are processes that come when they are needed."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import TypeVar

from examples.conversational.apart import TOLD, Apart, Died, NeverAsked, maker
from examples.conversational.engines import FAULTS, Absent, UnknownLanguage, Voice, Words
from examples.language import language_of
from examples.on_demand import OnDemand
from examples.web import ServiceError

log = logging.getLogger("speech")
MOST_WAITING = 8  # calls for one engine; the next is told to come back
AGAIN = 60.0  # seconds until an engine that could not be loaded is tried again
T = TypeVar("T")


class State(StrEnum):
    """How an engine is; the words stand in `/health` and in `session.created`."""

    IDLE = "idle"  # it is there, and comes when it is needed
    LOADING = "loading"
    OK = "ok"
    UNAVAILABLE = "speech_unavailable"
    OFF = "off"  # by the setting


class Ability:
    """One of the two: `wanted` is `auto`, `none` or the name of an engine, which leaves after `idle` seconds."""

    def __init__(self, setting: str, wanted: str, idle: float = 0) -> None:
        self.setting = setting  # STT or TTS
        self.name = ""  # of the engine; these are known from the look at the start on
        self.languages: tuple[str, ...] = ()
        self.voices: tuple[Voice, ...] = ()
        self._wanted = wanted
        self._looked = False
        self._why = f"{setting}=none switches this off" if wanted == "none" else ""
        self._tried = float("-inf")  # when it could not be loaded
        self._engines = OnDemand(f"{setting} ({wanted})", self._load, idle)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=setting.lower())
        self._waiting = 0

    @property
    def state(self) -> State:
        if self._wanted == "none":
            return State.OFF
        if not self._looked or self._engines.is_starting:
            return State.LOADING
        if self._engines.is_running:
            return State.OK
        has_failed = self._why and (not self.name or time.monotonic() - self._tried < AGAIN)
        return State.UNAVAILABLE if has_failed else State.IDLE

    @property
    def is_idle(self) -> bool:
        """Whether a call would begin at once, or have the engine come."""
        return self.state in (State.OK, State.IDLE) and not self._waiting

    @property
    def may_work(self) -> bool:
        """Whether a call may have an answer; while the engine is being loaded it just takes longer."""
        return self.state in (State.OK, State.LOADING, State.IDLE)

    async def look(self) -> None:
        """Finds out which engine is there, without loading it. Calls that come before that wait for it."""
        if self.state is State.LOADING:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._look)

    async def check(self) -> None:
        """ServiceError `speech_unavailable` when no call can have an answer."""
        if not self._looked:
            await self.look()
        if not self.may_work:
            raise self.unavailable()

    async def begin(self) -> None:
        """Has the engine come for a call that will follow, and says nothing when it does not."""
        if self.state is State.IDLE:
            try:
                await self._engines.take()
            except ServiceError:
                return
            self._engines.give_back()

    async def use(self, do: Callable[[Apart], T]) -> T:
        """What `do` returns, called with the engine in a thread.

        A ServiceError with the code `speech_unavailable`, `busy`, `engine_died` or `speech_failed` when there is no
        answer. Who is cancelled while waiting gives up the place in the queue.
        """
        await self.check()
        if self._waiting >= MOST_WAITING:
            raise ServiceError("busy", "too many are speaking at once", 429, retry_after=2)
        self._waiting += 1
        try:
            for _ in range(2):
                try:
                    return await self._asked(await self._engines.take(), do)
                except NeverAsked:  # it died while this waited in the queue of the thread
                    continue
            raise ServiceError("speech_failed", f"{self.name}: two in a row ended before they were asked", 500)
        finally:
            self._waiting -= 1

    async def _asked(self, engine: Apart, do: Callable[[Apart], T]) -> T:
        loop = asyncio.get_running_loop()
        called = self._thread.submit(self._call, engine, do)
        # Not when this is cancelled: the engine is in use until it has answered.
        called.add_done_callback(lambda _: _in(loop, self._engines.give_back))
        try:
            return await asyncio.wrap_future(called)
        except Died:
            raise (await self._engines.died(engine)) or ServiceError("speech_failed", "no answer", 500) from None
        except NeverAsked:
            await self._engines.died(engine)
            raise

    async def close(self) -> None:
        """Ends the engine."""
        await self._engines.close()

    def _call(self, engine: Apart, do: Callable[[Apart], T]) -> T:
        try:
            return do(engine)
        except (ServiceError, Died, NeverAsked):
            raise
        except UnknownLanguage as error:
            raise ServiceError("language_unavailable", str(error), 422) from None
        except TOLD:
            raise
        except Exception as error:
            log.error("%s does not get on with what it was given: %s", engine.name, error)
            raise ServiceError("speech_failed", f"{engine.name}: {error or type(error).__name__}", 500) from error

    def _look(self) -> None:
        if not self._looked:
            try:
                self._know(maker(self.setting, self._wanted)())
            except FAULTS as error:
                self._give_up(error)
            self._looked = True

    def _load(self) -> Apart:
        """In a thread; raises ServiceError."""
        try:
            engine = Apart(self.setting, self._wanted)
        except (Absent, OSError) as error:
            self._give_up(error)
            raise self.unavailable() from None
        self._why = ""
        self._know(engine)
        return engine

    def _know(self, engine: object) -> None:
        self.name = getattr(engine, "name", "")
        self.languages, self.voices = getattr(engine, "languages", ()), getattr(engine, "voices", ())

    def _give_up(self, error: Exception) -> None:
        self._why, self._tried = str(error), time.monotonic()
        log.warning("no speech for %s: %s", self.setting, self._why)

    def unavailable(self) -> ServiceError:
        """What whoever asks is told."""
        hint = "" if self.state is State.OFF else "; the extra `speech` has the engines"
        return ServiceError("speech_unavailable", f"{self._why}{hint}", retry_after=AGAIN)


def _in(loop: asyncio.AbstractEventLoop, do: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(do)
    except RuntimeError:
        pass  # the service has ended meanwhile


class Speech:
    """Both abilities; `language` is what is spoken where nobody says it, empty for whatever is heard."""

    def __init__(self, stt: str, tts: str, language: str = "", idle: float = 0) -> None:
        self.stt = Ability("STT", stt, idle)
        self.tts = Ability("TTS", tts, idle)
        self.language = language

    async def look(self) -> None:
        """Finds out which engines are there."""
        await asyncio.gather(self.stt.look(), self.tts.look())

    async def close(self) -> None:
        """Ends the engines."""
        await asyncio.gather(self.stt.close(), self.tts.close())

    def checks(self) -> dict[str, str]:
        """For `/health`; what is switched off is not looked at."""
        both = {"stt": self.stt.state, "tts": self.tts.state}
        return {name: str(state) for name, state in both.items() if state is not State.OFF}

    async def decoded(self, content: bytes, rate: int, most_seconds: float) -> bytes:
        """The sound of a recording; raises BadAudio and TooLong."""
        return await self.stt.use(lambda engine: engine.decoded(content, rate, most_seconds))

    async def encoded(self, pcm: bytes, rate: int, kind: str) -> bytes:
        """The sound as a file; raises ImportError without PyAV where that is needed."""
        return await self.tts.use(lambda engine: engine.encoded(pcm, rate, kind))

    async def transcribe(self, pcm: bytes, language: str | None = None, *, quick: bool = False) -> Words:
        """The words in a sound of 16 kHz; ServiceError `language_unavailable` for a language that nobody here knows."""
        spoken = self.language if language is None else language
        return await self.stt.use(lambda engine: engine.transcribe(pcm, spoken, quick))

    async def say(self, text: str, voice: str = "", language: str = "") -> bytes:
        """The sound of one sentence, 24 kHz, in its own language, or `language` where it does not tell.

        ServiceError `unknown_voice` for a voice that is not there, `language_unavailable` where none speaks it.
        """

        def speak(engine: Apart) -> bytes:
            chosen = voice_of(engine, voice) if voice else engine.voice_for(language_of(text, language))
            sound = engine.say(text, chosen)
            if not sound:
                raise UnknownLanguage(f"the voice `{chosen}` cannot say that")
            return sound

        return await self.tts.use(speak)


def voice_of(engine: Apart | Ability, wanted: str) -> str:
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
