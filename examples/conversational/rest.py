"""Speech without a conversation: `POST /stt`, `POST /tts` and `GET /voices`."""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from examples.conversational import audio
from examples.conversational.sentences import Sentences, speakable
from examples.conversational.speech import Speech, voice_of
from examples.web import ServiceError, read_body, read_json

MOST_BYTES = 24 * 1024 * 1024  # of a recording: a minute at 96 kHz, 16 bit, two channels
MOST_TEXT = 4000  # characters to speak: four minutes


def speech_routes(speech: Speech, most_seconds: float) -> list[BaseRoute]:
    """The three; a recording may last `most_seconds`."""

    async def stt(request: Request) -> Response:
        """A WAV file in the body; its words as `{"text", "engine", "seconds", "ms"}`."""
        engine = await speech.stt.use(lambda engine: engine)
        content = await read_body(request, MOST_BYTES)
        started = time.monotonic()
        try:
            pcm = await asyncio.to_thread(audio.read_wav, content, audio.HEARD, most_seconds)
        except audio.BadAudio as error:
            raise ServiceError("bad_audio", str(error), 422) from None
        except audio.TooLong as error:
            raise ServiceError("too_long", str(error), 413) from None
        text = await speech.transcribe(pcm)
        ms = round((time.monotonic() - started) * 1000)
        length = round(audio.seconds(pcm, audio.HEARD), 2)
        return JSONResponse({"text": text, "engine": engine.name, "seconds": length, "ms": ms})

    async def tts(request: Request) -> Response:
        """`{"text", "voice"}` in the body, the voice if wanted; a WAV file of 24 kHz."""
        engine = await speech.tts.use(lambda engine: engine)
        asked = await read_json(request, 64 * 1024)
        text, voice = asked.get("text"), asked.get("voice") or ""
        if not isinstance(text, str) or not isinstance(voice, str) or not speakable(text):
            raise ServiceError("bad_request", "`text` must be a text with words in it, `voice` the id of a voice", 422)
        if len(text) > MOST_TEXT:
            raise ServiceError("too_long", f"a text can have {MOST_TEXT} characters", 413)
        voice_of(engine, voice)
        sentences = Sentences()
        # One by one: a conversation that has a sentence to say gets its turn in between.
        spoken = filter(None, map(speakable, sentences.add(text) + sentences.rest()))
        parts = [await speech.say(words, voice) for words in spoken]
        return Response(audio.write_wav(b"".join(parts), audio.SPOKEN), media_type="audio/wav")

    async def voices(_: Request) -> Response:
        """Who can speak; the first is who does when nobody is named."""
        engine = await speech.tts.use(lambda engine: engine)
        listed = [{"id": voice.id, "language": voice.language, "name": voice.name} for voice in engine.voices]
        return JSONResponse({"engine": engine.name, "voices": listed})

    return [
        Route("/stt", stt, methods=["POST"]),
        Route("/tts", tts, methods=["POST"]),
        Route("/voices", voices),
    ]
