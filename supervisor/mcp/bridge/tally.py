"""How many sessions and programs there are, which portsup is told whenever that changes."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supervisor.core.sd_notify import PROGRAMS, SESSIONS

VARIABLE = "PORTSUP_BRIDGE"  # the address of the socket where portsup hears it
AGAIN = 1.0  # seconds after which what portsup could not take is said again
_SESSION = b"mcp-session-id"


def take_address() -> str:
    """Where portsup hears it, "" if nowhere; the programs do not learn it."""
    return os.environ.pop(VARIABLE, "")


class Tally:
    """Counts them; what cannot be said is said later, and never waited for."""

    def __init__(self, address: str) -> None:
        self.sessions = self.programs = 0
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket: socket.socket | None = None
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
        self._again: asyncio.TimerHandle | None = None

    def note(self, *, sessions: int | None = None, programs: int | None = None) -> None:
        """There are so many now; None: as many as before."""
        before = self.sessions, self.programs
        self.sessions = self.sessions if sessions is None else sessions
        self.programs = self.programs if programs is None else programs
        if (self.sessions, self.programs) != before:
            self._say()

    def _say(self) -> None:
        self._again = None
        if self._socket is None:
            return
        words = f"{SESSIONS}={self.sessions}\n{PROGRAMS}={self.programs}".encode()
        try:
            self._socket.sendto(words, self._address)
        except BlockingIOError:
            self._again = self._again or asyncio.get_running_loop().call_later(AGAIN, self._say)
        except OSError:  # portsup has ended, and so do we
            pass


class Counted:
    """Passes requests on to `app`, and counts the sessions that they open and end.

    One that has had no request for `idle` seconds is over; `app` ends it by itself then.
    """

    def __init__(self, app: ASGIApp, tally: Tally, idle: float) -> None:
        self._app, self._tally, self._idle = app, tally, idle
        self._under_way: dict[str, int] = {}  # requests, by session
        self._used: dict[str, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one on."""
        session = _session_in(scope.get("headers", ()))
        if session:
            self._under_way[session] = self._under_way.get(session, 0) + 1
        try:
            await self._app(scope, receive, self._noting(scope, session, send))
        finally:
            if session:
                self._has_ended(session)

    def _noting(self, scope: Scope, session: str, send: Send) -> Callable[[Message], Awaitable[None]]:
        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                is_fine = message["status"] < 400
                if not session and is_fine and (new := _session_in(message.get("headers", ()))):
                    self._begin(new)
                elif session and (message["status"] == 404 or (is_fine and scope["method"] == "DELETE")):
                    self._end(session)
            await send(message)

        return note

    def _begin(self, session: str) -> None:
        self._used[session] = asyncio.get_running_loop().time()
        self._tally.note(sessions=len(self._used))
        self._arm()

    def _end(self, session: str) -> None:
        if self._used.pop(session, None) is not None:
            self._tally.note(sessions=len(self._used))

    def _has_ended(self, session: str) -> None:
        self._under_way[session] -= 1
        if not self._under_way[session]:
            del self._under_way[session]
        if session in self._used:
            self._used[session] = asyncio.get_running_loop().time()
            self._arm()

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._idle, self._end_unused)

    def _end_unused(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for session, used in tuple(self._used.items()):
            if session not in self._under_way and used + self._idle <= now:
                self._end(session)
        left = [used for session, used in self._used.items() if session not in self._under_way]
        if left:  # one that has a request under way is looked at when that has ended
            self._timer = asyncio.get_running_loop().call_later(min(left) + self._idle - now, self._end_unused)


def _session_in(headers: Any) -> str:
    for name, value in headers:
        if name.lower() == _SESSION:
            with contextlib.suppress(UnicodeDecodeError):
                return bytes(value).decode("ascii")
    return ""
