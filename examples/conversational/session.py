"""One conversation: what comes in over the socket, and which reply is on its way out."""

import json
import uuid
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from examples.conversational.audio import HEARD, SPOKEN
from examples.conversational.hearing import Began, Turns, Utterance
from examples.conversational.listening import Listening
from examples.conversational.llm import Llm
from examples.conversational.reply import Memory, Reply
from examples.conversational.speech import Speech, language_code, voice_of
from examples.conversational.wire import Wire
from examples.web import ServiceError, without_surrogates

MOST_TEXT = 8000  # characters of one input
FORMAT = {"type": "pcm_s16le", "channels": 1}


class Session:
    """Serves one socket; the LLM is told `prompt` before the conversation, and a turn may last `most_seconds`."""

    def __init__(self, socket: WebSocket, llm: Llm, speech: Speech, most_seconds: float, prompt: str) -> None:
        self._socket = socket
        self._llm = llm
        self._speech = speech
        self._most_seconds = most_seconds
        self._id = uuid.uuid4().hex
        self._wire = Wire(socket)
        self._memory = Memory(prompt)
        self._listening = Listening(self._wire, speech, most_seconds)
        self._reply: Reply | None = None
        self._speaks = True
        self._voice = ""
        self._told_that_deaf = False  # once in a row: sound comes in 50 frames a second

    async def run(self) -> None:
        """Until the client leaves, or the server closes all sockets because it is stopping."""
        try:
            await self._wire.send("session.created", **self._description())
            await self._wire.become("listening")
            while (message := await self._socket.receive())["type"] != "websocket.disconnect":
                try:
                    if (text := message.get("text")) is not None:
                        await self._received(_parsed(text))
                    else:
                        await self._hear(message.get("bytes") or b"")
                except ServiceError as error:
                    await self._wire.error(error.code, error.message)
        except WebSocketDisconnect:
            pass
        finally:
            self._listening.drop()
            await self._stop_reply()

    async def _received(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "input.text":
                await self._input(message.get("text"))
            case "input.audio.end":
                if self._can_hear() and (utterance := self._end_turn()):
                    await self._answer(utterance)
            case "response.cancel":
                await self._stop_reply()
            case "session.update":
                await self._update(message)
            case other:
                raise ServiceError("unknown_type", f"there are no messages of type `{other[:100]}`", 422)

    async def _input(self, text: Any) -> None:
        self._told_that_deaf = False
        if not isinstance(text, str) or not text.strip():
            raise ServiceError("bad_message", "`text` must be a text that is not empty", 422)
        if len(text) > MOST_TEXT:
            raise ServiceError("too_long", f"a text can have {MOST_TEXT} characters", 422)
        self._listening.drop()
        await self._stop_reply()
        self._new_reply().to_text(text)

    async def _update(self, message: dict[str, Any]) -> None:
        turns, speaks, voice = (message.get(key) for key in ("turns", "speak", "voice"))
        language = language_code(message["language"]) if message.get("language") is not None else None
        if turns not in (None, *Turns) or not isinstance(speaks, bool | None) or not isinstance(voice, str | None):
            raise ServiceError("bad_message", "`turns` is `vad` or `manual`, `speak` a boolean, `voice` a text", 422)
        if voice and self._speech.tts.voices:
            voice_of(self._speech.tts, voice)
        if turns is not None:
            self._listening.switch(Turns(turns))
        self._listening.language = self._listening.language if language is None else language
        self._speaks = self._speaks if speaks is None else speaks
        self._voice = self._voice if voice is None else voice
        await self._wire.send("session.updated", **self._description())

    async def _hear(self, pcm: bytes) -> None:
        if not self._can_hear():
            return
        async for event in self._listening.hear(pcm):
            match event:
                case Began():
                    interrupted = await self._stop_reply()
                    unanswered = interrupted is not None and not interrupted.has_begun
                    await self._listening.begin(interrupted.sound if interrupted and unanswered else b"")
                case Utterance():
                    await self._answer(event)

    def _end_turn(self) -> Utterance | None:
        """In `vad` a turn may be over, and its reply on the way, when the client says that it is."""
        try:
            return self._listening.end()
        except ServiceError:
            if self._reply is None or self._reply.is_over:
                raise
            return None

    def _can_hear(self) -> bool:
        if not self._speech.stt.may_work:
            if self._told_that_deaf:
                return False
            self._told_that_deaf = True
            raise self._speech.stt.unavailable()
        return True

    async def _answer(self, utterance: Utterance) -> None:
        if utterance.cut:
            text = f"a turn can last {self._most_seconds:g} seconds; this one was cut there"
            await self._wire.error("too_long", text)
        await self._stop_reply()
        if turn := self._listening.turn(utterance):
            self._new_reply().to_speech(turn)

    def _new_reply(self) -> Reply:
        voice = self._voice if self._speaks else None
        self._reply = Reply(self._wire, self._llm, self._speech, self._memory, voice)
        return self._reply

    async def _stop_reply(self) -> Reply | None:
        """The reply that this was the end of."""
        reply, self._reply = self._reply, None
        if reply is None or reply.is_over:
            return None
        await reply.stop()
        return reply

    def _description(self) -> dict[str, Any]:
        stt, tts = self._speech.stt, self._speech.tts
        return {
            "session": self._id,
            "modes": ["text", "voice"] if stt.may_work or tts.may_work else ["text"],
            "speech": {"stt": stt.state, "tts": tts.state},
            "turns": self._listening.turns,
            "speak": self._speaks,
            "voice": self._voice,
            "language": self._listening.language or "auto",
            "languages": list(stt.languages),
            "audio": {"in": {**FORMAT, "rate": HEARD}, "out": {**FORMAT, "rate": SPOKEN}},
            "limits": {"text": MOST_TEXT, "turn_s": self._most_seconds},
        }


def _parsed(text: str) -> dict[str, Any]:
    try:
        message = without_surrogates(json.loads(text))
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise ServiceError("bad_message", "a message is a JSON object with a `type`", 422)
    return message
