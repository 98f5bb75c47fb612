"""A conversation at `WS /ws`, a page at `/` to hold it with, and speech alone at `/stt`, `/tts` and `/voices`.

Environment: `CONVERSATION_PORT`, `CONVERSATION_TOKEN`.
Who answers is Sandra IA, as portsup tells where it is, or `LLM_URL`: any server with OpenAI's API, such as
http://127.0.0.1:11434/v1, which is then asked for `LLM_MODEL`. `CONVERSATION_PROMPT` is what the model is told first.
Who listens and speaks: `STT` is `auto`, `whisper`, `pocketsphinx`, `remote` or `none`; `TTS` is `auto`, `hibari`,
`espeak` or `none`. `auto` is what is installed, each for the languages that it knows, and none is no mistake: the
conversation is in writing then. `STT_LANGUAGE` is the language that is spoken (whichever is heard); `STT_URL` is
another server with `/v1/audio/transcriptions`, or `groq-api`, with `STT_MODEL` and `STT_API_KEY`.
`ENGINE_IDLE_STOP` is after how many seconds an engine leaves that nobody needs (900; 0: never).
Limits: `CONVERSATION_MAX_SESSIONS` (32), `CONVERSATION_MAX_TURN` (60 seconds of speech).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from examples.conversational.engines import SPEAKERS
from examples.conversational.llm import Llm
from examples.conversational.page import PATHS, page_routes
from examples.conversational.recognizers import RECOGNIZERS
from examples.conversational.rest import speech_routes
from examples.conversational.session import Session
from examples.conversational.speech import Speech, language_code
from examples.on_demand import idle_stop
from examples.peers import Peers
from examples.service import Service, choice, number, run, setting
from examples.web import Checks, ServiceError, health_routes, make_app

SERVICE = Service(
    "conversational",
    port_env="CONVERSATION_PORT",
    token_env="CONVERSATION_TOKEN",
    open_paths=PATHS,  # the page has no secrets, and a browser cannot send a token for it
    websockets=True,
)
PROMPT = "This is a spoken conversation. Answer in one or two short sentences, without lists and without markup."


def app() -> Starlette:
    llm = Llm(Peers(), setting("LLM_URL"), setting("LLM_MODEL", "auto"))
    speech = Speech(
        choice("STT", ("auto", *RECOGNIZERS, "none"), "auto"),
        choice("TTS", ("auto", *SPEAKERS, "none"), "auto"),
        language_code(setting("STT_LANGUAGE")),
        idle_stop(),
    )
    most = int(number("CONVERSATION_MAX_SESSIONS", 32, 1, 10000))
    most_seconds = number("CONVERSATION_MAX_TURN", 60, 1, 600)
    prompt = setting("CONVERSATION_PROMPT", PROMPT)
    sessions: set[Session] = set()

    async def converse(websocket: WebSocket) -> None:
        if len(sessions) >= most:
            error = ServiceError("busy", f"{most} conversations are open already", 429, retry_after=5)
            await websocket.send_denial_response(error.response())
            return
        # A browser that shows its token as a subprotocol has to be answered with another one that it offered.
        offered = websocket.scope["subprotocols"]
        await websocket.accept("conversation" if "conversation" in offered else None)
        session = Session(websocket, llm, speech, most_seconds, prompt)
        sessions.add(session)
        try:
            await session.run()
        finally:
            sessions.discard(session)

    async def check_up() -> Checks:
        word = await llm.state()
        problem = None if word == "ok" else ServiceError("llm_unavailable", f"who answers is not ready: {word}")
        return Checks({"llm": word, **speech.checks()}, problem)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with llm.client:
            looking = asyncio.create_task(speech.look())  # only begun: /health answers meanwhile
            yield
            looking.cancel()
            await speech.close()

    routes = [
        *health_routes(SERVICE.name, check_up),
        *page_routes(),
        *speech_routes(speech, most_seconds),
        WebSocketRoute("/ws", converse),
    ]
    return make_app(routes, lifespan)


if __name__ == "__main__":
    run(SERVICE, app)
