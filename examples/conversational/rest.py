"""Speech without a conversation: `/stt`, `/tts` and `/voices`, and the same as OpenAI's `/v1/audio/…`."""

import base64
import json
import time
from collections.abc import AsyncGenerator

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from examples.conversational import audio
from examples.conversational.engines import Words
from examples.conversational.sentences import Sentences, speakable
from examples.conversational.speech import Speech, language_code, voice_of
from examples.language import language_of
from examples.web import ServiceError, read_body, read_json

MOST_BYTES = 24 * 1024 * 1024  # of a recording: a minute at 96 kHz, 16 bit, two channels
TRANSCRIPTS = ("json", "text", "srt", "verbose_json", "vtt")
MOST_TEXT = 4000  # characters to speak: four minutes


def speech_routes(speech: Speech, most_seconds: float) -> list[BaseRoute]:
    """The three; a recording may last `most_seconds`."""

    async def stt(request: Request) -> Response:
        """A recording in the body; its words as `{"text", "language", "engine", "seconds", "ms"}`."""
        await speech.stt.check()
        content = await read_body(request, MOST_BYTES)
        started = time.monotonic()
        told = request.query_params.get("language")
        said, length = await heard(speech, content, most_seconds, None if told is None else language_code(told))
        ms = round((time.monotonic() - started) * 1000)
        found = {"text": said.text, "language": said.language, "engine": speech.stt.name, "seconds": length, "ms": ms}
        return JSONResponse(found)

    async def tts(request: Request) -> Response:
        """`{"text", "voice"}` in the body, the voice if wanted; a WAV file of 24 kHz."""
        await speech.tts.check()
        asked = await read_json(request, 64 * 1024)
        text, voice = asked.get("text"), asked.get("voice") or ""
        if not isinstance(text, str) or not isinstance(voice, str) or not speakable(text):
            raise ServiceError("bad_request", "`text` must be a text with words in it, `voice` the id of a voice", 422)
        if len(text) > MOST_TEXT:
            raise ServiceError("too_long", f"a text can have {MOST_TEXT} characters", 413)
        if voice:
            voice_of(speech.tts, voice)
        sound = await said_aloud(speech, text, voice)
        return Response(audio.write_wav(sound, audio.SPOKEN), media_type="audio/wav")

    async def transcriptions(request: Request) -> Response:
        """OpenAI's way: a form with `file`, and `language` and `response_format` if wanted."""
        await speech.stt.check()
        form = await _form(request)
        file, kind = form.get("file"), str(form.get("response_format") or "json")
        if not isinstance(file, UploadFile):
            raise ServiceError("bad_request", "the form has no `file`", 400)
        if kind not in TRANSCRIPTS:
            raise ServiceError("bad_request", f"`response_format` must be one of {', '.join(TRANSCRIPTS)}", 400)
        if "word" in form.getlist("timestamp_granularities[]"):
            raise ServiceError(
                "bad_request", "there are no times of words: `timestamp_granularities` is `segment`", 400
            )
        told = form.get("language")
        said, length = await heard(
            speech, await file.read(), most_seconds, None if told is None else language_code(told)
        )
        is_stream = str(form.get("stream") or "").lower() in ("true", "1")
        return transcript(said, length, "stream" if is_stream and kind in ("json", "text") else kind)

    async def speeches(request: Request) -> Response:
        """OpenAI's way: `{"input", "voice", "response_format"}`; a voice of OpenAI's is one of the language."""
        await speech.tts.check()
        asked = await read_json(request, 64 * 1024)
        text, voice, kind = asked.get("input"), asked.get("voice"), asked.get("response_format") or "mp3"
        if not isinstance(text, str) or not speakable(text):
            raise ServiceError("bad_request", "`input` must be a text with words in it", 400)
        if len(text) > MOST_TEXT:
            raise ServiceError("too_long", f"a text can have {MOST_TEXT} characters", 413)
        if kind not in audio.FORMATS:
            raise ServiceError("bad_request", f"`response_format` must be one of {', '.join(audio.FORMATS)}", 400)
        stream = asked.get("stream_format") or "audio"
        if stream not in ("audio", "sse"):
            raise ServiceError("bad_request", "`stream_format` must be audio or sse", 400)
        known = isinstance(voice, str) and any(each.id == voice for each in speech.tts.voices)
        sound = await said_aloud(speech, text, str(voice) if known else "")
        try:
            content = await speech.encoded(sound, audio.SPOKEN, kind)
        except ImportError:
            raise ServiceError("speech_unavailable", f"`{kind}` needs PyAV, the package `av`; `wav` does not") from None
        if stream == "sse":
            return Response(sound_events(content), media_type="text/event-stream")
        return Response(content, media_type=audio.FORMATS[kind][2])

    async def voices(_: Request) -> Response:
        """Who can speak; the first is who does when nobody is named."""
        await speech.tts.check()
        listed = [{"id": voice.id, "language": voice.language, "name": voice.name} for voice in speech.tts.voices]
        return JSONResponse({"engine": speech.tts.name, "voices": listed})

    return [
        Route("/stt", stt, methods=["POST"]),
        Route("/tts", tts, methods=["POST"]),
        Route("/voices", voices),
        Route("/v1/audio/transcriptions", transcriptions, methods=["POST"]),
        Route("/v1/audio/speech", speeches, methods=["POST"]),
    ]


