"""The page for browsers: a few files without secrets, which need nothing from elsewhere."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

FOLDER = Path(__file__).with_name("page")
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
FILES = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js", "/sound.js": "sound.js"}
FILES |= {"/microphone.js": "microphone.js", "/markdown.js": "markdown.js", "/icon.svg": "icon.svg"}
PATHS = tuple(FILES)
# Nothing but what this server sends is run, shown or talked to, whatever words a model finds.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "permissions-policy": "microphone=(self)",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def page_routes() -> list[BaseRoute]:
    """A route for each file."""

    def route(path: str, name: str) -> Route:
        content = (FOLDER / name).read_bytes()
        kind = KINDS[Path(name).suffix]

        async def answer(_: Request) -> Response:
            return Response(content, media_type=kind, headers=HEADERS)

        return Route(path, answer)

    return [route(path, name) for path, name in FILES.items()]
