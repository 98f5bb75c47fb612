"""One conversation: what comes in over the socket, and the reply that is on its way out."""

import asyncio
import json
import time
import uuid
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from examples.conversational.llm import Llm
from examples.web import ServiceError

MOST_TEXT = 8000  # characters of one input
MOST_TURNS = 20  # messages that the LLM is told of
FORMATS = {"type": "pcm_s16le", "channels": 1}


class Session:
    """Speaks JSON messages with a `type`.

    In: `input.text {text}`, `response.cancel`; binary frames and `input.audio.end` are for speech. Out:
    `session.created`, `state {state}` (listening, thinking, speaking), `response.text.delta {delta}`,
    `response.done {text, ms}`, `response.cancelled {text}`, `error {code, message}`. New input cancels the reply.
    """

    def __init__(self, websocket: WebSocket, llm: Llm) -> None:
        self._socket = websocket
        self._llm = llm
        self._history: list[dict[str, str]] = []
        self._reply: asyncio.Task[None] | None = None
        self._state = ""
        self._deaf = False  # said once in a row that there is no speech: audio comes in 50 frames a second

    async def run(self) -> None:
        """Until the client leaves, or the server closes all sockets because it is stopping."""
        try:
            await self._send("session.created", session=uuid.uuid4().hex, modes=["text"], audio=self._formats())
            await self._become("listening")
            while True:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                await self._received(message.get("text"))
        except WebSocketDisconnect:
            pass
        finally:
            await self._stop_reply()

    async def _received(self, text: str | None) -> None:
        message = _parsed(text) if text is not None else {"type": "input.audio"}
        if message is None:
            await self._error("bad_message", "a message is a JSON object with a `type`")
            return
        match message["type"]:
            case "input.text":
                await self._input(message.get("text"))
            case "response.cancel":
                await self._stop_reply()
            case "input.audio" | "input.audio.end":
                if not self._deaf:
                    self._deaf = True
                    await self._error("speech_unavailable", "this server understands text only")
            case other:
                await self._error("unknown_type", f"there are no messages of type `{str(other)[:100]}`")

    async def _input(self, text: Any) -> None:
        self._deaf = False
        if not isinstance(text, str) or not text.strip():
            await self._error("bad_message", "`text` must be a text that is not empty")
        elif len(text) > MOST_TEXT:
            await self._error("too_long", f"a text can have {MOST_TEXT} characters")
        else:
            await self._stop_reply()
            self._history.append({"role": "user", "content": text})
            del self._history[:-MOST_TURNS]
            self._reply = asyncio.create_task(self._answer(uuid.uuid4().hex))

    async def _answer(self, response: str) -> None:
        started = time.monotonic()
        said: list[str] = []
        try:
            await self._become("thinking")
            async for piece in self._llm.answer(list(self._history)):
                await self._become("speaking")
                said.append(piece)
                await self._send("response.text.delta", response=response, delta=piece)
            ms = round((time.monotonic() - started) * 1000)
            await self._send("response.done", response=response, text="".join(said), ms=ms)
        except ServiceError as error:
            await self._error(error.code, error.message)
        except asyncio.CancelledError:
            await self._send("response.cancelled", response=response, text="".join(said))
            raise
        finally:
            self._remember("".join(said))
        await self._become("listening")

    def _remember(self, text: str) -> None:
        if text:
            self._history.append({"role": "assistant", "content": text})
        else:
            self._history.pop()  # not answered: the next question should not be two

    async def _stop_reply(self) -> None:
        reply, self._reply = self._reply, None
        if reply is not None and not reply.done():
            reply.cancel()
            await asyncio.wait({reply})
            await self._become("listening")

    async def _become(self, state: str) -> None:
        if state != self._state:
            self._state = state
            await self._send("state", state=state)

    async def _error(self, code: str, message: str) -> None:
        await self._send("error", code=code, message=message)

    async def _send(self, kind: str, **fields: Any) -> None:
        # The client may be gone; then receive() says so, and that is where the conversation ends.
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.send_text(json.dumps({"type": kind, **fields}, ensure_ascii=False))

    def _formats(self) -> dict[str, Any]:
        return {"available": False, "in": {**FORMATS, "rate": 16000}, "out": {**FORMATS, "rate": 24000}}


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and isinstance(message.get("type"), str) else None
