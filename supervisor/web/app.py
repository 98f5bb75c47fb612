"""The paths of the page: its files, the login, the stream, the questions and the orders."""

import asyncio
import functools
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.datastructures import URL
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from supervisor.api.lacking import in_words
from supervisor.core.escapes import undirected
from supervisor.errors import PortsupError
from supervisor.web import orders
from supervisor.web.answers import ANSWERS, AS_PRINTED, fields_of
from supervisor.web.guard import Site
from supervisor.web.keys import LASTS, Keys
from supervisor.web.windows import TooMany, Windows

PAGES = Path(__file__).parent / "pages"
BEAT = 0.3  # seconds between two signs of life: a page that misses them says so within a second
MOST_WINDOWS = 64
MOST_BYTES = 64 * 1024  # of an order
UNREAD_FOR = 30.0  # seconds until a browser that reads nothing is let go
_DO = {"up", "prune", "start", "stop", "restart", "rolling", "rotate", "reload", "kill", "down"}


class Page:
    """One page, its keys, and the stacks that it shows."""

    def __init__(self, place: Site, keys: Keys, windows: Windows, *, read_only: bool) -> None:
        self.place = place
        self.keys = keys
        self.windows = windows
        self.read_only = read_only

    def application(self) -> Starlette:
        """All paths; the guard belongs around it."""
        answers = [
            Route(f"/api/{name}", functools.partial(self._answer, answer), methods=["GET"])
            for name, answer in ANSWERS.items()
        ]
        return Starlette(
            routes=[
                Route("/", self._index, methods=["GET"]),
                Route("/enter", self._enter_page, methods=["GET"]),
                Route("/enter", self._enter, methods=["POST"]),
                Route("/api/stream", self._stream, methods=["GET"]),
                Route("/api/about", self._about, methods=["GET"]),
                Route("/api/do", self._do, methods=["POST"]),
                Route("/api/link", self._link, methods=["POST"]),
                *answers,
                Mount("/static", Files(directory=PAGES)),
            ],
            exception_handlers={PortsupError: _told_error, OSError: _told_lack},  # type: ignore[dict-item]
        )

    async def _index(self, _: Request) -> Response:
        return FileResponse(PAGES / "index.html")

    async def _enter_page(self, request: Request) -> Response:
        return FileResponse(PAGES / "enter.html")

    async def _enter(self, request: Request) -> Response:
        """The key of a link becomes a cookie, and a key for the page; without one, a cookie that is there is enough."""
        given = await _body(request)
        cookie = self.keys.cookie_among(request.headers.getlist("cookie"), time.time())
        key = given.get("key")
        if not isinstance(key, str) or not self.keys.use_link_key(key):
            what = "this link has been used, or is of a page that has ended" if key else "a link is needed"
            return _error(401, what, "run `portsup web` again, or make another link in a page that is open")
        cookie = cookie or self.keys.new_cookie(time.time())
        answer = JSONResponse({"key": self.keys.page_key(cookie)})
        answer.set_cookie(
            self.keys.cookie_name, cookie, max_age=LASTS, path="/", secure=self.place.is_tls, httponly=True,
            samesite="strict",
        )  # fmt: skip
        return answer

    async def _about(self, request: Request) -> Response:
        """What the page has to know of its server."""
        return JSONResponse({"read_only": self.read_only, "beat": BEAT})

    async def _link(self, request: Request) -> Response:
        """A link for another browser."""
        await _body(request)
        return JSONResponse({"link": f"{URL(str(request.url)).replace(path='/enter')}#{self.keys.new_link_key()}"})

    async def _answer(self, answer: Callable[..., dict[str, Any]], request: Request) -> Response:
        asked = dict(request.query_params)
        project = await run_in_threadpool(self.windows.project, asked.pop("stack", ""))
        told = await run_in_threadpool(answer, project, asked)
        return JSONResponse(told) if answer in AS_PRINTED else Response(_shown(told), media_type="application/json")

    async def _stream(self, request: Request) -> Response:
        key = request.query_params.get("stack", "")
        project = await run_in_threadpool(self.windows.project, key)
        try:
            window, close = self.windows.open(key, project)
        except TooMany:
            hint = "close some of them; the others go on"
            return _error(503, f"{MOST_WINDOWS} windows are open, and that is the limit", hint)

        async def lines() -> AsyncIterator[bytes]:
            yield b": here\n\n"
            while True:
                told = await window.take(BEAT)
                yield b"data: 0\n\n" if told is None else b"data: %b\n\n" % _shown(told)

        return Patient(lines(), "text/event-stream", close)

    async def _do(self, request: Request) -> Response:
        given = await _body(request)
        if self.read_only and not (given.get("do") in ("reload", "prune") and given.get("dry_run") is True):
            return _error(403, "this page only shows", "it was started with `--read-only`")
        if not isinstance(given.get("do"), str) or given["do"] not in _DO:
            return _error(400, f"there is no order {str(given.get('do'))[:40]!r}")
        project = await run_in_threadpool(self.windows.project, str(given.get("stack") or ""))

        async def lines() -> AsyncIterator[bytes]:
            try:
                async for step in iterate_in_threadpool(orders.carry_out(project, given)):
                    yield _shown(step) + b"\n"
            except (PortsupError, OSError) as error:
                told = error if isinstance(error, PortsupError) else in_words(error)
                yield _shown({"end": True, "ok": False, "error": fields_of(told)}) + b"\n"

        return Patient(lines(), "application/x-ndjson")


class Files(StaticFiles):
    """The files of the page, which a browser may keep as long as they are the same."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """With an answer to whoever has it already."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


class Patient(StreamingResponse):
    """A stream that ends when nobody has read for a while: what it holds is then free for others."""

    def __init__(self, content: AsyncIterator[bytes], kind: str, on_end: Callable[[], None] = lambda: None) -> None:
        super().__init__(content, media_type=kind)
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""

        async def sent(message: Any) -> None:
            async with asyncio.timeout(UNREAD_FOR):
                await send(message)

        try:
            await super().__call__(scope, receive, sent)
        except (TimeoutError, ClientDisconnect):
            pass
        finally:
            self._on_end()


async def _body(request: Request) -> dict[str, Any]:
    """The object of a request; raises PortsupError for what is none, or too long."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MOST_BYTES:
            raise PortsupError("cannot read the order", f"it has more than {MOST_BYTES} bytes")
    try:
        told = json.loads(bytes(data) or b"{}")
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise PortsupError("cannot read the order", "it is no JSON object")
    return told


def _shown(told: Any) -> bytes:
    """JSON of what the page shows as it is: words of others, such as names of programs, may turn text around."""
    return undirected(json.dumps(told, ensure_ascii=False)).encode(errors="replace")


async def _told_error(_: Request, error: PortsupError) -> Response:
    status = 404 if error.exit_code == 4 else 400
    return Response(_shown({"error": fields_of(error)}), status, media_type="application/json")


async def _told_lack(_: Request, error: OSError) -> Response:
    return Response(_shown({"error": fields_of(in_words(error))}), 503, media_type="application/json")


def _error(status: int, what: str, hint: str = "") -> Response:
    return JSONResponse({"error": {"what": what, "why": "", "hint": hint}}, status)
