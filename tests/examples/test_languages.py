"""Spanish and other languages in and out, every format of sound, and OpenAI's paths for both."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from examples import fetch_speech
from examples.conversational import audio, engines, recognizers
from examples.conversational.engines import UnknownLanguage, Voice, Words
from examples.conversational.speech import language_code
from examples.web import ServiceError
from tests.examples.extras import needs_speech
from tests.examples.running import Running, error_of
from tests.examples.stranger import stranger
from tests.examples.talking import QUESTION, speaking, words
from tests.support.needed import need_program

numpy = pytest.importorskip("numpy")
av = pytest.importorskip("av")
SPANISH = "Quiero escuchar música clásica esta tarde."
needs_languages = pytest.mark.skipif(
    not (fetch_speech.FOLDER / "model.bin").is_file(), reason="no recognizer of Spanish: `make extras` fetches it"
)


class English:
    name = "english"
    languages: tuple[str, ...] = ("en",)

    def load(self) -> None: ...

    def transcribe(self, pcm: bytes, language: str, quick: bool = False) -> Words:
        if language not in ("", "en"):
            raise UnknownLanguage("english only")
        return Words("heard here", "en")


class Anything(English):
    name = "anything"
    languages: tuple[str, ...] = ()

    def transcribe(self, pcm: bytes, language: str, quick: bool = False) -> Words:
        return Words("heard there", language)


def several(*parts: Any) -> recognizers.Several:
    made = recognizers.Several.__new__(recognizers.Several)
    made._recognizers = list(parts)
    return made


@pytest.mark.parametrize(("language", "heard"), [("en", "heard here"), ("es", "heard there"), ("", "heard there")])
def test_another_recognizer_hears_what_the_first_does_not_know(language: str, heard: str) -> None:
    assert several(English(), Anything()).transcribe(b"", language).text == heard


def test_with_english_alone_another_language_is_unknown_and_any_is_english() -> None:
    alone = several(English())
    assert alone.transcribe(b"", "").text == "heard here"
    with pytest.raises(UnknownLanguage):
        alone.transcribe(b"", "es")


class Speaker:
    def __init__(self, name: str, *languages: str) -> None:
        self.name = name
        self.voices = tuple(Voice(f"{name}-{language}", language, name) for language in languages)

    def load(self) -> None: ...

    def voice_for(self, language: str) -> str:
        for voice in self.voices:
            if voice.language == (language or "en"):
                return voice.id
        raise UnknownLanguage(language)

    def say(self, text: str, voice: str) -> bytes:
        return f"{voice}: {text}".encode()


def test_the_first_voice_that_knows_the_language_speaks() -> None:
    made = engines.Several.__new__(engines.Several)
    made._speakers = [Speaker("near", "en"), Speaker("wide", "en", "es")]
    assert [made.voice_for(language) for language in ("", "en", "es")] == ["near-en", "near-en", "wide-es"]
    assert made.say("hi", "wide-es") == b"wide-es: hi"
    with pytest.raises(UnknownLanguage):
        made.voice_for("zh")


@pytest.mark.parametrize(
    ("told", "code"), [(None, ""), ("", ""), ("auto", ""), ("es", "es"), ("es-MX", "es"), ("EN_us", "en")]
)
def test_a_language_is_a_code(told: object, code: str) -> None:
    assert language_code(told) == code


@pytest.mark.parametrize("told", ["spanish", "e", "1", "é!", "../x"])
def test_what_is_no_code_is_refused(told: str) -> None:
    with pytest.raises(ServiceError, match="unknown_language"):
        language_code(told)


def tone(seconds: float = 1.0) -> bytes:
    at = numpy.arange(int(audio.SPOKEN * seconds)) / audio.SPOKEN
    return audio.pcm_of(0.5 * numpy.sin(2 * numpy.pi * 440 * at))


@pytest.mark.parametrize("kind", ["mp3", "opus", "aac", "flac", "wav"])
def test_every_format_is_written_and_read(kind: str) -> None:
    read = audio.floats(audio.decoded(audio.encoded(tone(), audio.SPOKEN, kind), audio.HEARD, 10))
    assert audio.HEARD <= len(read) < 1.2 * audio.HEARD  # some codecs add silence
    middle = read[4000:12000]
    assert numpy.abs(numpy.fft.rfft(middle)).argmax() == 220  # of bins that are 2 Hz wide


@pytest.mark.parametrize(
    ("codec", "form"), [("pcm_f32le", "flt"), ("pcm_s24le", "s32"), ("pcm_u8", "u8"), ("pcm_alaw", "s16")]
)
def test_every_kind_of_wav_is_read(codec: str, form: str) -> None:
    content = io.BytesIO()
    with av.open(content, "w", format="wav") as file:
        stream: Any = file.add_stream(codec, rate=audio.SPOKEN)
        stream.layout = "mono"
        frame: Any = av.AudioFrame.from_ndarray(
            numpy.frombuffer(tone(), "<i2").reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = audio.SPOKEN
        for part in (*av.AudioResampler(format=form, layout="mono", rate=audio.SPOKEN).resample(frame), None):
            file.mux(stream.encode(part))
    read = audio.floats(audio.decoded(content.getvalue(), audio.HEARD, 10))
    assert len(read) == pytest.approx(audio.HEARD, abs=100)
    assert numpy.abs(read).max() == pytest.approx(0.5, abs=0.05)


def test_what_is_no_sound_or_too_long_says_so() -> None:
    for content in (b"", b"no sound", audio.write_wav(bytes(16000), 1000)):
        with pytest.raises(audio.BadAudio):
            audio.decoded(content, audio.HEARD, 10)
    with pytest.raises(audio.TooLong, match="1 seconds"):
        audio.decoded(audio.encoded(tone(2), audio.SPOKEN, "mp3"), audio.HEARD, 1)


@pytest.mark.live
def test_another_server_transcribes(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"text": " hola "}'
    with stranger() as server:
        server.will(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        monkeypatch.setenv("STT_URL", f"{server.url}/v1")
        monkeypatch.setenv("STT_API_KEY", "k")
        assert recognizers.Remote().transcribe(bytes(3200), "es") == Words("hola", "es")
        server.will(b"HTTP/1.1 401 no\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        with pytest.raises(RuntimeError, match="answered 401"):
            recognizers.Remote().transcribe(bytes(3200), "es")
    with pytest.raises(RuntimeError, match="cannot be reached"):
        recognizers.Remote().transcribe(bytes(3200), "es")


@pytest.fixture(scope="module")
def spoken_to() -> Iterator[Running]:
    with speaking() as running:
        yield running


@pytest.fixture(scope="module")
def client(spoken_to: Running) -> openai.OpenAI:
    http = httpx2.Client(trust_env=False, timeout=100)
    return openai.OpenAI(base_url=f"{spoken_to.url}/v1", api_key="none", max_retries=0, http_client=http)


@pytest.mark.live
@needs_speech
def test_openais_client_speaks_and_hears(client: openai.OpenAI) -> None:
    speak: Any = client.audio.speech.create
    sound = speak(model="tts-1", voice="alloy", input=QUESTION, response_format="flac").content
    assert sound.startswith(b"fLaC")
    hear: Any = client.audio.transcriptions.create
    heard = hear(model="whisper-1", file=("q.flac", sound), language="en")
    assert words(heard.text) == words(QUESTION)
    assert words(hear(model="whisper-1", file=("q.flac", sound), response_format="text")) == words(QUESTION)
    with pytest.raises(openai.BadRequestError):
        speak(model="tts-1", voice="alloy", input=QUESTION, response_format="ogg")
    with pytest.raises(openai.UnprocessableEntityError):
        hear(model="whisper-1", file=("q.wav", b"no sound"))


@pytest.mark.live
@needs_speech
@needs_languages
def test_spanish_is_spoken_and_understood(spoken_to: Running) -> None:
    need_program("espeak-ng")
    spoken_to.http.timeout = 100
    sound = spoken_to.http.post("/tts", json={"text": SPANISH}).content
    answer = spoken_to.http.post("/stt", content=sound).json()
    assert answer["language"] == "es"
    assert {"escuchar", "esta", "tarde"} <= set(words(answer["text"]))


@pytest.mark.live
@needs_speech
def test_without_another_model_spanish_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whisper = recognizers.Whisper(tmp_path)
    assert whisper.languages == ("en",)
    with pytest.raises(UnknownLanguage, match="make extras"):
        whisper.transcribe(bytes(32000), "es")


@pytest.mark.live
@needs_speech
def test_chinese_is_spoken_where_there_is_a_voice_and_refused_where_not(spoken_to: Running) -> None:
    need_program("espeak-ng")
    sound = spoken_to.http.post("/tts", json={"text": "你好世界今天天气很好"}).content
    assert len(sound) > 20000
    with speaking(TTS="hibari") as english:
        refused = english.http.post("/tts", json={"text": "你好世界今天天气很好"})
        assert error_of(refused, 422)["code"] == "language_unavailable"
