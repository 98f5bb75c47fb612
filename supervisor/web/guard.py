"""Who gets through to the page, and the headers that every answer has.

A browser sends what any page asks for to the loopback, with our cookie where it may, and a page can have its own name
lead here (DNS rebinding): so the Host has to be ours, whoever asks has to be our own page, and what changes something
has to say so in ways that no form can.
"""

import time
from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supervisor.dataclass import dataclass
from supervisor.web.keys import PAGE_KEY_HEADER, Keys

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# What a browser that has not logged in yet gets: the page that does, and nothing of the stack.
OPEN = frozenset({("GET", "/enter"), ("POST", "/enter"), ("GET", "/static/enter.js"), ("GET", "/static/page.css"),
                  ("GET", "/static/icon.svg")})  # fmt: skip
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Site:
    """Where the page is: the port, the names under which it is asked for, whether by TLS."""

    port: int
    names: tuple[str, ...] = LOOPBACK
    is_tls: bool = False

    @property
    def origins(self) -> frozenset[str]:
        """Those of its own pages."""
        scheme = "https" if self.is_tls else "http"
        return frozenset(f"{scheme}://{host}" for host in self.hosts)

    @property
    def hosts(self) -> frozenset[str]:
        """What a request may have as Host."""
        plain = [name.lower() for name in self.names] if self.port == (443 if self.is_tls else 80) else []
        return frozenset([*(f"{name.lower()}:{self.port}" for name in self.names), *plain])


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request gets no answer."""

    status: int
    what: str
    hint: str = ""


def refusal(place: Site, keys: Keys, request: tuple[str, str, Headers], now: float) -> Refusal | None:
    """Why this request, its method, path and headers, is refused; None lets it through.  `now` is since 1970."""
    method, path, headers = request
    given: dict[str, list[str]] = {}
    for name, value in headers:
        given.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    if "content-length" in given and "transfer-encoding" in given:  # where it ends, others could see otherwise
        return Refusal(400, "the request has two lengths")
    if [host.lower() for host in given.get("host", ())] not in [[host] for host in place.hosts]:
        return Refusal(421, "this server has another name", "start it with `--host-name NAME`")
    if wrong := _foreign(place, given, method):
        return wrong
    if method not in ("GET", "HEAD") and _only(given, "content-type").partition(";")[0].strip() != "application/json":
        return Refusal(415, "only JSON is read here")
    if (method, path) in OPEN:
        return None
    cookie = keys.cookie_among(given.get("cookie", ()), now)
    if not cookie:
        return Refusal(401, "you are not logged in", "open the link that `portsup web` has printed, or run it again")
    if path.startswith("/api/") and not keys.is_page_key(_only(given, PAGE_KEY_HEADER), cookie):
        return Refusal(401, "the key of the page is missing", "open the link that `portsup web` has printed")
    return None


def _foreign(place: Site, given: dict[str, list[str]], method: str) -> Refusal | None:
    """Whether another page has the browser ask."""
    origins = [each.lower() for each in given.get("origin", ())]
    sites = given.get("sec-fetch-site", [])
    if any(each not in place.origins for each in origins):
        return Refusal(403, "not for pages of another origin")
    is_own = bool(origins) or sites == ["same-origin"]
    if method in ("GET", "HEAD"):
        # A link that somebody follows to us is `cross-site` and shows a page; anything else of another page is not.
        is_visit = given.get("sec-fetch-mode") == ["navigate"] and given.get("sec-fetch-dest") == ["document"]
        is_other = bool(sites) and sites not in (["same-origin"], ["none"])
        return Refusal(403, "not for pages of another origin") if is_other and not is_visit else None
    return None if is_own and sites in ([], ["same-origin"]) else Refusal(403, "only the page itself may ask for this")


def _only(given: dict[str, list[str]], name: str) -> str:
    """The value of a header that comes once; empty otherwise."""
    values = given.get(name, [])
    return values[0] if len(values) == 1 else ""


class Guard:
    """Answers those whom it refuses, and gives every answer of the application its headers."""

    def __init__(self, app: ASGIApp, place: Site, keys: Keys) -> None:
        self._app = app
        self._place = place
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers for itself, or hands on; a WebSocket is not answered at all."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        if scope["type"] != "http":
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = (scope["method"], scope["path"], scope["headers"])
        refused = refusal(self._place, self._keys, request, time.time())
        if refused is None:
            await self._app(scope, receive, with_headers)
        else:
            await refused_answer(scope, refused)(scope, receive, with_headers)


def refused_answer(scope: Scope, refused: Refusal) -> ASGIApp:
    """Why not, as the page shows errors; whoever opens the page without a cookie gets the one about logging in."""
    if refused.status == 401 and scope["method"] == "GET" and scope["path"] == "/":
        from starlette.responses import RedirectResponse

        return RedirectResponse("/enter", 303)
    told = {"what": refused.what, "why": "", "hint": refused.hint}
    return JSONResponse({"error": told}, refused.status, {"Connection": "close"} if refused.status == 400 else None)