def transcript(said: Words, length: float, kind: str) -> Response:
    """The words of a recording of so many seconds as OpenAI's API has them: in one segment, which is all there is."""
    if kind in ("srt", "vtt"):
        comma, head = (",", "1\n") if kind == "srt" else (".", "WEBVTT\n\n")
        cue = f"{_clock(0, comma)} --> {_clock(length, comma)}\n{said.text}\n\n"
        return Response(f"{head}{cue}", media_type="text/plain" if kind == "srt" else "text/vtt")
    if kind == "text":
        return Response(f"{said.text}\n", media_type="text/plain")
    if kind == "stream":
        parts = (
            {"type": "transcript.text.delta", "delta": said.text},
            {"type": "transcript.text.done", "text": said.text},
        )
        events = "".join(f"data: {json.dumps(part, ensure_ascii=False)}\n\n" for part in parts)
        return Response(f"{events}data: [DONE]\n\n", media_type="text/event-stream")
    if kind == "json":
        return JSONResponse({"text": said.text})
    found = {"task": "transcribe", "language": said.language, "duration": length, "text": said.text}
    segment = {"id": 0, "seek": 0, "start": 0.0, "end": length, "text": said.text, "tokens": [], "temperature": 0.0}
    segment |= {"avg_logprob": 0.0, "compression_ratio": 1.0, "no_speech_prob": 0.0}
    return JSONResponse({**found, "segments": [segment] if said.text else []})


def sound_events(content: bytes) -> str:
    """A sound as the events of OpenAI's API. Tokens are not counted: no engine here has any."""
    usage = dict.fromkeys(("input_tokens", "output_tokens", "total_tokens"), 0)
    parts = (
        {"type": "speech.audio.delta", "audio": base64.b64encode(content).decode()},
        {"type": "speech.audio.done", "usage": usage},
    )
    return "".join(f"data: {json.dumps(part)}\n\n" for part in parts)


def _clock(seconds: float, comma: str) -> str:
    whole, part = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{comma}{part:03}"


async def heard(speech: Speech, content: bytes, most_seconds: float, language: str | None) -> tuple[Words, float]:
    """The words of a recording, and its length in seconds; a ServiceError for one that cannot be read."""
    try:
        pcm = await speech.decoded(content, audio.HEARD, most_seconds)
    except audio.BadAudio as error:
        raise ServiceError("bad_audio", str(error), 422) from None
    except audio.TooLong as error:
        raise ServiceError("too_long", str(error), 413) from None
    return await speech.transcribe(pcm, language), round(audio.seconds(pcm, audio.HEARD), 2)


async def said_aloud(speech: Speech, text: str, voice: str) -> bytes:
    """The sound of a text, made one sentence after the other: a conversation gets its turn in between."""
    sentences = Sentences()
    language = language_of(text)
    spoken = filter(None, map(speakable, sentences.add(text) + sentences.rest()))
    return b"".join([await speech.say(words, voice, language) for words in spoken])


async def _form(request: Request) -> FormData:
    if int(request.headers.get("content-length") or 0) > MOST_BYTES:
        raise ServiceError("body_too_large", f"a recording can have {MOST_BYTES} bytes", 413)
    content = await read_body(request, MOST_BYTES)

    async def again() -> AsyncGenerator[bytes]:
        yield content

    try:
        return await MultiPartParser(request.headers, again()).parse()
    except (MultiPartException, KeyError) as error:
        raise ServiceError("bad_request", f"the body is no form: {error}", 400) from None
