"""A conversation at `WS /ws`, and a small page at `/` to try it.

Environment: `CONVERSATION_PORT`, `CONVERSATION_TOKEN`, `CONVERSATION_MAX_SESSIONS` (32), and who answers: Sandra IA as
portsup tells it, or `LLM_URL` (any server with OpenAI's API, such as http://127.0.0.1:11434/v1).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from examples.conversational.llm import Llm
from examples.conversational.session import Session
from examples.peers import Peers
from examples.service import Service, number, run, setting
from examples.web import Checks, ServiceError, health_routes, make_app

SERVICE = Service(
    "conversational",
    port_env="CONVERSATION_PORT",
    token_env="CONVERSATION_TOKEN",
    open_paths=("/",),  # the page has no secrets, and a browser can not send a token for it
    websockets=True,
)
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"


def app() -> Starlette:
    llm = Llm(Peers(), setting("LLM_URL"))
    most = int(number("CONVERSATION_MAX_SESSIONS", 32, 1, 10000))
    sessions: set[Session] = set()
    page = Path(__file__).with_name("page.html").read_text(encoding="utf-8")

    async def converse(websocket: WebSocket) -> None:
        if len(sessions) >= most:
            error = ServiceError("busy", f"{most} conversations are open already", 429, retry_after=5)
            await websocket.send_denial_response(error.response())
            return
        await websocket.accept()
        session = Session(websocket, llm)
        sessions.add(session)
        try:
            await session.run()
        finally:
            sessions.discard(session)

    async def home(_: Request) -> Response:
        return HTMLResponse(page, headers={"content-security-policy": POLICY})

    async def check_up() -> Checks:
        word = await llm.state()
        problem = None if word == "ok" else ServiceError("llm_unavailable", f"who answers is not ready: {word}")
        return Checks({"llm": word}, problem)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with llm.client:
            yield

    routes = [*health_routes(SERVICE.name, check_up), Route("/", home), WebSocketRoute("/ws", converse)]
    return make_app(routes, lifespan)


if __name__ == "__main__":
    run(SERVICE, app)
